// The set of a block's addresses against a reference that is slow and obvious: a JavaScript Set. Blocks of every width, from
// one address to the whole of IPv6; the places lie where runs join, and where the trie bursts and collapses.

import { isDeepStrictEqual } from 'node:util'
import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AddressSet, emptySet, lastPlace, ofRuns, release, setRange, take } from '../src/ipam/address-set.ts'
import { runs } from '../test/lib/runs.ts'
import { bits, cells, program, SEED } from './arbitraries/ipam.ts'
import { diceOf, expectNoFault, stepsOf } from './lib/ipam-random.ts'
import {
  cellsIn,
  cellsOf,
  eachVersion,
  editsFault,
  firstIn,
  lastIn,
  placeIn,
  type Reference,
  setFault,
} from './lib/ipam-set.ts'

const branches = ({ kids }: AddressSet): number =>
  kids.reduce((sum, kid) => sum + branches(kid), kids.length > 0 ? 1 : 0)

describe('a set of addresses', () => {
  it('bursts and collapses in these programs, so that they say something', () => {
    let [burst, collapsed] = [0, 0]
    for (const seed of [1, 2, 3, 4]) {
      const dice = diceOf(seed)
      const block = cellsOf(32, dice)
      let before = 0
      eachVersion(block, stepsOf(dice, 1000), (set) => {
        const now = branches(set)
        if (now > before) burst += 1
        if (now < before) collapsed += 1
        before = now
      })
    }
    expect(burst).toBeGreaterThan(10)
    expect(collapsed).toBeGreaterThan(10)
  })

  test.prop([cells, program(500)], runs(0.2))(
    'answers as a Set of numbers would after each edit, and no version changes afterwards',
    (block, steps) => {
      expect(editsFault(block, steps, 1)).toBeNull()
    },
  )

  test.prop([bits, SEED])('answers as a Set of numbers would in programs of a thousand edits', (width, seed) => {
    const dice = diceOf(seed)
    const block = cellsOf(width, dice)
    expectNoFault(stepsOf(dice, 1000), (steps) => editsFault(block, steps, 100))
  })

  test.prop([cells, SEED, fc.integer({ min: 1, max: 15 })], runs(0.3))(
    'is one tree for one content, whatever its history',
    (block, seed, share) => {
      const dice = diceOf(seed)
      const all = Array.from({ length: cellsIn(block) }, (_, cell) => cell)
      const mixed = all.map((cell) => [dice(), cell] as const).sort(([a], [b]) => a - b)
      const taken: Reference = new Set(all.filter(() => dice() % 16 < share))
      const put = (set: AddressSet, cell: number, yes: boolean): AddressSet =>
        setRange(set, placeIn(block.bits, firstIn(block, cell)), placeIn(block.bits, lastIn(block, cell)), yes)
      const empty = emptySet(block.bits)
      const full = setRange(empty, placeIn(block.bits, 0n), lastPlace(block.bits), true)
      const histories = [
        mixed.reduce((set, [, cell]) => (taken.has(cell) ? put(set, cell, true) : set), empty),
        mixed.reduce((set, [, cell]) => (taken.has(cell) ? set : put(set, cell, false)), full),
        mixed.reduce((set, [, cell]) => put(put(set, cell, true), cell, taken.has(cell)), empty),
      ]
      for (const set of histories) {
        expect(setFault(set, block, taken)).toBeNull()
        expect(isDeepStrictEqual(set, histories[0])).toBe(true)
      }
    },
  )

  test.prop([cells, program(500)], runs(0.2))(
    'is the same object after an edit that changes nothing',
    (block, steps) => {
      const last = lastPlace(block.bits)
      let set = emptySet(block.bits)
      for (const [what, where] of steps) {
        const cell = where % cellsIn(block)
        const [from, to] = [firstIn(block, cell), lastIn(block, cell)].map((n) => placeIn(block.bits, n))
        if (from === undefined || to === undefined) throw new Error('a cell has two ends')
        set = setRange(set, from, to, what % 3 > 0)
        expect(setRange(set, from, to, what % 3 > 0)).toBe(set)
        expect(what % 3 > 0 ? take(set, to) : release(set, to)).toBe(set)
      }
      const full = setRange(set, placeIn(block.bits, 0n), last, true)
      expect(full).toEqual(ofRuns(block.bits, [placeIn(block.bits, 0n), last]))
      expect(setRange(full, placeIn(block.bits, 0n), last, false)).toEqual(emptySet(block.bits))
    },
  )
})
