// One container after the other: on a bridge network, with one published port.

import type { Contender, Needs, Open } from './contender.ts'
import { openFloor, openWholeFloor } from './floor.ts'
import { socketIn, vethsDown } from './kernel.ts'
import type { Metric } from './metric.ts'
import { openOurs, openWhole } from './ours.ts'
import { openPeers } from './peers/peers.ts'
import { type Log, logOf, medianOf, once, type Rounds, tailOf, timeOf } from './samples.ts'
import { type Later, tidily } from './tidy.ts'

const ROUNDS = 5
/** In a round. Other systems take so much longer that few make a median. */
const OURS = 40
const PEERS = 5

type Logs = Readonly<{ attach: Log; detach: Log; done: Log }>

/** A lone container comes and goes, so often as the contender has containers. */
const comeAndGo = async (later: Later, { name, host, attach, detach }: Contender, count: number) => {
  const socket = socketIn(later, host)
  return async (logs: Logs, round: number): Promise<void> => {
    for (let n = 0; n < count; n++) {
      const attached = await timeOf(() => attach([n]))
      const start = performance.now()
      const detached = await timeOf(() => detach([n]))
      await vethsDown(socket)
      if (round < 0) continue
      logs.attach.note(name, round, attached)
      logs.detach.note(name, round, detached)
      logs.done.note(name, round, performance.now() - start)
    }
  }
}

type Measured = Readonly<{ attach: Rounds; detach: Rounds; done: Rounds }>

const measure = (what: string, opens: ReadonlyArray<Open>, withPeers: boolean): Promise<Measured> =>
  tidily(async (later) => {
    const needs = (containers: number): Needs => ({ what, containers, ports: 1 })
    const turns = []
    for (const open of opens) turns.push(await comeAndGo(later, await open(later, needs(OURS)), OURS))
    const peers = withPeers ? await openPeers(later, needs(PEERS)) : []
    for (const peer of peers) turns.push(await comeAndGo(later, peer, PEERS))
    const logs = { attach: logOf(), detach: logOf(), done: logOf() }
    // The round before the first is for warming up.
    for (let round = -1; round < ROUNDS; round++) for (const turn of turns) await turn(logs, round)
    return { attach: logs.attach.rounds(), detach: logs.detach.rounds(), done: logs.done.rounds() }
  })

const given = once(() => measure('attach', [openOurs, openFloor], true))
const whole = once(() => measure('attachns', [openWhole, openWholeFloor], false))

const P95 = 0.95
const P99 = 0.99

export const attachMetrics: ReadonlyArray<Metric> = [
  { name: 'linux.attach.p50', run: async () => medianOf((await given()).attach) },
  { name: 'linux.attach.p95', run: async () => tailOf((await given()).attach, P95) },
  { name: 'linux.attach.p99', run: async () => tailOf((await given()).attach, P99) },
  { name: 'linux.detach.p50', run: async () => medianOf((await given()).detach) },
  { name: 'linux.detach.p95', run: async () => tailOf((await given()).detach, P95) },
  { name: 'linux.detach.done', run: async () => medianOf((await given()).done) },
  { name: 'linux.attachns.p50', run: async () => medianOf((await whole()).attach) },
  { name: 'linux.attachns.p99', run: async () => tailOf((await whole()).attach, P99) },
  { name: 'linux.detachns.p50', run: async () => medianOf((await whole()).detach) },
]
