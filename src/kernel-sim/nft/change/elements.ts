// Elements of named sets. A set is one of three things to the kernel: a hash (no intervals), a tree (one interval: nft itself
// sees that none overlap), or a pipapo (a concatenation with intervals, of which the kernel compares both ends).
// Sources: nftables src/intervals.c, src/evaluate.c (setelem_evaluate); net/netfilter/nf_tables_api.c (nft_add_set_elem),
// nft_set_pipapo.c (nft_pipapo_insert).

import { draftOf, type PMap, removeIn, sizeOfMap, valuesOf } from '../../../net/pmap.ts'
import { E, type Either } from '../../../prelude.ts'
import type { Command } from '../command.ts'
import { compareDatum, type Datum, nextDatum } from '../datatype.ts'
import { kernelError, meaningError, type NftError, type Place } from '../error.ts'
import type { Data, Interval } from '../expression.ts'
import { holding, indexFollows, touching } from '../interval-index.ts'
import { narrowest } from '../level.ts'
import { clashingWithEarlier, endsOf, overlapping } from '../overlap.ts'
import type { RawElement } from '../parse/raw.ts'
import { dataOf, isWide, keyOf } from '../parse/resolve.ts'
import { type Element, elementKey, isAlive, isInterval, type NamedSet, type Ruleset, type Table } from '../ruleset.ts'
import { freshState } from '../update.ts'
import { wrongJump } from './check.ts'
import { absent, type Changed, type Environment, tableIn, withSet } from './edit.ts'
import { targetOfData } from './refer.ts'
import { setOf } from './set.ts'

type Of<Tag extends Command['tag']> = Extract<Command, { tag: Tag }>
type Typed = Readonly<{ element: Element; at: Place }>

const isTree = ({ spec }: NamedSet): boolean => isInterval(spec) && spec.key.length === 1

const textOf = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? `${each}n` : each))
const sameData = (a: Data | null, b: Data | null): boolean => textOf(a) === textOf(b)

/** An element with its types, or nft's sentence. */
const typed = (set: NamedSet, raw: RawElement, { host, nowMs }: Environment): Either<NftError, Typed> => {
  const { spec } = set
  const key = keyOf(spec.key, raw, host)
  if (E.isLeft(key)) return key
  if (isWide(raw) && !isInterval(spec)) {
    const kind = raw.key.some((part) => part.tag === 'range') ? 'range' : 'prefix'
    return E.left(
      meaningError(`You must add 'flags interval' to your set declaration if you want to add ${kind} elements`, raw.at),
    )
  }
  if (spec.data === null && raw.data !== null) return E.left(meaningError(`${'set'} is not a map`, raw.at))
  const data = spec.data === null || raw.data === null ? null : dataOf(spec.data, raw.data, host)
  if (data !== null && E.isLeft(data)) return data
  const lifeMs = raw.expiresMs ?? raw.timeoutMs ?? spec.timeoutMs
  const element: Element = {
    key: key.right,
    data: data === null ? null : data.right,
    comment: raw.comment,
    timeoutMs: raw.timeoutMs,
    expiresMs: lifeMs === null ? null : nowMs + lifeMs,
    statements: spec.statements,
    state: freshState(spec.statements, nowMs),
  }
  return E.right({ element, at: raw.at })
}

const first = (key: ReadonlyArray<Interval>): Interval => key[0] ?? { from: 0, to: 0 }
const before = (value: Datum): Datum =>
  typeof value === 'string' ? value : typeof value === 'bigint' ? value - 1n : value - 1

/** All the elements as intervals that neither touch nor overlap. */
const mergedTree = (elements: ReadonlyArray<Element>): ReadonlyArray<Element> => {
  const done: Element[] = []
  for (const element of elements.toSorted((a, b) => compareDatum(first(a.key).from, first(b.key).from))) {
    const last = done.at(-1)
    const now = first(element.key)
    const held = last === undefined ? undefined : first(last.key)
    if (last === undefined || held === undefined || compareDatum(now.from, nextDatum(held.to)) > 0) done.push(element)
    else if (compareDatum(now.to, held.to) > 0)
      done[done.length - 1] = { ...last, key: [{ from: held.from, to: now.to }] }
  }
  return done
}

