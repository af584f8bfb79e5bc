// A store of keys with revisions (src/store/store.ts): one register for each key, changed by compare and set. Keys that some
// transaction or listing names together are one object. That revisions grow is checked within such an object, not across.

import { emptyMap, entriesOf, entriesUnder, getIn, type PMap, removeIn, setIn } from '../../net/pmap.ts'
import type { Operation } from '../event.ts'
import { byObject, grouped, REFUSED, type Spec } from '../spec.ts'

export type StoreWrite = Readonly<{ key: string; value: string | null }>
export type StoreCompare = Readonly<{ key: string; revision: number }>
export type StoreEntry = Readonly<{ key: string; value: string; revision: number }>

/**
 * Of a transaction without an answer, filled in by the spec: revisions that it may have got, because somebody saw them; and those that
 * it did not get if it got one that nobody saw, because somebody compared with them and was refused.
 */
type Guess = Readonly<{ seen: ReadonlyArray<number>; refused: ReadonlyArray<number> }>

export type StoreIn = Readonly<
  | { do: 'get'; key: string }
  | { do: 'list'; prefix: string }
  | { do: 'transact'; compares: ReadonlyArray<StoreCompare>; writes: ReadonlyArray<StoreWrite>; guess?: Guess }
>
/** Of a transaction: its revision, or the key that another revision was compared with. */
export type StoreOut = Readonly<
  | { entry: StoreEntry | null }
  | { entries: ReadonlyArray<StoreEntry>; revision: number }
  | { revision: number }
  | { conflict: string }
>

/** `last`: the least that the store's revision can be. */
type Stored = Readonly<{ entries: PMap<StoreEntry>; last: number }>
type StoreOperation = Operation<StoreIn, StoreOut>
type Transact = Extract<StoreIn, { do: 'transact' }>

const sameEntry = (one: StoreEntry | null, other: StoreEntry | null): boolean =>
  one?.key === other?.key && one?.value === other?.value && one?.revision === other?.revision

const written = ({ entries }: Stored, { writes }: Transact, revision: number): Stored => ({
  entries: writes.reduce(
    (all, { key, value }) => (value === null ? removeIn(all, key) : setIn(all, key, { key, value, revision })),
    entries,
  ),
  last: revision,
})

const reached = (stored: Stored, revision: number): ReadonlyArray<Stored> => {
  if (revision < stored.last) return REFUSED
  return [revision === stored.last ? stored : { ...stored, last: revision }]
}

const transact = (stored: Stored, input: Transact, output: StoreOut | undefined): ReadonlyArray<Stored> => {
  const stale = input.compares.find(({ key, revision }) => (getIn(stored.entries, key)?.revision ?? 0) !== revision)
  if (output !== undefined && 'conflict' in output)
    return input.compares.some(
      ({ key, revision }) => key === output.conflict && (getIn(stored.entries, key)?.revision ?? 0) !== revision,
    )
      ? [stored]
      : REFUSED
  if (stale !== undefined) return output === undefined ? [stored] : REFUSED
  if (output === undefined) {
    if (input.writes.length === 0) return [stored]
    const { seen, refused } = input.guess ?? { seen: [], refused: [] }
    let unseen = stored.last + 1
    while (seen.includes(unseen) || refused.includes(unseen)) unseen += 1
    return [unseen, ...seen.filter((revision) => revision > stored.last)].map((revision) =>
      written(stored, input, revision),
    )
  }
  if (!('revision' in output)) return REFUSED
  if (input.writes.length === 0) return reached(stored, output.revision)
  return output.revision > stored.last ? [written(stored, input, output.revision)] : REFUSED
}

const step = (stored: Stored, input: StoreIn, output: StoreOut | undefined): ReadonlyArray<Stored> => {
  if (input.do === 'transact') return transact(stored, input, output)
  if (output === undefined) return [stored]
  if (input.do === 'get')
    return 'entry' in output && sameEntry(output.entry, getIn(stored.entries, input.key) ?? null) ? [stored] : REFUSED
  if (!('entries' in output)) return REFUSED
  const there = entriesUnder(stored.entries, input.prefix)
  const same =
    there.length === output.entries.length && there.every(([, entry], i) => sameEntry(entry, output.entries[i] ?? null))
  return same ? reached(stored, output.revision) : REFUSED
}

/** Revisions only grow: of the store, and of each key. */
const isPast = ({ entries, last }: Stored, input: StoreIn, output: StoreOut | undefined): boolean => {
  if (output === undefined || 'conflict' in output) return false
  if ('entry' in output) {
    const { entry } = output
    return entry !== null && entry.revision <= last && !sameEntry(entry, getIn(entries, entry.key) ?? null)
  }
  return output.revision < last || (output.revision === last && input.do === 'transact' && input.writes.length > 0)
}

const keyOf = ({ entries, last }: Stored): string => {
  let key = `${last}`
  for (const [name, { value, revision }] of entriesOf(entries))
    key += ` ${JSON.stringify(name)}${revision}${JSON.stringify(value)}`
  return key
}

