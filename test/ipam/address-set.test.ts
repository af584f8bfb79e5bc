// Facts about sets of addresses; that they are sets is in properties/ipam-set.properties.ts.

import { describe, expect, test } from 'vitest'
import {
  emptySet,
  has,
  lastPlace,
  nextFree,
  nextTaken,
  ofRuns,
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
