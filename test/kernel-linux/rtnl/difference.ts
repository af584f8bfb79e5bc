// Where two values differ, in lines: a path, and what is at it in each.

import { isDeepStrictEqual } from 'node:util'

const text = (value: unknown): string =>
  JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? `0x${one.toString(16)}` : one)) ?? 'nothing'

const extra = (these: ReadonlyArray<unknown>, those: ReadonlyArray<unknown>): string =>
  text(these.filter((one) => !those.some((other) => isDeepStrictEqual(one, other))))

const entriesOf = (value: object): ReadonlyArray<readonly [string, unknown]> =>
  value instanceof Map ? [...value].map(([key, one]) => [String(key), one] as const) : Object.entries(value)

/** Lists of different lengths are told by what only one of them has. */
export const difference = (one: unknown, other: unknown, path = ''): ReadonlyArray<string> => {
  if (isDeepStrictEqual(one, other)) return []
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null)
    return [`${path}: ${text(one)}, ${text(other)}`]
  if (Array.isArray(one) && Array.isArray(other) && one.length !== other.length)
    return [`${path}: ${extra(one, other)}, ${extra(other, one)}`]
  const left = new Map(entriesOf(one))
  const right = new Map(entriesOf(other))
  return [...new Set([...left.keys(), ...right.keys()])].flatMap((key) =>
    difference(left.get(key), right.get(key), `${path}/${key}`),
  )
}
