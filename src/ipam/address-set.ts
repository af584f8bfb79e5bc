// A set of the addresses of one block of 2^bits, as a burst trie of runs: which are taken, which is free next.
//
// Structure: a node stands for an aligned block. With at most BURST runs of taken addresses it is a leaf that lists them,
// like a run container of a Roaring bitmap (Lemire et al. 2016); with more it bursts (Heinz et al. 2002) into 16 nodes of a
// sixteenth each. So the memory follows the number of runs, never the width: an empty or a full /8 is one leaf.
// Persistent: a change copies the path from the root to one leaf, and shares the rest with the old version.
// Canonical: the shape depends on the contents alone, so equal sets are equal trees.
// Costs, for n runs in a block of b bits: has, nextFree, nextTaken, countIn, setRange O(BURST + 16 b/4) at worst, and
// O(BURST + 16 log16 n) for runs spread evenly; runs O(n).
//
// Places count from the block's first address: numbers in a block of up to 2^52, bigints in a wider one.

export type Place = number | bigint

export type AddressSet = Readonly<{
  /** The block has 2^bits addresses. */
  bits: number
  /** Taken addresses, exactly. */
  count: Place
  /** Maximal runs of taken addresses. */
  runs: number
  /** Whether the first and the last address of the block are taken. */
  low: boolean
  high: boolean
  /** Of a leaf: first and last place of each run, in order. */
  ends: ReadonlyArray<Place>
  /** Of a branch: its sixteenths. Of a leaf: none. */
  kids: ReadonlyArray<AddressSet>
}>

const BURST = 32
const NARROW = 52
/** Bits of a place that say which sixteenth it is in. */
const DIGIT = 4

const isWide = (bits: number): boolean => bits > NARROW
const POWER: ReadonlyArray<number> = Array.from({ length: NARROW + 1 }, (_, bits) => 2 ** bits)
const powerOf = (bits: number): number => POWER[bits] ?? 2 ** bits

const zeroOf = (bits: number): Place => (isWide(bits) ? 0n : 0)
/** The last place of a block. */
export const lastPlace = (bits: number): Place => (isWide(bits) ? (1n << BigInt(bits)) - 1n : powerOf(bits) - 1)
const after = (n: Place): Place => (typeof n === 'number' ? n + 1 : n + 1n)
const before = (n: Place): Place => (typeof n === 'number' ? n - 1 : n - 1n)
/** A number where it is exact, so that counting is cheap; one form for each count. */
const exact = (n: bigint): Place => (n <= Number.MAX_SAFE_INTEGER ? Number(n) : n)
/** a + b - c, none of which is negative. */
const plusMinus = (a: Place, b: Place, c: Place): Place => {
  if (typeof a === 'number' && typeof b === 'number' && typeof c === 'number') {
    const sum = a - c + b
    if (sum <= Number.MAX_SAFE_INTEGER) return sum
  }
  return exact(BigInt(a) + BigInt(b) - BigInt(c))
}

/** Which sixteenth of a block a place is in, where it is there, and the way back. */
const digitOf = (bits: number, n: Place): number =>
  typeof n === 'number' ? Math.floor(n / powerOf(bits - DIGIT)) : Number(n >> BigInt(bits - DIGIT))
const inKid = (bits: number, n: Place): Place => {
  if (typeof n === 'number') return n % powerOf(bits - DIGIT)
  const rest = BigInt.asUintN(bits - DIGIT, n)
  return isWide(bits - DIGIT) ? rest : Number(rest)
}
const inParent = (bits: number, digit: number, n: Place): Place =>
  isWide(bits) ? (BigInt(digit) << BigInt(bits - DIGIT)) + BigInt(n) : digit * powerOf(bits - DIGIT) + Number(n)

// A cast: whoever indexes a list of ends has counted its runs.
const at = (ends: ReadonlyArray<Place>, index: number): Place => ends[index] as Place

const NO_KIDS: ReadonlyArray<AddressSet> = []
const NO_ENDS: ReadonlyArray<Place> = []

const leaf = (bits: number, ends: ReadonlyArray<Place>): AddressSet => {
  let count: Place = 0
  for (let i = 0; i < ends.length; i += 2) count = plusMinus(count, after(at(ends, i + 1)), at(ends, i))
  const runs = ends.length >> 1
  const low = runs > 0 && at(ends, 0) === zeroOf(bits)
  const high = runs > 0 && at(ends, ends.length - 1) === lastPlace(bits)
  return { bits, count, runs, low, high, ends, kids: NO_KIDS }
}