/** What somebody said of a revision of a key: this is there, it is there, or it is not. */
type Saying = Readonly<{ key: string; revision: number; is: Readonly<{ value: string }> | 'there' | 'not there' }>

const sayingsOf = ({ input, output }: StoreOperation): ReadonlyArray<Saying> => {
  const saw = ({ key, revision, value }: StoreEntry): Saying => ({ key, revision, is: { value } })
  if (output !== undefined && 'entries' in output) return output.entries.map(saw)
  if (output !== undefined && 'entry' in output) return output.entry === null ? [] : [saw(output.entry)]
  if (input.do !== 'transact') return []
  if (output === undefined || !('conflict' in output)) return input.compares.map((each) => ({ ...each, is: 'there' }))
  return input.compares.flatMap((each) => (each.key === output.conflict ? [{ ...each, is: 'not there' }] : []))
}

/** Sayings of revisions that no transaction is known to have got, by key. */
const unclaimed = (operations: ReadonlyArray<StoreOperation>): ReadonlyMap<string, ReadonlyArray<Saying>> => {
  const claimed = new Set([0])
  for (const { input, output } of operations)
    if (input.do === 'transact' && output !== undefined && 'revision' in output) claimed.add(output.revision)
  return grouped(
    operations.flatMap(sayingsOf).filter(({ revision }) => !claimed.has(revision)),
    ({ key }) => key,
  )
}

const withGuesses = (operations: ReadonlyArray<StoreOperation>): ReadonlyArray<StoreOperation> => {
  if (operations.every(({ output }) => output !== undefined)) return operations
  const sayings = unclaimed(operations)
  return operations.map((each) => {
    const { input, output } = each
    if (output !== undefined || input.do !== 'transact') return each
    const its = input.writes.flatMap(({ key, value }) =>
      (sayings.get(key) ?? []).filter(({ is }) => typeof is === 'string' || is.value === value),
    )
    const revisions = (part: ReadonlyArray<Saying>): ReadonlyArray<number> => [
      ...new Set(part.map(({ revision }) => revision)),
    ]
    const guess = {
      seen: revisions(its.filter(({ is }) => is !== 'not there')),
      refused: revisions(its.filter(({ is }) => is === 'not there')),
    }
    return { ...each, input: { ...input, guess } }
  })
}

/** The keys that an operation names; of a listing, those below its prefix that others name. */
const keysOf = (operations: ReadonlyArray<StoreOperation>): ((operation: StoreOperation) => ReadonlyArray<string>) => {
  const namedBy = ({ input }: StoreOperation): ReadonlyArray<string> => {
    if (input.do === 'list') return []
    return input.do === 'get' ? [input.key] : [...input.compares, ...input.writes].map(({ key }) => key)
  }
  const named = [...new Set(operations.flatMap(namedBy))]
  const below = new Map<string, ReadonlyArray<string>>()
  return (operation) => {
    if (operation.input.do !== 'list') {
      const keys = namedBy(operation)
      return keys.length === 0 ? ['nothing'] : keys
    }
    const { prefix } = operation.input
    // Where there is no key below it, its emptiness is an object of its own.
    const found = below.get(prefix) ?? [...named.filter((key) => key.startsWith(prefix)), `${prefix}*`]
    below.set(prefix, found)
    return found
  }
}

const shownEntry = (entry: StoreEntry | null): string =>
  entry === null ? 'absent' : `${JSON.stringify(entry.value)} at ${entry.revision}`

const said = (output: StoreOut | undefined): string => {
  if (output === undefined) return '?'
  if ('entry' in output) return shownEntry(output.entry)
  if ('conflict' in output) return `conflict at ${output.conflict}`
  if (!('entries' in output)) return `at ${output.revision}`
  return `${output.entries.map((entry) => `${entry.key}=${shownEntry(entry)}`).join(', ') || 'nothing'}, at ${output.revision}`
}

const show = (input: StoreIn, output: StoreOut | undefined): string => {
  if (input.do === 'get') return `get ${input.key}: ${said(output)}`
  if (input.do === 'list') return `list ${JSON.stringify(input.prefix)}: ${said(output)}`
  const writes = input.writes.map(({ key, value }) =>
    value === null ? `remove ${key}` : `${key}=${JSON.stringify(value)}`,
  )
  const compares = input.compares.map(({ key, revision }) => `${key} is at ${revision}`)
  return `${compares.length === 0 ? '' : `if ${compares.join(', ')}: `}${writes.join(', ') || 'nothing'}: ${said(output)}`
}

export const STORE: Spec<Stored, StoreIn, StoreOut> = {
  initial: { entries: emptyMap(), last: 0 },
  step,
  key: keyOf,
  observes: (input, output) =>
    input.do !== 'transact' || input.writes.length === 0 || (output !== undefined && 'conflict' in output),
  past: isPast,
  partition: (operations) =>
    byObject(operations, keysOf(operations)).map(({ name, operations: its }) => ({
      name: `key ${name}`,
      operations: withGuesses(its),
    })),
  show,
}
