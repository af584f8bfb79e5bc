// SIGKILL, at any instant, of engines under load on the running kernel. After each the next start finds and finishes, or removes,
// everything of ours, and nothing else: the lab's host is full of strangers' things, and the machine is around it.

import { beforeAll, expect, test } from 'vitest'
import type { TransportName } from '../kernel-linux/labs.ts'
import { changes, machineFacts } from '../lib/foreign.ts'
import { needs } from '../lib/need.ts'
import { runs } from '../lib/runs.ts'
import { program } from '../lib/victim.ts'
import { labHost } from './host-checks.ts'
import { freshDir, killing, recovering } from './killing.ts'

const victim = program('test/engine/victim.ts')

/** Labs at the same time: a life mostly waits. */
const LANES = 4

/** `withinMs`: some rounds of its callers. */
const KINDS: ReadonlyArray<Readonly<{ transport: TransportName; kills: number; withinMs: number }>> = [
  { transport: 'netlink', kills: runs(0.06).numRuns, withinMs: 400 },
  { transport: 'iproute2', kills: runs(0.02).numRuns, withinMs: 1_000 },
]

needs.kernel('on Linux', () => {
  let machine: ReturnType<typeof machineFacts>
  beforeAll(() => {
    machine = machineFacts()
  })

  test.each(KINDS)(
    '$kills kills through $transport',
    async ({ transport, kills, withinMs }) => {
      const lanes = Array.from({ length: Math.min(LANES, kills) }, (_, lane) => lane)
      const began = performance.now()
      const ended = await Promise.allSettled(
        lanes.map(async (lane) => {
          const host = await labHost(`kill${lane}-${transport}`)
          try {
            const place = { victim, dir: freshDir(), ground: { lab: host.lab, transport } }
            const share = Math.ceil((kills - lane) / lanes.length)
            await killing(place, { kills: share, withinMs, check: async (engine) => host.check(engine) })
            await recovering(place, host.clean)
          } finally {
            await host.remove()
          }
        }),
      )
      for (const one of ended) if (one.status === 'rejected') throw one.reason
      console.log(`${kills} kills through ${transport}: ${((performance.now() - began) / 1000).toFixed(0)} s`)
    },
    60_000 + Math.max(...KINDS.map(({ kills }) => kills)) * 20_000,
  )

  test('leave the machine as it was', () => {
    expect(changes(machine, machineFacts())).toEqual([])
  })
})
