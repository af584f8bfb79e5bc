// Finding the element of a set that a packet's values fall in, however many elements there are. Sets without intervals are
// hashes. With intervals, each part of the key is cut into segments on which the same elements lie, so that a look costs a
// binary search for each part. What was found is remembered as long as the set stays as it is.
// Sources: net/netfilter/nft_set_hash.c, nft_set_rbtree.c, nft_set_pipapo.c (of several that match, the narrowest: a wider one
// could only come in after it).

import { getIn, type PMap } from '../../net/pmap.ts'
import { memoised } from '../memo.ts'
import type { Datum } from './datatype.ts'
import type { AnonymousSet } from './expression.ts'
import { holding } from './interval-index.ts'
import { type Level, levelOf, narrowest } from './level.ts'
import { type Element, isAlive, isInterval, type NamedSet } from './ruleset.ts'

const keyOf = (values: ReadonlyArray<Datum>): string => {
  let text = ''
  for (const value of values) text += `${value} . `
  return text
}

export type Item = AnonymousSet['elements'][number]

/** A hash for each part of the key: a level of it is what is left once the value of one part is known. */
type Branches<E> = Map<Datum, Branches<E> | ReadonlyArray<E>>

const hashed = (elements: ReadonlyArray<Item>): Level<Item> | ReadonlyArray<Item> => {
  const root: Branches<Item> = new Map()
  for (const item of elements) {
    let at = root
    for (const [i, { from }] of item.key.entries()) {
      if (i === item.key.length - 1) at.set(from, [item])
      else {
        const held = at.get(from)
        const next: Branches<Item> = held instanceof Map ? held : new Map()
        at.set(from, next)
        at = next
      }
    }
  }
  const levelIn = (branches: Branches<Item>): Level<Item> => {
    const levels = new Map([...branches].map(([value, next]) => [value, next instanceof Map ? levelIn(next) : next]))
    return (value) => levels.get(value) ?? NOTHING
  }
  return levelIn(root)
}
const NOTHING: ReadonlyArray<never> = []

/** An index of a set that is written in a rule. Boxed, for what is remembered by a list must be an object. */
export const writtenIndex = memoised(({ elements, interval }: AnonymousSet) => ({
  level: interval ? levelOf(elements, 0, elements[0]?.key.length ?? 0) : hashed(elements),
}))

/** The element of a set written in a rule. */
export const findWritten = (set: AnonymousSet, values: ReadonlyArray<Datum>): Item | null => {
  let { level } = writtenIndex(set)
  for (const value of values) if (typeof level === 'function') level = level(value)
  return typeof level === 'function' ? null : (level[0] ?? null)
}

const candidates = (set: NamedSet, values: ReadonlyArray<Datum>): ReadonlyArray<Element> => {
  if (isInterval(set.spec)) return narrowest(holding(set.elements, values))
  const found = getIn(set.elements, keyOf(values))
  return found === undefined ? NOTHING : [found]
}

/** What was found in one version of a set, by value. */
type Memory = { readonly root: Branches<Element>; size: number }
const memories = new WeakMap<PMap<Element>, Memory>()
const REMEMBERED = 10_000

/** What is remembered once some parts of a key are known. */
export type Remembered = Branches<Element> | ReadonlyArray<Element>

export const memoryOf = ({ elements }: NamedSet): Memory => {
  const known = memories.get(elements)
  if (known !== undefined) return known
  const fresh: Memory = { root: new Map(), size: 0 }
  memories.set(elements, fresh)
  return fresh
}

/** Looks, and remembers what it saw. */
const seek = (set: NamedSet, memory: Memory, values: ReadonlyArray<Datum>): ReadonlyArray<Element> => {
  if (memory.size >= REMEMBERED) {
    memory.root.clear()
    memory.size = 0
  }
  const found = candidates(set, values)
  let at = memory.root
  for (const [i, value] of values.entries()) {
    if (i === values.length - 1) at.set(value, found)
    else {
      const held = at.get(value)
      const next: Branches<Element> = held instanceof Map ? held : new Map()
      at.set(value, next)
      at = next
    }
  }
  memory.size += 1
  return found
}

/** The first that has not expired. */
export const firstAlive = (elements: ReadonlyArray<Element>, nowMs: number): Element | null => {
  for (const element of elements) if (isAlive(element, nowMs)) return element
  return null
}

/** The element of a named set, if it has not expired. */
export const findElement = (set: NamedSet, values: ReadonlyArray<Datum>, nowMs: number): Element | null => {
  const memory = memoryOf(set)
  let at: Remembered | undefined = memory.root
  for (const value of values) if (at instanceof Map) at = at.get(value)
  return firstAlive(at === undefined || at instanceof Map ? seek(set, memory, values) : at, nowMs)
}
