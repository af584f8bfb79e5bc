// A simulated host: its machine, its line to the store, and one process after the other with an engine. A process that could not begin is
// tried again. Whoever waits for a host that is down is told when it is up.

import { type Membership, membership } from '../cluster/membership.ts'
import type { ReadRecord } from '../cluster/view.ts'
import { type Engine, openEngine } from '../engine/engine.ts'
import { explain } from '../model/error.ts'
import type { HostId } from '../model/types.ts'
import { NO_FACTS } from '../net/host-facts.ts'
import { E } from '../prelude.ts'
import type { MemoryStore } from '../store/memory.ts'
import type { Identity } from '../store/presence.ts'
import { type Line, makeLine } from './line.ts'
import { type Machine, makeMachine } from './machine.ts'
import { type Process, startProcess } from './process.ts'
import { randomOf } from './random.ts'
import { storeOver } from './store.ts'
import type { Time } from './time.ts'

/** An engine in a process. */
export type Running = Readonly<{ engine: Engine; cluster: Membership; process: Process }>

export type Host = Readonly<{
  id: HostId
  line: Line
  machine: Machine
  running: () => Running | null
  start: () => void
  /** The process dies at once; with `reboot`, so does all that the kernel held. It is down until it is started. */
  crash: (reboot: boolean) => void
  /** The process ends in order, and is down then. */
  stop: () => void
  pause: () => void
  resume: () => void
  /** Does it when an engine runs, and at once if one does. */
  whenUp: (work: (running: Running) => void) => void
}>

export type HostParts = Readonly<{
  id: HostId
  seed: number
  time: Time
  store: MemoryStore
  /** The share of requests to it that are given up at once. */
  broken: number
  /** How late news from it is. */
  lagMs: number
  /** It is cleared by the others when it is not heard of, and clears them. */
  mortal: boolean
  /** Reads records for all hosts. */
  read: ReadRecord
  tell: (what: string) => void
  defect: (what: string) => void
}>

/** For how long a host counts as there when nothing is heard of it. */
export const TTL_MS = 3000
/** Until a process that could not begin is followed by another. */
const AGAIN_MS = 300
/** Who ends in order has so long for it. */
const STOP_MS = 2500

/** `HOST BOOT PROCESS`: a process of this boot can tell of another that it has died. */
const identityOf = (host: HostId, boot: number, number: number, died: ReadonlySet<string>): Identity => ({
  text: `${host} ${boot} ${number}`,
  isDead: (text) => text.startsWith(`${host} ${boot} `) && died.has(text),
  nameOf: (text) => `process ${text}`,
})

export const makeHost = ({ id, seed, time, store, broken, lagMs, mortal, read, tell, defect }: HostParts): Host => {
  const line = makeLine(time, randomOf(seed, `line ${id}`), broken)
  const machine = makeMachine(randomOf(seed, `machine ${id}`), NO_FACTS)
  const died = new Set<string>()
  let boot = 1
  let number = 0
  let isWanted = false
  let process: Process | null = null
  let running: Running | null = null
  let waiting: ((running: Running) => void)[] = []

  const start = (): void => {
    isWanted = true
    if (process !== null) return
    const mine = startProcess(time)
    process = mine
    number += 1
    const identity = identityOf(id, boot, number, died)
    mine.atEnd(() => died.add(identity.text))
    const strayed = (what: string): void => defect(`${id}: an ended process asked the store: ${what}`)
    const over = storeOver({ store, line, process: mine, lagMs, strayed })
    const { clock } = mine
    const who = { host: id, place: 'the store', identity, mortal }
    const cluster = membership({ store: over, ...who, clock, ttlMs: TTL_MS, read })
    const options = { kernel: machine.kernelFor(mine), cluster, after: clock.after, breathe: () => Promise.resolve() }
    tell('starts')
    openEngine(options).then(
      (opened) => {
        if (E.isRight(opened)) up({ engine: opened.right, cluster, process: mine })
        else failed(mine, explain(opened.left))
      },
      (error) => defect(`${id}: ${error instanceof Error ? error.stack : error}`),
    )
  }
  const up = (now: Running): void => {
    tell('is up')
    running = now
    const told = waiting
    waiting = []
    for (const work of told) work(now)
  }
  const end = (): void => {
    process?.end()
    process = null
    running = null
  }
  /** It waits in its own time, so that who stands still does not begin anew. */
  const failed = (mine: Process, why: string): void => {
    tell(`could not begin: ${why}`)
    mine.clock.after(AGAIN_MS, () => {
      end()
      start()
    })
  }

  return {
    id,
    line,
    machine,
    running: () => running,
    start,
    crash: (reboot) => {
      tell(reboot ? 'reboots' : 'crashes')
      isWanted = false
      end()
      if (!reboot) return
      boot += 1
      machine.reboot()
    },
    stop: () => {
      isWanted = false
      if (running === null) return end()
      tell('stops')
      const mine = running
      running = null
      const over = (): void => {
        if (process !== mine.process) return
        end()
        if (isWanted) start()
      }
      mine.process.clock.after(STOP_MS, over)
      mine.engine.close().then(over, (error) => defect(`${id}: ${error}`))
    },
    pause: () => process?.pause(),
    resume: () => process?.resume(),
    whenUp: (work) => {
      if (running !== null) work(running)
      else waiting.push(work)
    },
  }
}
