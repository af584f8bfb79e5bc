// One run: three servers of a store, three hosts that share it, clients of each, and a nemesis. At the end all are well again; then every
// host must know the same, and the store, the kernels and the history must be in order.

import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { diceOf } from '../../lib/histories.ts'
import { type Board, freshBoard, runClient } from './clients.ts'
import { converged, emptied, type World } from './ends.ts'
import { type Ground, here, namespaces } from './ground.ts'
import { agentOf, type Machine, serverOf, type Telling } from './machine.ts'
import { nemesis } from './nemesis.ts'
import { HOSTS, planOf, SERVERS, showFault } from './plan.ts'
import type { Acted, Setting, StoreKind } from './protocol.ts'
import { type Witness, witnessOf } from './witness.ts'

export type RunOptions = Readonly<{
  store: StoreKind
  seed: number
  seconds: number
  /** The bundle of host.ts. */
  program: string
  /** Without namespaces, on simulated kernels; nobody can be cut off then. */
  isHere?: boolean
  /** So long after healing all must know the same. */
  convergeMs: number
  progress?: (text: string) => void
}>

export type Report = Readonly<{
  store: StoreKind
  seed: number
  seconds: number
  operations: number
  unknown: number
  clears: number
  faults: number
  /** Null: they never did. */
  convergedMs: number | null
  checkMs: number
  /** How often which refusal was told. */
  refused: Readonly<Record<string, number>>
  failures: ReadonlyArray<string>
  /** Of a failed run. */
  log: string | null
}>

const TTL_MS = 3000
/** Longer than a phase. */
const LATE_MS = 5 * TTL_MS
const CLIENTS_EACH = 3
const PAUSE_MS = 20
const PATIENCE_MS = 60_000

/** The other is not waited for any more. */
const within = async <A>(ms: number, work: Promise<A>): Promise<A | 'late'> => {
  const ending = new AbortController()
  const late = sleep(ms, 'late' as const, { signal: ending.signal }).catch(() => 'late' as const)
  try {
    return await Promise.race([work, late])
  } finally {
    ending.abort()
  }
}

const machinesOn = (ground: Ground, { store, program, seed }: RunOptions, telling: Telling): World => {
  const servers = SERVERS.map((node) => `${ground.addressOf(node)}:${ground.portsOf(node)[0]}`).join(',')
  const setting = (role: Setting['role'], host: string): Setting => ({
    ...{ role, store, servers, prefix: `run${seed}`, host, ttlMs: TTL_MS },
    lab: ground.labOf(host),
  })
  const agents = new Map(HOSTS.map((host) => [host, agentOf(ground, program, setting('host', host), telling)]))
  const machines = new Map<string, Machine>([
    ...SERVERS.map((node) => [node, serverOf(ground, store, node, telling)] as const),
    ...agents,
  ])
  return { ground, machines, agents, watcher: agentOf(ground, program, setting('watch', 'watcher'), telling) }
}

const begin = async ({ machines, agents, watcher }: World, { failures }: Witness): Promise<void> => {
  for (const node of SERVERS) machines.get(node)?.start()
  watcher.start()
  await within(PATIENCE_MS, watcher.opened())
  for (const agent of agents.values()) agent.start()
  const all = await within(PATIENCE_MS, Promise.all([...agents.values()].map((agent) => agent.opened())))
  if (all === 'late') failures.push('the hosts did not begin within 60 s')
}

/** Resolves when all clients of all hosts have had their answers, after `isOver`. */
const working = async (
  { agents }: World,
  { log }: Witness,
  board: Board,
  seed: number,
  isOver: () => boolean,
): Promise<void> => {
  const clients = [...agents].flatMap(([host, agent], at) =>
    Array.from({ length: CLIENTS_EACH }, (_, n) =>
      runClient({
        ...{ name: `${host}${n}`, host, board, log, isOver, pauseMs: PAUSE_MS },
        dice: diceOf(seed * 31 + at * 7 + n + 1),
        ready: agent.opened,
        // A cast: what is answered to an act.
        act: async (act) => (await agent.ask({ ask: 'act', act })) as Acted | null,
      }),
    ),
  )
  await Promise.all(clients)
}

/** From healing on: how long it took until all knew the same. */
const converging = async (world: World, { note, failures }: Witness, mostMs: number): Promise<number | null> => {
  const healed = performance.now()
  note('healed')
  const wrong = await converged(world)
  const ms = performance.now() - healed
  note('converged', { ms, wrong })
  if (wrong === null) {
    if (ms > mostMs) failures.push(`converged ${(ms / 1000).toFixed(1)} s after healing, later than ${mostMs / 1000} s`)
    return ms
  }
  failures.push(...wrong.map((why) => `not converged: ${why}`))
  return null
}

const runOn = async (world: World, options: RunOptions, witness: Witness): Promise<Omit<Report, 'log'>> => {
  const { store, seed, seconds, progress = () => {} } = options
  const { failures, note, log, clears, begins } = witness
  const phases = planOf(diceOf(seed), seconds * 1000, TTL_MS)
  const board = freshBoard()
  progress('the store starts')
  await begin(world, witness)
  let isOver = false
  const clients = working(world, witness, board, seed, () => isOver)
  const tell = (what: string): void => {
    note(what)
    progress(what)
  }
  await nemesis(phases, world, { note: tell, begins, isBroken: () => failures.length > 0 })
  isOver = true
  progress('healed')
  const convergedMs = await converging(world, witness, options.convergeMs)
  if ((await within(PATIENCE_MS, clients)) === 'late') failures.push('a client was not answered within 60 s')
  failures.push(...((await converged(world)) ?? []).map((why) => `at the end: ${why}`))
  progress('all is deleted')
  failures.push(...(await emptied(world)))
  progress('the history is checked')
  const checking = performance.now()
  note('clears', clears.operations())
  failures.push(...board.strange, ...clears.wrong(), ...witness.judge())
  const history = log.history()
  return {
    ...{ store, seed, seconds, convergedMs, failures },
    operations: history.filter(({ tag }) => tag === 'invoke').length,
    unknown: history.filter(({ tag }) => tag === 'unknown').length,
    clears: clears.count(),
    faults: phases.flatMap(({ troubles }) => troubles).length,
    checkMs: performance.now() - checking,
    refused: Object.fromEntries([...board.refused].sort()),
  }
}

export const runNemesis = async (options: RunOptions): Promise<Report> => {
  const ground = await (options.isHere === true ? here() : namespaces())
  const witness = witnessOf(LATE_MS)
  const world = machinesOn(ground, options, witness.telling)
  try {
    const report = await runOn(world, options, witness)
    if (report.failures.length === 0) return { ...report, log: null }
    const file = join(tmpdir(), `cnm-nemesis-${options.store}-${options.seed}-${process.pid}.log`)
    writeFileSync(file, `${witness.text()}\n`)
    return { ...report, log: file }
  } finally {
    await Promise.all([...world.machines.values(), world.watcher].map((machine) => machine.kill()))
    await ground.remove()
  }
}

export const showPlan = (seed: number, seconds: number): string =>
  planOf(diceOf(seed), seconds * 1000, TTL_MS)
    .flatMap(({ troubles }) => troubles)
    .map(({ fault, fromMs, toMs }) => `${fromMs} to ${toMs} ms: ${showFault(fault)}`)
    .join('\n')