const EMPTY: ReadonlyArray<AddressSet> = Array.from({ length: 129 }, (_, bits) => leaf(bits, NO_ENDS))
/** No address of a block of 2^bits is taken; 0 <= bits <= 128. */
export const emptySet = (bits: number): AddressSet => EMPTY[bits] ?? leaf(bits, NO_ENDS)

const isFull = (node: AddressSet): boolean => node.runs === 1 && node.low && node.high

/** The runs of a list, cut at the edges of the sixteenths. */
const cut = (bits: number, ends: ReadonlyArray<Place>): ReadonlyArray<ReadonlyArray<Place>> => {
  const parts: Place[][] = Array.from({ length: 16 }, () => [])
  for (let i = 0; i < ends.length; i += 2) {
    const [from, to] = [at(ends, i), at(ends, i + 1)]
    const [first, last] = [digitOf(bits, from), digitOf(bits, to)]
    for (let digit = first; digit <= last; digit++)
      parts[digit]?.push(
        digit === first ? inKid(bits, from) : zeroOf(bits - DIGIT),
        digit === last ? inKid(bits, to) : lastPlace(bits - DIGIT),
      )
  }
  return parts
}

/** The set with exactly these runs: pairs of first and last place, ascending, disjoint and with a gap between them. */
export const ofRuns = (bits: number, ends: ReadonlyArray<Place>): AddressSet =>
  ends.length === 0
    ? emptySet(bits)
    : ends.length <= 2 * BURST
      ? leaf(bits, ends)
      : branch(
          bits,
          cut(bits, ends).map((part) => ofRuns(bits - DIGIT, part)),
        )

/** Calls `take` for each maximal run, in order. */
export const eachRun = (set: AddressSet, take: (from: Place, to: Place) => void): void => {
  let open: Place | null = null
  let end: Place = 0
  const walk = (node: AddressSet, out: (n: Place) => Place): void => {
    for (const [digit, kid] of node.kids.entries()) walk(kid, (n) => out(inParent(node.bits, digit, n)))
    for (let i = 0; i < node.ends.length; i += 2) {
      const from = out(at(node.ends, i))
      if (open !== null && from !== after(end)) {
        take(open, end)
        open = null
      }
      open ??= from
      end = out(at(node.ends, i + 1))
    }
  }
  walk(set, (n) => n)
  if (open !== null) take(open, end)
}

/** First and last place of each maximal run, in order: what `ofRuns` takes. */
export const runsOf = (set: AddressSet): ReadonlyArray<Place> => {
  if (set.kids.length === 0) return set.ends
  const ends: Place[] = []
  eachRun(set, (from, to) => ends.push(from, to))
  return ends
}

const branch = (bits: number, kids: ReadonlyArray<AddressSet>): AddressSet => {
  let count: Place = 0
  let runs = 0
  let joins = false
  for (const kid of kids) {
    count = plusMinus(count, kid.count, 0)
    runs += kid.runs - (joins && kid.low ? 1 : 0)
    joins = kid.high
  }
  const low = kids[0]?.low ?? false
  const node: AddressSet = { bits, count, runs, low, high: joins, ends: NO_ENDS, kids }
  return runs > BURST ? node : leaf(bits, runsOf(node))
}

/** The branch with one sixteenth changed. */
const withKid = (node: AddressSet, digit: number, kid: AddressSet): AddressSet => {
  const { bits, kids } = node
  const old = kidAt(node, digit)
  const meets = digit > 0 && kidAt(node, digit - 1).high
  const met = digit < 15 && kidAt(node, digit + 1).low
  const joins = ({ low, high }: AddressSet): number => (meets && low ? 1 : 0) + (met && high ? 1 : 0)
  const next: AddressSet = {
    bits,
    count: plusMinus(node.count, kid.count, old.count),
    runs: node.runs - old.runs + joins(old) + kid.runs - joins(kid),
    low: digit === 0 ? kid.low : node.low,
    high: digit === 15 ? kid.high : node.high,
    ends: NO_ENDS,
    kids: kids.with(digit, kid),
  }
  return next.runs > BURST ? next : leaf(bits, runsOf(next))
}

const kidAt = (node: AddressSet, digit: number): AddressSet => node.kids[digit] ?? emptySet(node.bits - DIGIT)

/** Index of the first run that ends at `n` or later. */
const seek = (ends: ReadonlyArray<Place>, n: Place): number => {
  let low = 0
  let high = ends.length >> 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (at(ends, 2 * middle + 1) < n) low = middle + 1
    else high = middle
  }
  return low
}

