// Indexes of elements with intervals, part by part of their keys, made as they are needed.

import { compareDatum, type Datum, nextDatum } from './datatype.ts'
import type { Interval } from './expression.ts'

export type Keyed = Readonly<{ key: ReadonlyArray<Interval> }>

export const isWildcard = (value: Datum): value is string => typeof value === 'string' && value.endsWith('*')
const stem = (wildcard: string): string => wildcard.slice(0, -1)

/** Whether a value lies in one part of a key. */
export const isWithin = ({ from, to }: Interval, value: Datum): boolean =>
  isWildcard(from)
    ? typeof value === 'string' && value.startsWith(stem(from))
    : compareDatum(from, value) <= 0 && compareDatum(value, to) <= 0

const sizeOf = ({ from, to }: Interval): bigint => {
  if (typeof from === 'string' || typeof to === 'string') return isWildcard(from) ? BigInt(256 - from.length) : 1n
  return BigInt(to) - BigInt(from) + 1n
}
/** How many keys an element stands for. */
const breadth = ({ key }: Keyed): bigint => key.reduce((product, part) => product * sizeOf(part), 1n)

/** Those that stand for the fewest keys first. */
export const narrowest = <E extends Keyed>(items: ReadonlyArray<E>): ReadonlyArray<E> =>
  items.length < 2
    ? items
    : items.toSorted((a, b) => {
        const difference = breadth(a) - breadth(b)
        return difference < 0n ? -1 : difference > 0n ? 1 : 0
      })

/** What is left of the elements once the value of one part is known, as an index of the next part. */
export type Level<E> = (value: Datum) => Level<E> | ReadonlyArray<E>

const segmentsOf = <E extends Keyed>(
  items: ReadonlyArray<E>,
  part: number,
): Readonly<{ starts: ReadonlyArray<Datum>; lists: ReadonlyArray<ReadonlyArray<E>> }> => {
  const bounds: Array<Readonly<{ at: Datum; item: E; opens: boolean }>> = []
  for (const item of items) {
    const interval = item.key[part]
    if (interval === undefined) continue
    bounds.push({ at: interval.from, item, opens: true }, { at: nextDatum(interval.to), item, opens: false })
  }
  bounds.sort((a, b) => compareDatum(a.at, b.at))
  const starts: Datum[] = []
  const lists: Array<ReadonlyArray<E>> = []
  const open = new Set<E>()
  for (const [i, { at, item, opens }] of bounds.entries()) {
    if (opens) open.add(item)
    else open.delete(item)
    const next = bounds[i + 1]
    if (next !== undefined && compareDatum(next.at, at) === 0) continue
    starts.push(at)
    lists.push([...open])
  }
  return { starts, lists }
}

const lastAtOrBelow = (starts: ReadonlyArray<Datum>, value: Datum): number => {
  let low = 0
  let high = starts.length
  while (low < high) {
    const middle = (low + high) >>> 1
    // Cast: middle < length.
    if (compareDatum(starts[middle] as Datum, value) <= 0) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** For names: those that are named, and those that begin so. */
const levelOfNames = <E extends Keyed>(items: ReadonlyArray<E>, part: number, parts: number): Level<E> => {
  const exact = new Map<string, E[]>()
  const wild: Array<readonly [stem: string, item: E]> = []
  for (const item of items) {
    const name = item.key[part]?.from
    if (typeof name !== 'string') continue
    const held = exact.get(name)
    if (isWildcard(name)) wild.push([stem(name), item])
    else if (held === undefined) exact.set(name, [item])
    else held.push(item)
  }
  // As many as there are interfaces that packets came by.
  const known = new Map<string, Level<E> | ReadonlyArray<E>>()
  return (value) => {
    const name = String(value)
    const found = known.get(name)
    if (found !== undefined) return found
    const left = [...(exact.get(name) ?? []), ...wild.filter(([each]) => name.startsWith(each)).map(([, item]) => item)]
    const next = levelOf(left, part + 1, parts)
    known.set(name, next)
    return next
  }
}

const NOTHING: ReadonlyArray<never> = []

/** Of the parts of the keys from this one on. Of several elements at its end, the narrowest comes first. */
export const levelOf = <E extends Keyed>(
  items: ReadonlyArray<E>,
  part: number,
  parts: number,
): Level<E> | ReadonlyArray<E> => {
  if (part === parts || items.length === 0) return narrowest(items)
  if (typeof items[0]?.key[part]?.from === 'string') return levelOfNames(items, part, parts)
  const { starts, lists } = segmentsOf(items, part)
  const known: Array<Level<E> | ReadonlyArray<E>> = []
  return (value) => {
    const at = lastAtOrBelow(starts, value)
    const list = lists[at]
    if (list === undefined) return NOTHING
    let next = known[at]
    if (next === undefined) {
      next = levelOf(list, part + 1, parts)
      known[at] = next
    }
    return next
  }
}

export const descend = <E>(level: Level<E> | ReadonlyArray<E>, values: ReadonlyArray<Datum>): ReadonlyArray<E> => {
  let at = level
  for (const value of values) {
    if (typeof at !== 'function') return at
    at = at(value)
  }
  return typeof at === 'function' ? NOTHING : at
}
