// The reference for address sets: a JavaScript Set. A block too wide to list is cut into cells, which are taken and freed
// whole: single places where it matters (both ends, the edges of sixteenths), and what lies between them.

import { isDeepStrictEqual } from 'node:util'
import {
  type AddressSet,
  BURST,
  emptySet,
  has,
  lastPlace,
  nextFree,
  nextTaken,
  ofRuns,
  type Place,
  release,
  runsOf,
  setRange,
  take,
} from '../../src/ipam/address-set.ts'
import { type Dice, deepFreeze, type Step } from './ipam-random.ts'

/** The first place of each cell, and behind the last one the first place outside. */
export type Cells = Readonly<{ bits: number; cuts: ReadonlyArray<bigint> }>

export const firstIn = ({ cuts }: Cells, cell: number): bigint => cuts[cell] ?? 0n
export const lastIn = ({ cuts }: Cells, cell: number): bigint => (cuts[cell + 1] ?? 0n) - 1n
export const cellsIn = ({ cuts }: Cells): number => cuts.length - 1

/** The reference: the cells that are taken. */
export type Reference = Set<number>

export const referenceRuns = (cells: Cells, taken: Reference): ReadonlyArray<bigint> => {
  const ends: bigint[] = []
  for (let cell = 0; cell < cellsIn(cells); cell++) {
    if (taken.has(cell) && !taken.has(cell - 1)) ends.push(firstIn(cells, cell))
    if (taken.has(cell) && !taken.has(cell + 1)) ends.push(lastIn(cells, cell))
  }
  return ends
}
export const referenceCount = (cells: Cells, taken: Reference): bigint =>
  [...taken].reduce((sum, cell) => sum + lastIn(cells, cell) - firstIn(cells, cell) + 1n, 0n)
/** The next place from `n`, in `cell`, on that is taken, or free. */
export const referenceNext = (
  cells: Cells,
  taken: Reference,
  cell: number,
  n: bigint,
  wanted: boolean,
): bigint | null => {
  if (taken.has(cell) === wanted) return n
  for (let next = cell + 1; next < cellsIn(cells); next++) if (taken.has(next) === wanted) return firstIn(cells, next)
  return null
}

/** A block of 2^bits: all its places, or (more than 2^10) stretches of them round edges of sixteenths and at both ends. */
export const cellsOf = (bits: number, dice: Dice): Cells => {
  const end = 1n << BigInt(bits)
  if (bits <= 10) return { bits, cuts: Array.from({ length: Number(end) + 1 }, (_, n) => BigInt(n)) }
  const cuts = new Set([0n, end])
  const around = (middle: bigint, half: bigint): void => {
    for (let n = middle - half; n <= middle + half; n++) if (n >= 0n && n <= end) cuts.add(n)
  }
  around(0n, BigInt(CROWD))
  around(end, 150n)
  for (let stretch = dice() % 5; stretch > 0; stretch--) {
    const level = 1 + (dice() % Math.floor(bits / 4))
    const digits = (BigInt(dice()) << 96n) | (BigInt(dice()) << 64n) | (BigInt(dice()) << 32n) | BigInt(dice())
    const edge = BigInt.asUintN(4 * level, digits) << BigInt(bits - 4 * level)
    around(edge, dice() % 3 === 0 ? 2n : 250n)
  }
  return { bits, cuts: [...cuts].sort((a, b) => (a < b ? -1 : 1)) }
}

/** As the set counts: numbers in a block of up to 2^52, bigints in a wider one. */
export const placeIn = (bits: number, n: bigint): Place => (bits > 52 ? n : Number(n))
const countAs = (n: bigint): Place => (n <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(n) : n)

/** What is wrong with what a block says of itself, or one of its sixteenths does; a leaf is asked for its runs. */
export const formFault = (set: AddressSet): string | null => {
  const { bits, kids, count, runs, low, high } = set
  const ends = kids.length === 0 ? runsOf(set) : []
  let [exact, joined] = [0n, ends.length / 2]
  for (const [i, end] of ends.entries()) exact += i % 2 === 0 ? -BigInt(end) : BigInt(end) + 1n
  for (const [digit, kid] of kids.entries()) {
    exact += BigInt(kid.count)
    joined += kid.runs - (kid.low && kids[digit - 1]?.high ? 1 : 0)
  }
  if (kids.length % 16 !== 0 || kids.some((kid) => kid.bits !== bits - 4)) return `2^${bits} has parts of another size`
  if (count !== countAs(exact)) return `a part of 2^${bits} counts ${count} and not ${exact}`
  if (runs !== joined) return `a part of 2^${bits} has ${joined} runs and not ${runs}`
  if (kids.length === 0 && runs > BURST) return `a leaf of 2^${bits} has ${runs} runs`
  const first = placeIn(bits, 0n)
  if (low !== has(set, first) || high !== has(set, lastPlace(bits)))
    return `a part of 2^${bits} is wrong about its ends`
  return kids.map(formFault).find((fault) => fault !== null) ?? null
}

/** All that can be asked of a set, against the reference. */
export const setFault = (set: AddressSet, cells: Cells, taken: Reference): string | null => {
  const { bits } = cells
  const ends = referenceRuns(cells, taken).map((n) => placeIn(bits, n))
  const count = countAs(referenceCount(cells, taken))
  if (!isDeepStrictEqual(runsOf(set), ends)) return `runs ${runsOf(set)} and not ${ends}`
  if (set.count !== count) return `a count of ${set.count} and not ${count}`
  if (set.runs !== ends.length / 2) return `${set.runs} runs and not ${ends.length / 2}`
  if (!isDeepStrictEqual(set, ofRuns(bits, ends))) return 'another tree than one made at once from the same runs'
  return formFault(set)
}