/** Index behind the last run that begins at `n` or earlier. */
const seekEnd = (ends: ReadonlyArray<Place>, n: Place): number => {
  let low = 0
  let high = ends.length >> 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (at(ends, 2 * middle) <= n) low = middle + 1
    else high = middle
  }
  return low
}

const leafPut = (node: AddressSet, from: Place, to: Place): AddressSet => {
  const { bits, ends } = node
  const first = seek(ends, before(from))
  const end = seekEnd(ends, after(to))
  const touches = first < end
  const start = touches && at(ends, 2 * first) < from ? at(ends, 2 * first) : from
  const stop = touches && at(ends, 2 * end - 1) > to ? at(ends, 2 * end - 1) : to
  if (end - first === 1 && start === at(ends, 2 * first) && stop === at(ends, 2 * first + 1)) return node
  return ofRuns(bits, ends.toSpliced(2 * first, 2 * (end - first), start, stop))
}

const leafCut = (node: AddressSet, from: Place, to: Place): AddressSet => {
  const { bits, ends } = node
  const first = seek(ends, from)
  const end = seekEnd(ends, to)
  if (first >= end) return node
  const rest: Place[] = []
  if (at(ends, 2 * first) < from) rest.push(at(ends, 2 * first), before(from))
  if (at(ends, 2 * end - 1) > to) rest.push(after(to), at(ends, 2 * end - 1))
  return ofRuns(bits, ends.toSpliced(2 * first, 2 * (end - first), ...rest))
}

/** The set with the places `from`..`to` taken, or free. The same set if they were already. */
export const setRange = (node: AddressSet, from: Place, to: Place, taken: boolean): AddressSet => {
  if (node.kids.length === 0) return taken ? leafPut(node, from, to) : leafCut(node, from, to)
  const { bits } = node
  const first = digitOf(bits, from)
  const last = digitOf(bits, to)
  if (first === last) {
    const old = kidAt(node, first)
    const kid = setRange(old, inKid(bits, from), inKid(bits, to), taken)
    return kid === old ? node : withKid(node, first, kid)
  }
  let kids: AddressSet[] | null = null
  for (let digit = first; digit <= last; digit++) {
    const old = kidAt(node, digit)
    const start = digit === first ? inKid(bits, from) : zeroOf(bits - DIGIT)
    const stop = digit === last ? inKid(bits, to) : lastPlace(bits - DIGIT)
    const kid = setRange(old, start, stop, taken)
    if (kid === old) continue
    kids ??= node.kids.slice()
    kids[digit] = kid
  }
  return kids === null ? node : branch(bits, kids)
}

export const take = (set: AddressSet, n: Place): AddressSet => setRange(set, n, n, true)
export const release = (set: AddressSet, n: Place): AddressSet => setRange(set, n, n, false)

export const has = (set: AddressSet, n: Place): boolean => {
  if (set.kids.length > 0) return has(kidAt(set, digitOf(set.bits, n)), inKid(set.bits, n))
  const run = seek(set.ends, n)
  return run < set.runs && at(set.ends, 2 * run) <= n
}

const nextIn = (
  set: AddressSet,
  n: Place,
  skip: (kid: AddressSet) => boolean,
  next: (leaf: AddressSet, n: Place) => Place | null,
): Place | null => {
  if (set.kids.length === 0) return next(set, n)
  const { bits } = set
  const first = digitOf(bits, n)
  for (let digit = first; digit < 16; digit++) {
    const kid = kidAt(set, digit)
    if (skip(kid)) continue
    const found = nextIn(kid, digit === first ? inKid(bits, n) : zeroOf(bits - DIGIT), skip, next)
    if (found !== null) return inParent(bits, digit, found)
  }
  return null
}

const freeInLeaf = ({ bits, ends, runs }: AddressSet, n: Place): Place | null => {
  const run = seek(ends, n)
  if (run === runs || at(ends, 2 * run) > n) return n
  const end = at(ends, 2 * run + 1)
  return end === lastPlace(bits) ? null : after(end)
}

const takenInLeaf = ({ ends, runs }: AddressSet, n: Place): Place | null => {
  const run = seek(ends, n)
  if (run === runs) return null
  const from = at(ends, 2 * run)
  return from > n ? from : n
}

/** The lowest free place from `n` on, or null. */
export const nextFree = (set: AddressSet, n: Place): Place | null => nextIn(set, n, isFull, freeInLeaf)
/** The lowest taken place from `n` on, or null. */
export const nextTaken = (set: AddressSet, n: Place): Place | null =>
  nextIn(set, n, ({ runs }) => runs === 0, takenInLeaf)
