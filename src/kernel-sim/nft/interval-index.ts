// Indexes of named sets with intervals that stay while the set changes: what is added becomes a block of its own, blocks of like
// size become one (Bentley and Saxe, 1980), and what was taken away is passed over until it is too much. So n additions, one by
// one or at once, cost O(n log^2 n), and a look O(log^2 n).
// The index of a version belongs to that version of the map; it says nothing that the map does not.

import { getIn, type PMap, sizeOfMap, valuesOf } from '../../net/pmap.ts'
import { compareDatum, type Datum } from './datatype.ts'
import type { Interval } from './expression.ts'
import { descend, type Level, levelOf } from './level.ts'
import { type Element, elementKey } from './ruleset.ts'

/** An element's place in the set; the element itself may have been changed since. */
type Entry = Readonly<{ key: ReadonlyArray<Interval>; text: string }>
type Block = {
  readonly entries: ReadonlyArray<Entry>
  level: Level<Entry> | ReadonlyArray<Entry> | null
  /** By the beginning of the first part. */
  sorted: ReadonlyArray<Entry> | null
}
type Index = Readonly<{ blocks: ReadonlyArray<Block>; size: number }>

const indexes = new WeakMap<PMap<Element>, Index>()

const entryOf = ({ key }: Element): Entry => ({ key, text: elementKey(key) })
const blockOf = (entries: ReadonlyArray<Entry>): Block => ({ entries, level: null, sorted: null })

const indexOf = (elements: PMap<Element>): Index => {
  const known = indexes.get(elements)
  if (known !== undefined) return known
  const entries = valuesOf(elements).map(entryOf)
  const fresh: Index = { blocks: entries.length === 0 ? [] : [blockOf(entries)], size: entries.length }
  indexes.set(elements, fresh)
  return fresh
}

const withBlock = (blocks: ReadonlyArray<Block>, added: ReadonlyArray<Entry>): ReadonlyArray<Block> => {
  const kept = [...blocks]
  let entries = added
  for (let last = kept.at(-1); last !== undefined && last.entries.length <= entries.length; last = kept.at(-1)) {
    entries = [...last.entries, ...entries]
    kept.pop()
  }
  return [...kept, blockOf(entries)]
}

/** Says that a version differs from another in these elements only, which it has more; and in some that it has no more. */
export const indexFollows = (before: PMap<Element>, after: PMap<Element>, added: ReadonlyArray<Element>): void => {
  const index = indexes.get(before)
  if (index === undefined || before === after) return
  const size = index.size + added.length
  // More than half of the entries would be passed over: it is made anew when it is needed.
  if (size > 2 * sizeOfMap(after) + 8) return
  indexes.set(after, { blocks: added.length === 0 ? index.blocks : withBlock(index.blocks, added.map(entryOf)), size })
}

/** The elements in which the values lie. */
export const holding = (elements: PMap<Element>, values: ReadonlyArray<Datum>): ReadonlyArray<Element> => {
  const found = new Set<Element>()
  for (const block of indexOf(elements).blocks) {
    block.level ??= levelOf(block.entries, 0, values.length)
    for (const { text } of descend(block.level, values)) {
      const element = getIn(elements, text)
      if (element !== undefined) found.add(element)
    }
  }
  return [...found]
}

const beginningOf = ({ key }: Entry): Datum => key[0]?.from ?? 0

/** Where the first entry is that begins after a value. */
const firstAfter = (sorted: ReadonlyArray<Entry>, value: Datum): number => {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    // Cast: middle < length.
    if (compareDatum(beginningOf(sorted[middle] as Entry), value) <= 0) low = middle + 1
    else high = middle
  }
  return low
}

/** The elements of keys of one part of which the interval has a part. */
export const touching = (elements: PMap<Element>, { from, to }: Interval): ReadonlyArray<Element> => {
  const found = new Set(holding(elements, [from]))
  if (from === to) return [...found]
  for (const block of indexOf(elements).blocks) {
    block.sorted ??= block.entries.toSorted((a, b) => compareDatum(beginningOf(a), beginningOf(b)))
    for (let at = firstAfter(block.sorted, from); at < block.sorted.length; at++) {
      const entry = block.sorted[at]
      if (entry === undefined || compareDatum(beginningOf(entry), to) > 0) break
      const element = getIn(elements, entry.text)
      if (element !== undefined) found.add(element)
    }
  }
  return [...found]
}
