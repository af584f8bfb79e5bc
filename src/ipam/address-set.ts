// A set of the addresses of one block of 2^bits, as a burst trie of runs: which are taken, which is free next.
//
// Structure: a node stands for an aligned block. With at most BURST runs of taken addresses it is a leaf that lists them,
// like a run container of a Roaring bitmap (Lemire et al. 2016); with more it bursts (Heinz et al. 2002) into a branch of
// 16 nodes of a sixteenth each. A block of more than 2^52 addresses, whose places are no longer exact as numbers, is a leaf
// only when it is empty or full. So the memory follows the number of runs n, not the width: about 30 bytes a run in blocks
// of up to 2^64, and for runs far apart in a block of 2^b above that O(n (b - 52) / 4), for each has a path of its own.
// Persistent: a change copies the path from the root to one leaf, and shares the rest with the old version.
// Canonical: the shape depends on the contents alone, so equal sets are equal trees.
// Costs in a block of 2^b with n runs: has, nextFree, nextTaken and a change of one address O(BURST + 16 log16 n) where
// b <= 52 and the runs are spread evenly, O(BURST + 16 b/4) else; where a leaf bursts or a branch collapses (128 to 129 runs and
// back) O((BURST + 16) b/4); count O(1), of a part O(BURST + 16 b/4); all runs O(n b/4).

import { countIn, countUpTo, cut, freeFrom, holds, NO_RUNS, put, type Runs, takenFrom } from './runs.ts'

/** Counts from the first address of a block: a number where the block has at most 2^52 addresses, else a bigint. */
export type Place = number | bigint

export type AddressSet = Readonly<{
  /** The block has 2^bits addresses. */
  bits: number
  /** Taken addresses, exactly: a number up to 2^53 - 1, above it a bigint. */
  count: Place
  /** How many maximal runs they make. */
  runs: number
  /** Whether the first and the last address of the block are taken. */
  low: boolean
  high: boolean
  /** Of a leaf of up to 2^52 addresses. */
  list: Runs
  /** Of a branch: its sixteenths. Of a leaf: none. */
  kids: ReadonlyArray<AddressSet>
}>

/** More runs than this are spread over sixteenths. */
export const BURST = 128
const NARROW = 52
const WIDEST = 128
/** Bits of a place that say which sixteenth it is in. */
const DIGIT = 4

const isWide = (bits: number): boolean => bits > NARROW

// Tables by bits, for they are asked at every step down.
const table = <A>(of: (bits: number) => A): ReadonlyArray<A> =>
  Array.from({ length: WIDEST + 1 }, (_, bits) => of(bits))
const BITS = table(BigInt)
const POWER = table((bits) => 2 ** bits)
const LAST = table((bits): Place => (isWide(bits) ? (1n << BigInt(bits)) - 1n : 2 ** bits - 1))
const big = (bits: number): bigint => BITS[bits] ?? 0n
const power = (bits: number): number => POWER[bits] ?? 0
/** The last place of a block. */
export const lastPlace = (bits: number): Place => LAST[bits] ?? 0
const zeroPlace = (bits: number): Place => (isWide(bits) ? 0n : 0)

const sum = (a: Place, b: Place): Place => {
  const exact = typeof a === 'number' && typeof b === 'number' && a + b <= Number.MAX_SAFE_INTEGER
  if (exact) return a + b
  const n = BigInt(a) + BigInt(b)
  return Number.isSafeInteger(Number(n)) ? Number(n) : n
}
const negative = (a: Place): Place => -a

/** Which sixteenth of a block a place is in, where it is there, and the way back. */
const digitOf = (bits: number, n: Place): number =>
  typeof n === 'number' ? Math.floor(n / power(bits - DIGIT)) : Number(n >> big(bits - DIGIT))
const inKid = (bits: number, n: Place): Place => {
  if (typeof n === 'number') return n % power(bits - DIGIT)
  const rest = BigInt.asUintN(bits - DIGIT, n)
  return isWide(bits - DIGIT) ? rest : Number(rest)
}
const inParent = (bits: number, digit: number, n: Place): Place =>
  isWide(bits) ? (BigInt(digit) << big(bits - DIGIT)) + BigInt(n) : digit * power(bits - DIGIT) + Number(n)

