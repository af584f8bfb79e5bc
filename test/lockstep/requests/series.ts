// The programs of a seed, in pieces: the same seed gives the same ones, and each can be had alone.

import fc from 'fast-check'
import { requests } from '../../../properties/arbitraries/stack-programs.ts'
import { type Ruled, rulesets } from '../../../properties/arbitraries/stack-rulesets.ts'
import { type Picks, picks } from '../../../properties/arbitraries/stack-tries.ts'
import { type Case, caseOf, type Program } from './both.ts'

/** fast-check tries small and colliding values first, so a series begins anew after so many programs. */
export const PIECE = 50
const LONGEST = 60

/** Seeds of fast-check have 32 bits; those of neighbouring pieces have nothing in common (the constants are MurmurHash3's). */
const mixed = (seed: number, piece: number): number => {
  let hash = (seed ^ Math.imul(piece + 1, 0x9e3779b1)) | 0
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

type Drawn = Readonly<{ program: Program; rules: ReadonlyArray<Ruled>; some: Picks }>
const drawn: fc.Arbitrary<Drawn> = fc.record({ program: requests(LONGEST), rules: rulesets, some: picks })

/** Each is to be made a case when its turn comes, for that takes a while. */
export const pieceOf = (seed: number, piece: number): ReadonlyArray<() => Promise<Case>> =>
  fc.sample(drawn, { seed: mixed(seed, piece), numRuns: PIECE }).map(
    ({ program, rules, some }) =>
      () =>
        caseOf(program, rules, some),
  )
