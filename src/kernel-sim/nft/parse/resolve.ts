// Written values become values of a type, or nft's sentence why not; sets in rules become sorted, and their intervals merged,
// as nft lists them.
// Sources: nftables src/evaluate.c (expr_evaluate_symbol, _range, _prefix, _set), src/intervals.c (set_automerge, set_overlap).

import { maskIp } from '../../../net/cidr.ts'
import { type Ip, ip4, ip6 } from '../../../net/ip.ts'
import { E, type Either } from '../../../prelude.ts'
import {
  compareDatum,
  type Datum,
  type Host,
  hasPrefixes,
  nextDatum,
  readDatum,
  type Type,
  titleOf,
} from '../datatype.ts'
import { kernelError, meaningError, type NftError, type Place } from '../error.ts'
import type { AnonymousSet, Data, Interval, Operand } from '../expression.ts'
import { clashingWithEarlier } from '../overlap.ts'
import { elementKey } from '../ruleset.ts'
import type { RawData, RawElement, RawPart, RawWord } from './raw.ts'

const wordOf = (type: Type, raw: RawWord, host: Host): Either<NftError, Datum> => {
  if (raw.wildcard && type.name !== 'ifname') return E.left(meaningError(`Could not parse ${titleOf([type])}`, raw.at))
  const read = readDatum(type, raw.text, host)
  return E.isLeft(read) ? E.left(meaningError(read.left, raw.at)) : read
}

const prefixOf = (type: Type, raw: RawPart & { tag: 'prefix' }, host: Host): Either<NftError, Operand> => {
  const word = wordOf(type, raw.word, host)
  if (E.isLeft(word)) return word
  if (raw.bits > type.bits)
    return E.left(meaningError(`Prefix length ${raw.bits} is invalid for type of ${type.bits} bits width`, raw.at))
  if (!hasPrefixes(type))
    return E.left(meaningError(`Prefix expression is undefined for datatype ${type.name}`, raw.at))
  if (raw.bits === type.bits) return E.right({ tag: 'value', value: word.right })
  // Cast: the types with prefixes are those of addresses.
  const ip = word.right as Ip
  return E.right({ tag: 'prefix', value: maskIp(ip, raw.bits), bits: raw.bits })
}

/** One written value, range, prefix or set of flags. */
export const operandOf = (type: Type, raw: RawPart, host: Host): Either<NftError, Operand> => {
  switch (raw.tag) {
    case 'word': {
      const word = wordOf(type, raw, host)
      return E.isLeft(word) ? word : E.right({ tag: 'value', value: word.right })
    }
    case 'flags': {
      let value = 0
      for (const each of raw.words) {
        const word = wordOf(type, each, host)
        if (E.isLeft(word)) return word
        value = typeof word.right === 'number' ? (value | word.right) >>> 0 : value
      }
      return E.right({ tag: 'value', value })
    }
    case 'range': {
      const from = wordOf(type, raw.from, host)
      if (E.isLeft(from)) return from
      const to = wordOf(type, raw.to, host)
      if (E.isLeft(to)) return to
      if (compareDatum(from.right, to.right) > 0) return E.left(meaningError('Range has zero or negative size', raw.at))
      return E.right({ tag: 'range', from: from.right, to: to.right })
    }
    case 'prefix':
      return prefixOf(type, raw, host)
  }
}

const lastOfPrefix = (value: Datum, bits: number): Datum =>
  typeof value === 'bigint' ? ip6(value | ((1n << BigInt(128 - bits)) - 1n)) : ip4(Number(value) + 2 ** (32 - bits) - 1)

/** All the values of an operand that is no set. */
export const intervalOf = (operand: Exclude<Operand, { tag: 'anonymous' | 'named' | 'both' }>): Interval => {
  switch (operand.tag) {
    case 'value':
      return { from: operand.value, to: operand.value }
    case 'range':
      return { from: operand.from, to: operand.to }
    case 'prefix':
      return { from: operand.value, to: lastOfPrefix(operand.value, operand.bits) }
  }
}

const partsOf = (
  types: ReadonlyArray<Type>,
  raw: ReadonlyArray<RawPart>,
  at: Place,
  host: Host,
): Either<NftError, ReadonlyArray<Interval>> => {
  if (raw.length !== types.length)
    return E.left(
      meaningError(
        types.length > 1
          ? `invalid data type, expected ${titleOf(types)}`
          : `datatype mismatch, expected ${titleOf(types)}, expression has type concatenation`,
        at,
      ),
    )
  const parts: Interval[] = []
  for (const [i, part] of raw.entries()) {
    const type = types[i]
    if (type === undefined) break
    const operand = operandOf(type, part, host)
    if (E.isLeft(operand)) return operand
    const { right } = operand
    if (right.tag !== 'anonymous' && right.tag !== 'named' && right.tag !== 'both') parts.push(intervalOf(right))
  }
  return E.right(parts)
}