const NO_KIDS: ReadonlyArray<AddressSet> = []

const leaf = (bits: number, list: Runs, count: number): AddressSet => ({
  bits,
  count,
  runs: list.length >> 1,
  low: list[0] === 0,
  high: list[list.length - 1] === lastPlace(bits),
  list,
  kids: NO_KIDS,
})

const uniform = (bits: number, taken: boolean): AddressSet => ({
  bits,
  count: taken ? sum(isWide(bits) ? 1n << BigInt(bits) : 2 ** bits, 0) : 0,
  runs: taken ? 1 : 0,
  low: taken,
  high: taken,
  list: taken && !isWide(bits) ? [0, 2 ** bits - 1] : NO_RUNS,
  kids: NO_KIDS,
})
const EMPTY = table((bits) => uniform(bits, false))
const FULL = table((bits) => uniform(bits, true))
// The assertion: bits are those of an address's part.
const known = (sets: ReadonlyArray<AddressSet>, bits: number): AddressSet => {
  const set = sets[bits]
  if (set === undefined) throw new Error(`address-set: a block of 2^${bits}`)
  return set
}

/** No address of a block of 2^bits is taken; 0 <= bits <= 128. */
export const emptySet = (bits: number): AddressSet => known(EMPTY, bits)

const isFull = (node: AddressSet): boolean => node.runs === 1 && node.low && node.high
const isEmpty = (node: AddressSet): boolean => node.runs === 0
/** Whether the block is described by its list. */
const isListed = ({ bits, kids }: AddressSet): boolean => kids.length === 0 && !isWide(bits)

const sixteen = (sets: ReadonlyArray<AddressSet>) => table((bits) => Array(16).fill(sets[Math.max(0, bits - DIGIT)]))
const EMPTY_KIDS: ReadonlyArray<ReadonlyArray<AddressSet>> = sixteen(EMPTY)
const FULL_KIDS: ReadonlyArray<ReadonlyArray<AddressSet>> = sixteen(FULL)
/** The sixteenths of a block that is not listed. */
const kidsOf = ({ bits, kids, low }: AddressSet): ReadonlyArray<AddressSet> =>
  kids.length > 0 ? kids : ((low ? FULL_KIDS : EMPTY_KIDS)[bits] ?? NO_KIDS)
const kidAt = (kids: ReadonlyArray<AddressSet>, digit: number): AddressSet => {
  const kid = kids[digit]
  if (kid === undefined) throw new Error(`address-set: sixteenth ${digit}`)
  return kid
}

/** Calls `take` for each maximal run, in order. */
export const eachRun = (set: AddressSet, take: (from: Place, to: Place) => void): void => {
  let open: Place | null = null
  let end: Place = 0
  const add = (from: Place, to: Place): void => {
    if (open !== null && from !== (typeof end === 'number' ? end + 1 : end + 1n)) {
      take(open, end)
      open = null
    }
    open ??= from
    end = to
  }
  const walk = (node: AddressSet, out: (n: Place) => Place): void => {
    const { bits, list } = node
    for (const [digit, kid] of node.kids.entries()) walk(kid, (n) => out(inParent(bits, digit, n)))
    for (let i = 0; i < list.length; i += 2) add(out(list[i] ?? 0), out(list[i + 1] ?? 0))
    if (isWide(bits) && isFull(node)) add(out(0n), out(lastPlace(bits)))
  }
  walk(set, (n) => n)
  if (open !== null) take(open, end)
}

/** First and last place of each maximal run, in order: what `ofRuns` takes. */
export const runsOf = (set: AddressSet): ReadonlyArray<Place> => {
  if (isListed(set)) return set.list
  const ends: Place[] = []
  eachRun(set, (from, to) => ends.push(from, to))
  return ends
}

