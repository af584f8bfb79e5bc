// Many containers at once: 100 come, 100 and 1,000 go, and one comes with 206 published ports.

import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Result } from '../lib.ts'
import { attach } from './commands.ts'
import type { Contender, Open } from './contender.ts'
import { openFloor } from './floor.ts'
import { socketIn, vethsDown } from './kernel.ts'
import type { Metric } from './metric.ts'
import { obeyAll, openOurs, upTo } from './ours.ts'
import { openPeers } from './peers/peers.ts'
import { type Log, logOf, medianOf, once, type Rounds, timeOf } from './samples.ts'
import { type Later, tidily } from './tidy.ts'

const CROWD = 100
const ROUNDS = 5
/** Other systems take so long that they come in one round only. */
const PEERS_ROUND = 2

const OPENS: ReadonlyArray<Open> = [openOurs, openFloor]

/** The longest time for which nothing else could run here, in milliseconds. */
const blockedBy = async (work: () => Promise<unknown>): Promise<number> => {
  const resolution = 1
  const histogram = monitorEventLoopDelay({ resolution })
  histogram.enable()
  await work()
  histogram.disable()
  return Math.max(0, histogram.max / 1e6 - resolution)
}

type Logs = Readonly<{ attach: Log; block: Log; remove: Log }>

/** All come at once, and go at once. */
const allTogether = (later: Later, contender: Contender, count: number) => {
  const { name, host, attach, detach } = contender
  const socket = socketIn(later, host)
  const all = upTo(count)
  return async (logs: Logs, round: number): Promise<void> => {
    let attached = 0
    const blocked = await blockedBy(async () => {
      attached = await timeOf(() => attach(all))
    })
    const removed = await timeOf(async () => {
      await detach(all)
      await vethsDown(socket)
    })
    if (round < 0) return
    logs.attach.note(name, round, attached)
    logs.block.note(name, round, blocked)
    logs.remove.note(name, round, removed)
  }
}

type Measured = Readonly<{ attach: Rounds; block: Rounds; remove: Rounds }>

const measure = (what: string, count: number, ports: number): Promise<Measured> =>
  tidily(async (later) => {
    const needs = { what, containers: count, ports }
    const logs = { attach: logOf(), block: logOf(), remove: logOf() }
    const turns = []
    for (const open of OPENS) turns.push(allTogether(later, await open(later, needs), count))
    // The round before the first is for warming up.
    for (let round = -1; round < ROUNDS; round++) {
      for (const turn of turns) await turn(logs, round)
      if (round === PEERS_ROUND)
        // One after the other, each in nobody's way.
        await tidily(async (soon) => {
          for (const peer of await openPeers(soon, needs)) await allTogether(soon, peer, count)(logs, round)
        })
    }
    return { attach: logs.attach.rounds(), block: logs.block.rounds(), remove: logs.remove.rounds() }
  })

const crowd = once(() => measure('crowd', CROWD, 1))
const publish = once(() => measure('publish', 1, 206))

const THOUSAND = 1000
const REMOVALS = 3

const measureRemoval = (): Promise<Rounds> =>
  tidily(async (later) => {
    const log = logOf()
    const needs = { what: 'remove', containers: THOUSAND, ports: 1 }
    const all = upTo(THOUSAND)
    const ours = await openOurs(later, needs)
    const floor = await openFloor(later, needs)
    const contenders = [
      { ...ours, attach: () => obeyAll(ours.engine, all, (n) => attach(n)), socket: socketIn(later, ours.host) },
      { ...floor, socket: socketIn(later, floor.host) },
    ]
    for (let round = 0; round < REMOVALS; round++)
      for (const { name, attach, detach, socket } of contenders) {
        await attach(all)
        const removed = await timeOf(async () => {
          await detach(all)
          await vethsDown(socket)
        })
        log.note(name, round, removed)
      }
    return log.rounds()
  })

const removal = once(measureRemoval)

/** The other systems' time for 1,000 is ten times their time for 100: none of them gets quicker by having more. */
const removeThousand = async (): Promise<Result> => {
  const { value, ratios } = medianOf(await removal())
  const few = medianOf((await crowd()).remove)
  const others = few.ratios.filter(({ to }) => to !== 'floor')
  return {
    value,
    ratios: [...ratios, ...others.map(({ ratio, to }) => ({ to, ratio: value / ((10 * few.value) / ratio) }))],
  }
}

/** Only ours shares its event loop with somebody. */
const alone = ({ value }: Result): Result => ({ value, ratios: [] })

export const crowdMetrics: ReadonlyArray<Metric> = [
  { name: 'linux.attach100.ms', run: async () => medianOf((await crowd()).attach) },
  { name: 'linux.attach100.block', run: async () => alone(medianOf((await crowd()).block)) },
  { name: 'linux.remove100.ms', run: async () => medianOf((await crowd()).remove) },
  { name: 'linux.remove1000.ms', run: removeThousand },
  { name: 'linux.publish206.ms', run: async () => medianOf((await publish()).attach) },
]
