// Attaching and detaching for long leaks nothing: neither in our process nor on the host.

import { expect, test } from 'vitest'
import { labNames, netnsPath } from '../../src/kernel-linux/names.ts'
import { HOST } from '../../src/net/name.ts'
import { devicesIn } from '../lib/foreign.ts'
import { needs } from '../lib/need.ts'
import { runs } from '../lib/runs.ts'
import { program, started } from '../lib/victim.ts'
import { labHost } from './host-checks.ts'
import { freshDir, recovering } from './killing.ts'

const soaker = program('test/engine/soaker.ts')
const CYCLES = runs(4).numRuns

/** Megabytes of objects that live; megabytes of memory, once so many cycles have warmed everything. */
const HEAP_GROWTH = 5
const GROWTH = 20
const WARM = 2000

type Held = Readonly<Record<string, number>>

needs.kernel('on Linux', () => {
  test(
    `${CYCLES} containers come and go, and nothing stays`,
    async () => {
      const host = await labHost('soak')
      const dir = freshDir()
      try {
        const { child, said, complaint, ended } = started(
          process.execPath,
          '--expose-gc',
          soaker,
          dir,
          host.lab,
          `${CYCLES}`,
        )
        await ended
        expect([complaint(), child.exitCode]).toEqual(['', 0])
        const held = said().map((line): Held => JSON.parse(line))
        const [first, , third, ...rest] = held
        const last = rest.at(-1)
        if (first === undefined || third === undefined || last === undefined)
          throw new Error('ten tenths were to be told')
        const { done: _, rss: __, heap = 0, files, threads, ...there } = third
        expect(last).toMatchObject(there)
        expect(first).toMatchObject(there)
        expect(last['files']).toBe(files)
        expect(last['threads']).toBe(threads)
        expect((last['heap'] ?? 0) - heap).toBeLessThan(HEAP_GROWTH)
        const warm = held.find(({ done = 0 }) => done >= WARM) ?? last
        expect((last['rss'] ?? 0) - (warm['rss'] ?? 0)).toBeLessThan(GROWTH)
        await recovering({ victim: soaker, dir, ground: { lab: host.lab, transport: 'netlink' } }, host.clean)
        expect(devicesIn(netnsPath(labNames(host.lab)(HOST) ?? '')).inBetween).toEqual([])
      } finally {
        await host.remove()
      }
    },
    60_000 + CYCLES * 200,
  )
})