const mapOfElements = (elements: Iterable<Element>): PMap<Element> => {
  const draft = draftOf<Element>({ root: null })
  for (const element of elements) draft.set(elementKey(element.key), element)
  return draft.done()
}

/** nft's own look at a tree: all intervals, the new ones and those that are there, by their beginnings; it stops at the first clash. */
const conflictInTree = (held: PMap<Element>, added: ReadonlyArray<Typed>, nowMs: number): NftError | null => {
  const among = overlapping(added.map(({ element, at }) => ({ key: element.key, at })))
  let error = among === null ? null : meaningError('conflicting intervals specified', among.at)
  let met = among === null ? null : first(among.key).from
  for (const { element, at } of added) {
    const { from } = first(element.key)
    const text = elementKey(element.key)
    for (const other of touching(held, first(element.key))) {
      if (!isAlive(other, nowMs) || elementKey(other.key) === text) continue
      const begins = first(other.key).from
      const meets = compareDatum(begins, from) > 0 ? begins : from
      if (met !== null && compareDatum(meets, met) >= 0) continue
      error = meaningError('interval overlaps with an existing one', at)
      met = meets
    }
  }
  return error
}

/** What the kernel has against one element. */
const refused = (
  table: Table,
  set: NamedSet,
  clashes: () => boolean,
  there: Element | undefined,
  count: number,
  { element, at }: Typed,
  create: boolean,
): NftError | null => {
  const { spec } = set
  if (spec.data !== null && element.data === null) return kernelError('EINVAL', at)
  if ((element.timeoutMs !== null || element.expiresMs !== null) && !spec.flags.has('timeout'))
    return kernelError('EINVAL', at)
  const jump = wrongJump(table, targetOfData(element.data))
  if (jump !== null) return kernelError(jump, at)
  if (there !== undefined) return create || !sameData(there.data, element.data) ? kernelError('EEXIST', at) : null
  if (isInterval(spec) && !isTree(set) && clashes()) return kernelError('EEXIST', at)
  return spec.capacity !== null && count >= spec.capacity ? kernelError('ENFILE', at) : null
}

const typedAll = (
  set: NamedSet,
  raw: ReadonlyArray<RawElement>,
  environment: Environment,
): Either<NftError, ReadonlyArray<Typed>> => {
  const all: Typed[] = []
  for (const each of raw) {
    const one = typed(set, each, environment)
    if (E.isLeft(one)) return one
    all.push(one.right)
  }
  return E.right(all)
}

export const addElements = (ruleset: Ruleset, command: Of<'add-elements'>, environment: Environment): Changed => {
  const table = tableIn(ruleset, command)
  if (table === null) return absent(command.tableAt)
  const set = setOf(table, command.set)
  if (set === null) return absent(command.set.at)
  const added = typedAll(set, command.elements, environment)
  if (E.isLeft(added)) return added
  if (isTree(set)) {
    if (set.spec.autoMerge) {
      const merged = mergedTree([...valuesOf(set.elements), ...added.right.map(({ element }) => element)])
      return E.right(withSet(ruleset, table, { ...set, elements: mapOfElements(merged) }))
    }
    const conflict = conflictInTree(set.elements, added.right, environment.nowMs)
    if (conflict !== null) return E.left(conflict)
  }
  return putElements(ruleset, table, set, added.right, command.create, environment.nowMs)
}

/** Whether a concatenation with intervals has an end in one that is there, or in a new one before it. */
const clashing = (set: NamedSet, added: ReadonlyArray<Typed>, nowMs: number): ((each: Typed) => boolean) => {
  const places = new Map<string, number>()
  const keys: Array<Element['key']> = []
  for (const { element } of added) {
    const text = elementKey(element.key)
    if (places.has(text)) continue
    places.set(text, keys.length)
    keys.push(element.key)
  }
  let earlier: ((at: number) => boolean) | null = keys.length < 2 ? () => false : null
  return ({ element }) => {
    earlier ??= clashingWithEarlier(keys)
    return (
      earlier(places.get(elementKey(element.key)) ?? 0) ||
      endsOf(element.key).some((end) => holding(set.elements, end).some((each) => isAlive(each, nowMs)))
    )
  }
}

