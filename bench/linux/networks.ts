// Networks alone: a bridge, its address, and what the firewall knows of it.

import { createNetwork, deleteNetwork } from './commands.ts'
import { type Networks, openFloorNetworks } from './floor.ts'
import { pause } from './kernel.ts'
import type { Metric } from './metric.ts'
import { obey, openHost } from './ours.ts'
import { openDockerNetworks } from './peers/dockerd.ts'
import { logOf, medianOf, once, type Rounds, timeOf } from './samples.ts'
import { type Later, tidily } from './tidy.ts'

const ROUNDS = 5
const EACH = 3
/** By then the kernel has taken a bridge apart. */
const SETTLED_MS = 50

const openOurNetworks = async (later: Later, what: string): Promise<Networks> => {
  const { engine } = await openHost(later, what)
  return {
    name: 'ours',
    create: (n) => obey(engine, [createNetwork(n)]),
    remove: (n) => obey(engine, [deleteNetwork(n)]),
  }
}

const measure = (): Promise<Readonly<{ create: Rounds; remove: Rounds }>> =>
  tidily(async (later) => {
    const contenders: Networks[] = []
    for (const open of [openOurNetworks, openFloorNetworks, openDockerNetworks]) {
      const one = await open(later, 'network')
      if (one !== null) contenders.push(one)
    }
    // A new one each time, and a while later: one that was just deleted is still in the way.
    let n = 0
    const created = logOf()
    const removed = logOf()
    for (let round = -1; round < ROUNDS; round++)
      for (const { name, create, remove } of contenders)
        for (let i = 0; i < EACH; i++) {
          n += 1
          await pause(SETTLED_MS)
          const times = [await timeOf(() => create(n)), await timeOf(() => remove(n))] as const
          if (round < 0) continue
          created.note(name, round, times[0])
          removed.note(name, round, times[1])
        }
    return { create: created.rounds(), remove: removed.rounds() }
  })

const networks = once(measure)

export const networkMetrics: ReadonlyArray<Metric> = [
  { name: 'linux.network.create', run: async () => medianOf((await networks()).create) },
  { name: 'linux.network.delete', run: async () => medianOf((await networks()).remove) },
]
