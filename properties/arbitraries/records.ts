// Damage to a stored record: to its text, as a disk or a hand would do it, and to its data, so that it is JSON still.

import fc from 'fast-check'

export type Mutation = (text: string) => string

type Json = null | boolean | number | string | ReadonlyArray<Json> | Readonly<{ [key: string]: Json }>

/** What a field may suddenly hold: things that look right, and things that never are. */
const strange: fc.Arbitrary<Json> = fc.constantFrom<Json[]>(
  ...[
    null,
    true,
    false,
    0,
    -1,
    0.5,
    1e21,
    4,
    6,
    80,
    65536,
    4294967296,
    '',
    ' ',
    'x',
    'lo',
    'eth0',
    'host',
    'null',
    'bridge',
  ],
  ...[
    'a'.repeat(64),
    `a0${'0a5c3e7'.repeat(9)}`.slice(0, 64),
    'LocalDefault/10.9.0.0/30',
    '__proto__',
    'tcp',
    'global',
  ],
  ...[[], {}, [null], { $n: '1' }, { $n: '' }, { $n: 'x' }, { $n: '340282366920938463463374607431768211456' }],
  ...[{ $n: '1', x: 1 }, { $o: [] }, { $o: [['$n', '1']] }, { $o: [['a', 1]] }, { $x: 1 }, { ip: 167772160, bits: 8 }],
  ...[{ ip: 167772161, bits: 8 }, { ip: 0, bits: 0 }, { ip: { $n: '0' }, bits: 129 }, { path: '' }, { path: null }],
)

/** The places of a tree, the root first. */
const placesOf = (json: Json, path: ReadonlyArray<string> = []): ReadonlyArray<ReadonlyArray<string>> =>
  typeof json === 'object' && json !== null
    ? [path, ...Object.entries(json).flatMap(([key, item]) => placesOf(item, [...path, key]))]
    : [path]

/** The tree with what `change` makes of one place; undefined takes it away. */
const changed = (json: Json, [key, ...rest]: ReadonlyArray<string>, change: (old: Json) => Json | undefined): Json => {
  if (key === undefined) return change(json) ?? null
  if (typeof json !== 'object' || json === null) return json
  const entries = Object.entries(json).flatMap(([name, item]): ReadonlyArray<readonly [string, Json]> => {
    if (name !== key) return [[name, item]]
    const next = rest.length === 0 ? change(item) : changed(item, rest, change)
    return next === undefined ? [] : [[name, next]]
  })
  return Array.isArray(json) ? entries.map(([, item]) => item) : Object.fromEntries(entries)
}

const nudge =
  (by: number) =>
  (old: Json): Json =>
    typeof old === 'number' ? old + by : typeof old === 'string' ? `${old.slice(0, by)}0${old.slice(by + 1)}` : [old]

const inData: fc.Arbitrary<Mutation> = fc
  .tuple(
    fc.nat(),
    fc.oneof(
      strange.map((next) => () => next),
      fc.integer({ min: -3, max: 70 }).map(nudge),
      fc.constant(() => undefined),
      fc.constant((old: Json): Json => (Array.isArray(old) ? [...old, ...old] : old)),
    ),
  )
  .map(([at, change]) => (text) => {
    const json: Json = JSON.parse(text)
    const places = placesOf(json)
    return JSON.stringify(changed(json, places[at % places.length] ?? [], change))
  })

const inText: fc.Arbitrary<Mutation> = fc
  .record({ at: fc.nat(), length: fc.nat(3), put: fc.constantFrom('', '0', '9', '"', ',', '}', '$', '\\', 'é', 'a') })
  .map(({ at, length, put }) => (text) => {
    const from = at % (text.length + 1)
    return text.slice(0, from) + put + text.slice(from + length)
  })

export const mutated: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 3, arbitrary: inData },
  { weight: 1, arbitrary: inText },
)