const putElements = (
  ruleset: Ruleset,
  table: Table,
  set: NamedSet,
  added: ReadonlyArray<Typed>,
  create: boolean,
  nowMs: number,
): Changed => {
  const draft = draftOf(set.elements)
  const fresh: Element[] = []
  let count = sizeOfMap(set.elements)
  const clashes = clashing(set, added, nowMs)
  for (const each of added) {
    const key = elementKey(each.element.key)
    const old = draft.get(key)
    const there = old !== undefined && isAlive(old, nowMs) ? old : undefined
    const wrong = refused(table, set, () => clashes(each), there, count, each, create)
    if (wrong !== null) return E.left(wrong)
    if (there !== undefined) continue
    draft.set(key, each.element)
    fresh.push(each.element)
    count += 1
  }
  const elements = draft.done()
  if (isInterval(set.spec)) indexFollows(set.elements, elements, fresh)
  return E.right(withSet(ruleset, table, { ...set, elements }))
}

/** A tree without an interval; where its intervals are merged, parts of them may go. */
const cutFrom = (elements: ReadonlyArray<Element>, hole: Interval): ReadonlyArray<Element> | null => {
  const inside = elements.find((each) => {
    const { from, to } = first(each.key)
    return compareDatum(from, hole.from) <= 0 && compareDatum(hole.to, to) <= 0
  })
  if (inside === undefined) return null
  const { from, to } = first(inside.key)
  const left = compareDatum(from, hole.from) < 0 ? [{ ...inside, key: [{ from, to: before(hole.from) }] }] : []
  const right = compareDatum(hole.to, to) < 0 ? [{ ...inside, key: [{ from: nextDatum(hole.to), to }] }] : []
  return [...elements.filter((each) => each !== inside), ...left, ...right]
}

const withoutMerged = (set: NamedSet, gone: ReadonlyArray<Typed>, destroy: boolean): Either<NftError, NamedSet> => {
  let elements = valuesOf(set.elements)
  for (const { element, at } of gone) {
    const left = cutFrom(elements, first(element.key))
    if (left !== null) elements = left
    else if (!destroy) return E.left(meaningError('element does not exist', at))
  }
  return E.right({ ...set, elements: mapOfElements(elements) })
}

/** Of concatenations with intervals, the kernel takes away what holds the first values that are named (nft_pipapo_deactivate). */
const withoutConcatenations = (
  ruleset: Ruleset,
  table: Table,
  set: NamedSet,
  gone: ReadonlyArray<Typed>,
  destroy: boolean,
  nowMs: number,
): Changed => {
  let { elements } = set
  for (const { element, at } of gone) {
    const [start] = endsOf(element.key)
    const found = narrowest(holding(elements, start)).find((each) => isAlive(each, nowMs))
    if (found === undefined) {
      if (destroy) continue
      return E.left(kernelError('ENOENT', at))
    }
    const left = removeIn(elements, elementKey(found.key))
    indexFollows(elements, left, [])
    elements = left
  }
  return E.right(withSet(ruleset, table, { ...set, elements }))
}

export const deleteElements = (ruleset: Ruleset, command: Of<'delete-elements'>, environment: Environment): Changed => {
  const table = tableIn(ruleset, command)
  if (table === null) return absent(command.tableAt)
  const set = setOf(table, command.set)
  if (set === null) return absent(command.set.at)
  const gone = typedAll(set, command.elements, environment)
  if (E.isLeft(gone)) return gone
  if (isTree(set) && set.spec.autoMerge) {
    const left = withoutMerged(set, gone.right, command.destroy)
    return E.isLeft(left) ? left : E.right(withSet(ruleset, table, left.right))
  }
  if (isInterval(set.spec) && !isTree(set))
    return withoutConcatenations(ruleset, table, set, gone.right, command.destroy, environment.nowMs)
  const draft = draftOf(set.elements)
  for (const { element, at } of gone.right) {
    const key = elementKey(element.key)
    const old = draft.get(key)
    if (old !== undefined && isAlive(old, environment.nowMs)) draft.remove(key)
    else if (!command.destroy)
      return E.left(isTree(set) ? meaningError('element does not exist', at) : kernelError('ENOENT', at))
  }
  const elements = draft.done()
  if (isInterval(set.spec)) indexFollows(set.elements, elements, [])
  return E.right(withSet(ruleset, table, { ...set, elements }))
}
