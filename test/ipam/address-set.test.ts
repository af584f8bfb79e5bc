// Facts about sets of addresses, and counting a part of one against a list; that they are sets is in
// properties/ipam-set.properties.ts.

import { fc, test as prop } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import {
  type AddressSet,
  countBetween,
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

describe('a set of addresses', () => {
  test('counts exactly also where half of 2^128 comes and goes', () => {
    const half = setRange(take(emptySet(128), 5n), 1n << 127n, lastPlace(128), true)
    expect(half.count).toBe((1n << 127n) + 1n)
    const less = setRange(half, (1n << 127n) + 3n, lastPlace(128), false)
    expect(less.count).toBe(4)
    expect(runsOf(less)).toEqual([5n, 5n, 1n << 127n, (1n << 127n) + 2n])
  })

  test('counts exactly where a wide sixteenth is nearly emptied', () => {
    const full = setRange(emptySet(64), 0n, lastPlace(64), true)
    const holes = [3n, 77n, 1n << 61n].reduce((set, n) => release(set, n), full)
    expect(holes.count).toBe((1n << 64n) - 3n)
    expect(setRange(holes, 5n, lastPlace(64), false).count).toBe(4)
  })

  test('costs nothing that follows its width: a full /8 has no parts', () => {
    const full = setRange(emptySet(24), 0, lastPlace(24), true)
    expect([full.count, full.runs, full.kids.length]).toEqual([2 ** 24, 1, 0])
  })

  test('of one address is empty or full', () => {
    const one = emptySet(0)
    expect([nextFree(one, 0), nextTaken(one, 0), nextFree(take(one, 0), 0), nextTaken(take(one, 0), 0)]).toEqual([
      0,
      null,
      null,
      0,
    ])
  })

  test('shares with its older version all that did not change', () => {
    const runs = Array.from({ length: 16 * 64 }, (_, n) => [n * 1024, n * 1024 + 1]).flat()
    const old = ofRuns(20, runs)
    const young = take(old, 5)
    expect([has(old, 5), has(young, 5)]).toEqual([false, true])
    expect(young.kids.filter((kid, digit) => kid !== old.kids[digit])).toHaveLength(1)
  })
})

/** Where a place of a block that may be wide is: a sixteenth's edge now and then. */
const placeIn = (bits: number): fc.Arbitrary<bigint> => {
  const last = BigInt(lastPlace(bits))
  const edge = fc
    .tuple(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 1, max: 1 + (bits >> 2) }), fc.bigInt(-1n, 1n))
    .map(([digit, level, off]) => (BigInt(digit) << BigInt(Math.max(0, bits - 4 * level))) + off)
    .map((n) => (n < 0n ? 0n : n > last ? last : n))
  return fc.oneof(fc.bigInt(0n, last), edge)
}

const place = (bits: number, n: bigint): Place => (bits > 52 ? n : Number(n))

/** Distinct single places, and up to one long run over some of them. */
const blocks = fc.constantFrom(0, 1, 4, 8, 12, 32, 52, 53, 56, 64, 128).chain((bits) =>
  fc.record({
    bits: fc.constant(bits),
    singles: fc.array(placeIn(bits), { maxLength: 80 }),
    run: fc.option(fc.tuple(placeIn(bits), placeIn(bits))),
    ends: fc.tuple(placeIn(bits), placeIn(bits)),
  }),
)

const inOrder = ([a, b]: readonly [bigint, bigint]): readonly [bigint, bigint] => (a <= b ? [a, b] : [b, a])

describe('counting between two places', () => {
  prop.prop([blocks], { numRuns: 500 })('finds what a list has there, in a block of any width', (drawn) => {
    const { bits, singles } = drawn
    const run = drawn.run === null ? null : inOrder(drawn.run)
    const [from, to] = inOrder(drawn.ends)
    const alone = new Set(singles.filter((n) => run === null || n < run[0] || n > run[1]))
    const start =
      run === null ? emptySet(bits) : setRange(emptySet(bits), place(bits, run[0]), place(bits, run[1]), true)
    const set = [...alone].reduce((each: AddressSet, n) => take(each, place(bits, n)), start)
    const ofRun = run === null ? 0n : inOrder([run[1], to])[0] - inOrder([run[0], from])[1] + 1n
    const expected = BigInt([...alone].filter((n) => n >= from && n <= to).length) + (ofRun > 0n ? ofRun : 0n)
    expect(countBetween(set, place(bits, from), place(bits, to))).toBe(expected)
    expect(countBetween(set, place(bits, 0n), lastPlace(bits))).toBe(BigInt(set.count))
  })

  test('is exact past 2^53 where every second sixteenth of 2^53 addresses is taken', () => {
    const share = 1n << 53n
    const runs = Array.from({ length: 8 }, (_, i) => [BigInt(2 * i) * share, BigInt(2 * i + 1) * share - 1n]).flat()
    const set = ofRuns(57, runs)
    expect(countBetween(set, 1n, lastPlace(57))).toBe(8n * share - 1n)
    expect(countBetween(set, share - 3n, 2n * share)).toBe(4n)
  })
})