/** A branch, or the leaf that these contents are. */
const branch = (node: AddressSet): AddressSet => {
  const { bits, runs, count } = node
  if (isWide(bits)) return isEmpty(node) ? known(EMPTY, bits) : isFull(node) ? known(FULL, bits) : node
  // Casts: places and counts of a block of up to 2^52 are numbers.
  return runs > BURST ? node : leaf(bits, runsOf(node) as Runs, count as number)
}

const branchOf = (bits: number, kids: ReadonlyArray<AddressSet>): AddressSet => {
  let count: Place = 0
  let runs = 0
  let high = false
  for (const kid of kids) {
    count = sum(count, kid.count)
    runs += kid.runs - (high && kid.low ? 1 : 0)
    high = kid.high
  }
  return branch({ bits, count, runs, low: kidAt(kids, 0).low, high, list: NO_RUNS, kids })
}

/** The block with one sixteenth changed. */
const withKid = (node: AddressSet, digit: number, kid: AddressSet): AddressSet => {
  const { bits, count, runs, low, high } = node
  const kids = kidsOf(node)
  const old = kidAt(kids, digit)
  const meets = digit > 0 && kidAt(kids, digit - 1).high
  const met = digit < 15 && kidAt(kids, digit + 1).low
  const joins = (each: AddressSet): number => (meets && each.low ? 1 : 0) + (met && each.high ? 1 : 0)
  return branch({
    bits,
    count: sum(count, sum(kid.count, negative(old.count))),
    runs: runs - old.runs + joins(old) + kid.runs - joins(kid),
    low: digit === 0 ? kid.low : low,
    high: digit === 15 ? kid.high : high,
    list: NO_RUNS,
    kids: kids.with(digit, kid),
  })
}

/** Cuts runs at the edges of the sixteenths: a list for each. */
const parted = (bits: number, ends: ReadonlyArray<Place>): ReadonlyArray<ReadonlyArray<Place>> => {
  const parts: Place[][] = Array.from({ length: 16 }, () => [])
  for (let i = 0; i < ends.length; i += 2) {
    const [from = 0, to = 0] = [ends[i], ends[i + 1]]
    const first = digitOf(bits, from)
    const last = digitOf(bits, to)
    for (let digit = first; digit <= last; digit++)
      parts[digit]?.push(
        digit === first ? inKid(bits, from) : zeroPlace(bits - DIGIT),
        digit === last ? inKid(bits, to) : lastPlace(bits - DIGIT),
      )
  }
  return parts
}

/** The set with exactly these runs: first and last place of each, ascending, with a gap between any two. */
export const ofRuns = (bits: number, ends: ReadonlyArray<Place>): AddressSet => {
  if (ends.length === 0) return emptySet(bits)
  if (ends[0] === zeroPlace(bits) && ends[1] === lastPlace(bits)) return known(FULL, bits)
  // A cast: places of a block of up to 2^52 are numbers.
  if (!isWide(bits) && ends.length <= 2 * BURST) return leaf(bits, ends as Runs, countIn(ends as Runs))
  const kids = parted(bits, ends).map((part) => ofRuns(bits - DIGIT, part))
  return branchOf(bits, kids)
}

const setListed = (node: AddressSet, from: number, to: number, taken: boolean): AddressSet => {
  const { bits, list, count } = node
  const changed = taken ? put(list, from, to) : cut(list, from, to)
  if (changed === null) return node
  // A cast: the count of a block of up to 2^52 is a number.
  return changed.runs.length > 2 * BURST
    ? ofRuns(bits, changed.runs)
    : leaf(bits, changed.runs, (count as number) + changed.gained)
}

