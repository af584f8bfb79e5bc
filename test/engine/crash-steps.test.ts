// An engine on the running kernel that is killed before each of its system calls, one after the other, through one story: the next
// start finishes or removes what was begun, and nothing else, and can take all away.

import { expect, test } from 'vitest'
import { needs } from '../lib/need.ts'
import { runs } from '../lib/runs.ts'
import { program, started } from '../lib/victim.ts'
import { labHost } from './host-checks.ts'
import { freshDir, recovering } from './killing.ts'

const mortal = program('test/engine/mortal.ts')

/** Labs at the same time. */
const LANES = 4
const POINTS = runs(0.1).numRuns

needs.kernel('on Linux', () => {
  /** Whether it was killed; otherwise it came to its end, after so many calls. */
  const live = async (lab: string, dir: string, last: number): Promise<number | 'killed'> => {
    const { child, said, complaint, ended } = started(process.execPath, mortal, dir, lab, `${last}`)
    await ended
    expect(complaint()).toBe('')
    if (child.signalCode === 'SIGKILL') return 'killed'
    const [, calls = ''] = /^end (\d+)$/.exec(said().at(-1) ?? '') ?? []
    return Number(calls)
  }

  /** Every point of a story of so many calls, or as many as there is time for, evenly spread. */
  const pointsOf = (calls: number): ReadonlyArray<number> => {
    const every = Math.max(1, calls / POINTS)
    return Array.from({ length: Math.min(calls, POINTS) }, (_, i) => 1 + Math.floor(i * every))
  }

  test(
    `${POINTS} steps of a story, each the last one of a life`,
    async () => {
      const hosts = await Promise.all(Array.from({ length: LANES }, (_, lane) => labHost(`steps${lane}`)))
      try {
        // Side by side, as they will be killed: how many calls there are depends on what happens at the same time.
        const lives = await Promise.all(hosts.map(({ lab }) => live(lab, freshDir(), 0)))
        const calls = Math.min(...lives.map((one) => (one === 'killed' ? Number.NaN : one)))
        if (Number.isNaN(calls)) throw new Error('nobody was to kill it')
        expect(calls).toBeGreaterThan(100)
        console.log(`the story has ${calls} calls`)
        const points = [...pointsOf(calls)]
        let kills = 0
        const ended = await Promise.allSettled(
          hosts.map(async ({ lab, check, clean }) => {
            for (let last = points.shift(); last !== undefined; last = points.shift()) {
              const place = { victim: mortal, dir: freshDir(), ground: { lab, transport: 'netlink' } as const }
              if ((await live(lab, place.dir, last)) === 'killed') kills += 1
              await recovering(place, async (engine) => {
                check(engine)
                await clean(engine)
              }).catch((error) => {
                throw new Error(`killed before call ${last}`, { cause: error })
              })
            }
          }),
        )
        for (const one of ended) if (one.status === 'rejected') throw one.reason
        // The last ones may come after the end.
        expect(kills).toBeGreaterThan(0.9 * Math.min(calls, POINTS))
      } finally {
        for (const { remove } of hosts) await remove()
      }
    },
    120_000 + POINTS * 10_000,
  )
})
