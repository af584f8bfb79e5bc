// The simulated and the real kernel, request by request: a slice of what `npm run lockstep` runs, of another seed each time.

import { expect, test } from 'vitest'
import { needs } from '../lib/need.ts'
import { runs } from '../lib/runs.ts'
import { runBoth } from './requests/both.ts'
import { FOUND, programOf } from './requests/found.ts'
import { FOUND_PATHS } from './requests/found-paths.ts'
import { FOUND_PEERS } from './requests/found-peers.ts'
import { caseOfFound, FOUND_TRIES } from './requests/found-traffic.ts'
import { FOUND_IN_TUNNELS } from './requests/found-tunnels.ts'
import { FOUND_WAYS } from './requests/found-ways.ts'
import { report } from './requests/script.ts'
import { PIECE, pieceOf } from './requests/series.ts'
import { shrink } from './requests/shrink.ts'
import { NOTHING, plus, tallyOf, wordOf } from './requests/tally.ts'

const SEEDS = 2 ** 31

needs.kernel('the simulated and the real network stack', () => {
  test.each(FOUND)('agree: $says', async (found) => {
    const { difference, answers } = await runBoth({ program: programOf(found), rules: [], tries: [] })
    expect(difference).toBeNull()
    expect(answers.at(-1)).toBe(found.errno)
  })

  test.each([...FOUND_TRIES, ...FOUND_WAYS, ...FOUND_IN_TUNNELS, ...FOUND_PATHS, ...FOUND_PEERS])(
    'agree: $says',
    async (found) => {
      const { difference, endings } = await runBoth(caseOfFound(found))
      expect(difference).toBeNull()
      expect(endings).toHaveLength(found.before === undefined ? 1 : 2)
      expect(endings.slice(-1).map(wordOf)).toEqual([found.ends])
    },
  )

  test('answer each request alike, and hold the same afterwards', { timeout: 600_000 }, async () => {
    const seed = Number(process.env['CNM_SEED'] ?? Math.floor(Math.random() * SEEDS))
    const { numRuns } = runs(1)
    let tally = NOTHING
    for (let at = 0; at < numRuns; at++) {
      const one = await pieceOf(seed, Math.floor(at / PIECE))[at % PIECE]?.()
      if (one === undefined) throw new Error('a piece has so many programs')
      const outcome = await runBoth(one)
      tally = plus(tally, tallyOf(one, outcome))
      if (outcome.difference === null) continue
      const least = await shrink({ ...one, difference: outcome.difference }, runBoth)
      expect.fail(`npm run lockstep -- --seed ${seed} --only ${at}\n\n${report(least, least.difference)}`)
    }
    const { programs, operations, tries } = tally
    console.log(`lockstep: ${programs} programs, ${operations} operations, ${tries} tries, seed ${seed}: agreed`)
  })
})
