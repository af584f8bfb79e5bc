// One run: three servers of a store, three hosts that share it, clients of each, and a nemesis. At the end all are well again; then every
// host must know the same, and the store, the kernels and the history must be in order.

import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { check } from '../../../src/history/check.ts'
import { operationsOf } from '../../../src/history/event.ts'
import { explain } from '../../../src/history/explain.ts'
import { recorder } from '../../../src/history/record.ts'
import { showExplanation } from '../../../src/history/show.ts'
import { E } from '../../../src/prelude.ts'
import { diceOf } from '../../lib/histories.ts'
import { end as endpointIdOf } from '../../lib/model.ts'
import { clearsSeen } from './clears.ts'
import { clientOf, freshBoard } from './clients.ts'
import { converged, emptied, type World } from './ends.ts'
import { type Ground, here, namespaces } from './ground.ts'
import { type Agent, agentOf, type Machine, serverOf, type Telling } from './machine.ts'
import { nemesis } from './nemesis.ts'
import { HOSTS, planOf, SERVERS, showFault } from './plan.ts'
import type { Act, Acted, Setting, StoreKind } from './protocol.ts'
import { hostsSpec, type In, type Out } from './spec.ts'

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
const CLIENTS_EACH = 3
const PAUSE_MS = 20
const MAX_STEPS = 5_000_000
/** So late a watcher may hear of what happened, and so long before it the trouble may have been that was the cause: longer than a phase. */
const LATE_MS = 5 * TTL_MS

/** What was said and done, in the order of its time. */
const journal = () => {
  const start = performance.now()
  const lines: string[] = []
  return {
    note: (what: string, details: unknown = null): void => {
      lines.push(JSON.stringify({ ms: Math.round(performance.now() - start), what, details }))
    },
    text: () => lines.join('\n'),
  }
}

type Journal = ReturnType<typeof journal>

/** All machines of a run, and what was seen of them that must not be. */
const machinesOn = (ground: Ground, { store, program, seed }: RunOptions, telling: Telling) => {
  const servers = SERVERS.map((node) => `${ground.addressOf(node)}:${ground.portsOf(node)[0]}`).join(',')
  const setting = (role: Setting['role'], host: string): Setting => ({
    ...{ role, store, servers, prefix: `run${Math.abs(seed)}`, host, ttlMs: TTL_MS },
    lab: ground.labOf(host),
  })
  const agents = new Map(HOSTS.map((host) => [host, agentOf(ground, program, setting('host', host), telling)]))
  const machines = new Map<string, Machine>([
    ...SERVERS.map((node) => [node, serverOf(ground, store, node, telling)] as const),
    ...agents,
  ])
  return { machines, agents, watcher: agentOf(ground, program, setting('watch', 'watcher'), telling) }
}

/** What a history says of itself. */
const judged = ({
  log,
  clears,
  ips,
}: Readonly<{
  log: ReturnType<typeof recorder<In, Out>>
  clears: ReturnType<typeof clearsSeen>
  ips: ReadonlyMap<string, string>
}>): ReadonlyArray<string> => {
  const operations = operationsOf(log.history())
  if (E.isLeft(operations)) return [`the history is none: ${JSON.stringify(operations.left)}`]
  const spec = hostsSpec((end) => ips.get(endpointIdOf(end)) ?? null)
  const effort = { maxSteps: MAX_STEPS }
  const verdict = check(spec, [...operations.right, ...clears.operations()], effort)
  if (verdict.tag === 'linearizable') return []
  if (verdict.tag === 'undecided') return [`${verdict.group.name}: undecided after ${MAX_STEPS} steps`]
  return [showExplanation(spec, explain(spec, verdict.group, { maxSteps: MAX_STEPS, reach: 500 }))]
}