/** An edit of a program: cells `from`..`to` become taken, or free. */
type Edit = Readonly<{ from: number; to: number; taken: boolean }>

/**
 * Five moods: every other cell of the first ones, so that runs are many and the trie bursts; the same cells taken and freed,
 * so that it bursts and collapses again and again; any cell; long stretches taken, so that runs join; long ones freed.
 */
const MOODS: ReadonlyArray<readonly [number, 'fill' | 'hover' | 'any' | 'join' | 'free']> = [
  [200, 'fill'],
  [500, 'hover'],
  [650, 'any'],
  [800, 'join'],
  [1000, 'free'],
]
/** Every other one of these is about as many runs as a leaf may have, when half of them are taken. */
const CROWD = 4 * BURST

const editOf = (cells: Cells, at: number, [what, where, length]: Step): Edit => {
  const mood = MOODS.find(([end]) => at % 1000 < end)?.[1] ?? 'any'
  const all = cellsIn(cells)
  if (mood === 'fill' || mood === 'hover' || (mood !== 'any' && what % 4 === 0)) {
    const cell = where % Math.min(all, CROWD)
    const even = cell - (cell % 2)
    return { from: even, to: even, taken: mood === 'hover' ? what % 2 === 0 : what % 16 !== 1 }
  }
  const cell = where % all
  const span = length % (mood === 'any' ? 3 : Math.max(4, all >> 3))
  const taken = mood === 'any' ? what % 2 === 0 : (mood === 'join') === what % 8 < 7
  return { from: cell, to: Math.min(all - 1, cell + span), taken }
}

/** What changes the set, for it has three ways. */
const edited = (set: AddressSet, from: bigint, to: bigint, taken: boolean): AddressSet => {
  const [first, last] = [placeIn(set.bits, from), placeIn(set.bits, to)]
  if (first !== last) return setRange(set, first, last, taken)
  return taken ? take(set, first) : release(set, first)
}

/** Asks of a few places, in and around what was edited. */
const answerFault = (set: AddressSet, cells: Cells, taken: Reference, cell: number, shift: number): string | null => {
  const { bits } = cells
  const first = firstIn(cells, cell)
  const n = first + (BigInt(shift) % (lastIn(cells, cell) - first + 1n))
  const place = placeIn(bits, n)
  if (has(set, place) !== taken.has(cell)) return `has(${n}) is ${has(set, place)}`
  for (const wanted of [true, false]) {
    const next = referenceNext(cells, taken, cell, n, wanted)
    const got = (wanted ? nextTaken : nextFree)(set, place)
    const want = next === null ? null : placeIn(bits, next)
    if (got !== want) return `${wanted ? 'nextTaken' : 'nextFree'}(${n}) is ${got} and not ${want}`
  }
  return null
}

/** Runs a program of edits, and shows each version. */
export const eachVersion = (cells: Cells, steps: ReadonlyArray<Step>, see: (set: AddressSet) => void): void => {
  let set = emptySet(cells.bits)
  for (const [at, step] of steps.entries()) {
    const { from, to, taken } = editOf(cells, at, step)
    set = edited(set, firstIn(cells, from), lastIn(cells, to), taken)
    see(set)
  }
}

/** What a set had when it was current. */
type Old = Readonly<{ set: AddressSet; ends: ReadonlyArray<Place>; count: Place }>
const oldFault = ({ set, ends, count }: Old): string | null =>
  isDeepStrictEqual(runsOf(set), ends) && set.count === count ? null : 'an old version changed'

/**
 * Runs a program of edits and gives the first difference from the reference, or null. All of the set is compared at every
 * `often`-th step and at the end; if that is every step, the versions are frozen too.
 */
export const editsFault = (cells: Cells, steps: ReadonlyArray<Step>, often: number): string | null => {
  const taken: Reference = new Set()
  const olds: Old[] = []
  let set = emptySet(cells.bits)
  for (const [at, step] of steps.entries()) {
    const { from, to, taken: yes } = editOf(cells, at, step)
    let changes = false
    for (let cell = from; cell <= to; cell++) {
      changes ||= taken.has(cell) !== yes
      if (yes) taken.add(cell)
      else taken.delete(cell)
    }
    const next = edited(set, firstIn(cells, from), lastIn(cells, to), yes)
    const here = `step ${at} of ${steps.length}, cells ${from}..${to} ${yes ? 'taken' : 'freed'}, 2^${cells.bits}: `
    if ((next === set) === changes) return `${here}${changes ? 'the same set' : 'another set'}`
    set = next
    const full = at % often === often - 1 || at === steps.length - 1
    const asked = step[3] % 2 === 0 ? from : step[3] % cellsIn(cells)
    const fault = answerFault(set, cells, taken, asked, step[2]) ?? (full ? setFault(set, cells, taken) : null)
    if (fault !== null) return here + fault
    if (often === 1) deepFreeze(set)
    if (full) olds.push({ set, ends: [...runsOf(set)], count: set.count })
  }
  return olds.map(oldFault).find((fault) => fault !== null) ?? null
}