/** The data of a map's element. */
export const dataOf = (types: ReadonlyArray<Type> | 'verdict', raw: RawData, host: Host): Either<NftError, Data> => {
  if (types === 'verdict')
    return raw.tag === 'verdict'
      ? E.right({ tag: 'verdict', verdict: raw.verdict })
      : E.left(meaningError('datatype mismatch, expected netfilter verdict', raw.at))
  if (raw.tag === 'verdict') return E.left(meaningError(`datatype mismatch, expected ${titleOf(types)}`, raw.at))
  const values = partsOf(types, raw.parts, raw.at, host)
  return E.isLeft(values) ? values : E.right({ tag: 'values', values: values.right })
}

export const keyOf = (
  types: ReadonlyArray<Type>,
  raw: RawElement,
  host: Host,
): Either<NftError, ReadonlyArray<Interval>> => partsOf(types, raw.key, raw.at, host)

/** Whether it is written as an interval, if only of one value. */
export const isWide = ({ key }: RawElement): boolean =>
  key.some((part) => part.tag === 'range' || part.tag === 'prefix' || (part.tag === 'word' && part.wildcard))

type Item = AnonymousSet['elements'][number]

const compareNames = (a: Datum, b: Datum): number => (a < b ? -1 : a > b ? 1 : 0)

/**
 * By the first values; a concatenation as one number, whose last part is the most significant. In a set of intervals names
 * are compared from their first byte, as is usual.
 */
export const compareKeys = (a: ReadonlyArray<Interval>, b: ReadonlyArray<Interval>, ofIntervals: boolean): number => {
  for (let i = a.length - 1; i >= 0; i--) {
    const one = a[i]
    const two = b[i]
    if (one === undefined || two === undefined) return a.length - b.length
    const order = ofIntervals ? compareNames(one.from, two.from) : compareDatum(one.from, two.from)
    if (order !== 0) return order
  }
  return 0
}

const only = (item: Item | undefined): Interval | undefined => item?.key[0]

const sameData = (a: Data | null, b: Data | null): boolean => JSON.stringify(a, big) === JSON.stringify(b, big)
const big = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}n` : value)

/** Intervals that touch or overlap become one. Null: of a map, where they must not overlap. */
const merged = (sorted: ReadonlyArray<Item>, isMap: boolean): ReadonlyArray<Item> | null => {
  const done: Item[] = []
  for (const item of sorted) {
    const before = only(done.at(-1))
    const now = only(item)
    if (before === undefined || now === undefined || typeof now.from === 'string') {
      done.push(item)
      continue
    }
    const overlaps = compareDatum(now.from, before.to) <= 0
    const touches = overlaps || compareDatum(now.from, nextDatum(before.to)) === 0
    if (isMap) {
      if (overlaps) return null
      done.push(item)
    } else if (touches) {
      done.pop()
      done.push({ ...item, key: [{ from: before.from, to: compareDatum(before.to, now.to) > 0 ? before.to : now.to }] })
    } else done.push(item)
  }
  return done
}

const unique = (sorted: ReadonlyArray<Item>): ReadonlyArray<Item> | null => {
  const seen = new Map<string, Item>()
  for (const item of sorted) {
    const key = elementKey(item.key)
    const twin = seen.get(key)
    if (twin === undefined) seen.set(key, item)
    else if (!sameData(twin.data, item.data)) return null
  }
  return [...seen.values()]
}

const apart = (items: ReadonlyArray<Item>): ReadonlyArray<Item> | null => {
  const different = unique(items)
  if (different === null) return null
  const clashes = clashingWithEarlier(different.map(({ key }) => key))
  return different.some((_, i) => clashes(i)) ? null : different
}

/** A set or map written in a rule. */
export const anonymousSet = (
  key: ReadonlyArray<Type>,
  data: ReadonlyArray<Type> | 'verdict' | null,
  raw: ReadonlyArray<RawElement>,
  host: Host,
): Either<NftError, AnonymousSet> => {
  const items: Item[] = []
  for (const each of raw) {
    const keyRead = keyOf(key, each, host)
    if (E.isLeft(keyRead)) return keyRead
    if (data === null) {
      if (each.data !== null) return E.left(meaningError('mapping outside of map context', each.at))
      items.push({ key: keyRead.right, data: null })
      continue
    }
    if (each.data === null) return E.left(meaningError('expected mapping in map context', each.at))
    const dataRead = dataOf(data, each.data, host)
    if (E.isLeft(dataRead)) return dataRead
    items.push({ key: keyRead.right, data: dataRead.right })
  }
  const interval = raw.some(isWide)
  const at = raw[0]?.at ?? null
  // Concatenations with intervals stay in the order in which they were written: there is none among them.
  const sorted = interval && key.length > 1 ? items : items.toSorted((a, b) => compareKeys(a.key, b.key, interval))
  const isTree = interval && key.length === 1
  const elements = isTree ? merged(sorted, data !== null) : interval ? apart(sorted) : unique(sorted)
  if (elements === null)
    return E.left(isTree ? meaningError('conflicting intervals specified', at) : kernelError('EEXIST', at))
  return E.right({ tag: 'anonymous', key, data, interval, elements })
}