const runOn = async (ground: Ground, options: RunOptions, notes: Journal): Promise<Omit<Report, 'log'>> => {
  const { store, seed, seconds, progress = () => {} } = options
  const dice = diceOf(seed)
  const phases = planOf(dice, seconds * 1000, TTL_MS)
  const log = recorder<In, Out>()
  let events = 0
  const troubles: Array<Readonly<{ atMs: number; events: number }>> = []
  const clears = clearsSeen(
    () => (troubles.findLast(({ atMs }) => performance.now() - atMs > LATE_MS) ?? troubles[0])?.events ?? null,
    () => events,
    store === 'etcd',
  )
  const ips = new Map<string, string>()
  const failures: string[] = []
  const world: World = {
    ...machinesOn(ground, options, {
      died: (node, why) => {
        notes.note(`${node} died`, why)
        failures.push(`${node} ${why}`)
      },
      said: (node, said) => {
        if (said.tag !== 'seen') notes.note(node, said)
        if (said.tag === 'wrote') clears.hear(said)
        if (said.tag === 'seen' && said.ip !== null) ips.set(said.endpoint, said.ip)
      },
    }),
    ground,
  }
  /** The recorder counts events; so do we, for what is not a client's. */
  const counted: typeof log = {
    invoke: (client, input) => {
      notes.note(client, input)
      events += 1
      return log.invoke(client, input)
    },
    ok: (id, output) => {
      notes.note(`${id} ok`, output)
      events += 1
      log.ok(id, output)
    },
    fail: (id) => {
      notes.note(`${id} fail`)
      events += 1
      log.fail(id)
    },
    unknown: (id) => {
      notes.note(`${id} unknown`)
      events += 1
      log.unknown(id)
    },
    history: log.history,
  }
  const board = freshBoard()
  try {
    for (const node of SERVERS) world.machines.get(node)?.start()
    world.watcher.start()
    progress('the store starts')
    await world.watcher.opened()
    for (const agent of world.agents.values()) agent.start()
    await Promise.all([...world.agents.values()].map((agent) => agent.opened()))
    let isOver = false
    const acting =
      (agent: Agent) =>
      async (act: Act): Promise<Acted | null> => {
        const answer = await agent.ask({ ask: 'act', act })
        // A cast: what is answered to an act.
        return answer as Acted | null
      }
    const clients = HOSTS.flatMap((host) =>
      Array.from({ length: CLIENTS_EACH }, (_, n) => {
        const agent = world.agents.get(host)
        if (agent === undefined) throw new Error(`there is no host ${host}`)
        return clientOf({
          ...{ name: `${host}${n}`, host, board, log: counted, act: acting(agent), pauseMs: PAUSE_MS },
          dice: diceOf(seed * 31 + HOSTS.indexOf(host) * 7 + n + 1),
          ready: () => agent.opened(),
          isOver: () => isOver,
        })
      }),
    )
    const working = Promise.all(clients.map((client) => client.run()))
    await nemesis(phases, world, {
      note: (what) => {
        notes.note(what)
        progress(what)
      },
      begins: () => void troubles.push({ atMs: performance.now(), events }),
      isBroken: () => failures.length > 0,
    })
    const healed = performance.now()
    isOver = true
    notes.note('healed')
    progress('healed')
    const first = await converged(world)
    const convergedMs = first === null ? performance.now() - healed : null
    notes.note('converged', { convergedMs, first })
    if (convergedMs === null) failures.push(...(first ?? []).map((why) => `not converged: ${why}`))
    else if (convergedMs > options.convergeMs)
      failures.push(
        `converged ${(convergedMs / 1000).toFixed(1)} s after healing, later than ${options.convergeMs / 1000} s`,
      )
    await Promise.race([working, sleep(60_000).then(() => failures.push('a client was not answered within 60 s'))])
    const last = await converged(world)
    failures.push(...(last ?? []).map((why) => `at the end: ${why}`))
    progress('all is deleted')
    failures.push(...(await emptied(world)))
    progress('the history is checked')
    const checking = performance.now()
    const history = log.history()
    notes.note('clears', clears.operations())
    failures.push(...board.strange, ...clears.wrong(), ...judged({ log, clears, ips }))
    return {
      ...{ store, seed, seconds, convergedMs, failures },
      operations: history.filter(({ tag }) => tag === 'invoke').length,
      unknown: history.filter(({ tag }) => tag === 'unknown').length,
      clears: clears.count(),
      faults: phases.flatMap(({ troubles }) => troubles).length,
      checkMs: performance.now() - checking,
      refused: Object.fromEntries([...board.refused].sort()),
    }
  } finally {
    await Promise.all([...world.machines.values(), world.watcher].map((machine) => machine.kill()))
  }
}

export const runNemesis = async (options: RunOptions): Promise<Report> => {
  const notes = journal()
  const ground = await (options.isHere === true ? here() : namespaces())
  try {
    const report = await runOn(ground, options, notes)
    if (report.failures.length === 0) return { ...report, log: null }
    const file = join(tmpdir(), `cnm-nemesis-${options.store}-${options.seed}-${process.pid}.log`)
    writeFileSync(file, `${notes.text()}\n`)
    return { ...report, log: file }
  } finally {
    await ground.remove()
  }
}

export const showPlan = (seed: number, seconds: number): string =>
  planOf(diceOf(seed), seconds * 1000, TTL_MS)
    .flatMap(({ troubles }) => troubles)
    .map(({ fault, fromMs, toMs }) => `${fromMs} to ${toMs} ms: ${showFault(fault)}`)
    .join('\n')