/** The set with the places `from`..`to` taken, or free. The same set if they were already. */
export const setRange = (node: AddressSet, from: Place, to: Place, taken: boolean): AddressSet => {
  const { bits } = node
  // Casts: places of a block of up to 2^52 are numbers.
  if (isListed(node)) return setListed(node, from as number, to as number, taken)
  if (taken ? isFull(node) : isEmpty(node)) return node
  if (from === zeroPlace(bits) && to === lastPlace(bits)) return known(taken ? FULL : EMPTY, bits)
  const kids = kidsOf(node)
  const first = digitOf(bits, from)
  const last = from === to ? first : digitOf(bits, to)
  if (first === last) {
    const old = kidAt(kids, first)
    const start = inKid(bits, from)
    const kid = setRange(old, start, from === to ? start : inKid(bits, to), taken)
    return kid === old ? node : withKid(node, first, kid)
  }
  const next = kids.map((kid, digit) => {
    if (digit < first || digit > last) return kid
    const start = digit === first ? inKid(bits, from) : zeroPlace(bits - DIGIT)
    const stop = digit === last ? inKid(bits, to) : lastPlace(bits - DIGIT)
    return setRange(kid, start, stop, taken)
  })
  return next.every((kid, digit) => kid === kids[digit]) ? node : branchOf(bits, next)
}

export const take = (set: AddressSet, n: Place): AddressSet => setRange(set, n, n, true)
export const release = (set: AddressSet, n: Place): AddressSet => setRange(set, n, n, false)

export const has = (set: AddressSet, n: Place): boolean => {
  // A cast: places of a block of up to 2^52 are numbers.
  if (isListed(set)) return holds(set.list, n as number)
  return set.kids.length === 0 ? set.low : has(kidAt(set.kids, digitOf(set.bits, n)), inKid(set.bits, n))
}

/** The lowest place from `n` on that `inList` finds, passing over the blocks that have none. */
const search = (
  set: AddressSet,
  n: Place,
  hasNone: (block: AddressSet) => boolean,
  inList: (set: AddressSet, n: number) => number | null,
): Place | null => {
  const { bits } = set
  // A cast: places of a block of up to 2^52 are numbers.
  if (isListed(set)) return inList(set, n as number)
  const kids = kidsOf(set)
  const first = digitOf(bits, n)
  for (let digit = first; digit < 16; digit++) {
    const kid = kidAt(kids, digit)
    if (hasNone(kid)) continue
    const found = search(kid, digit === first ? inKid(bits, n) : zeroPlace(bits - DIGIT), hasNone, inList)
    if (found !== null) return inParent(bits, digit, found)
  }
  return null
}

const freeInList = ({ bits, list }: AddressSet, n: number): number | null => {
  const free = freeFrom(list, n)
  return free <= lastPlace(bits) ? free : null
}

/** The lowest free place from `n` on, or null. */
export const nextFree = (set: AddressSet, n: Place): Place | null => search(set, n, isFull, freeInList)
/** The lowest taken place from `n` on, or null. */
export const nextTaken = (set: AddressSet, n: Place): Place | null =>
  search(set, n, isEmpty, ({ list }, from) => takenFrom(list, from))

/** How many places up to `n`, that included, are taken. */
const takenUpTo = (set: AddressSet, n: Place): Place => {
  const { bits, list, kids } = set
  // A cast: places of a block of up to 2^52 are numbers.
  if (isListed(set)) return countUpTo(list, n as number)
  if (isEmpty(set)) return 0
  if (isFull(set)) return sum(n, 1)
  const digit = digitOf(bits, n)
  let before: Place = 0
  for (let i = 0; i < digit; i++) before = sum(before, kidAt(kids, i).count)
  return sum(before, takenUpTo(kidAt(kids, digit), inKid(bits, n)))
}

/** How many of the places `from`..`to` are taken; 0 <= from <= to. */
export const countBetween = (set: AddressSet, from: Place, to: Place): bigint => {
  const upTo = BigInt(takenUpTo(set, to))
  return from > 0 ? upTo - BigInt(takenUpTo(set, typeof from === 'number' ? from - 1 : from - 1n)) : upTo
}

/** Whether all that `part`, of a block as wide, takes is taken in `set`. */
export const isWithin = (part: AddressSet, set: AddressSet): boolean => {
  let all = set
  eachRun(part, (from, to) => {
    all = setRange(all, from, to, true)
  })
  return all === set
}
