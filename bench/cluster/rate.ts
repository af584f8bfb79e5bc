// Addresses that a cluster hands out in a second: three engines, each a process of its own, with 64 callers between them who want one
// after the other of one subnet, on three servers of etcd or ZooKeeper on this machine. The floor: as many keys in as large
// transactions, by the same clients, without an engine.

import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { membership } from '../../src/cluster/membership.ts'
import { type Engine, openEngine } from '../../src/engine/engine.ts'
import { simKernel } from '../../src/kernel-sim/kernel.ts'
import { parseHostId } from '../../src/model/cluster.ts'
import type { Command } from '../../src/model/command.ts'
import { endpointId, networkId } from '../../src/model/types.ts'
import { cidr } from '../../src/net/cidr.ts'
import { E, type Either } from '../../src/prelude.ts'
import type { SharedStore } from '../../src/store/lease.ts'
import { openShared } from '../../src/store/open.ts'
import { parseStoreUrl } from '../../src/store/url.ts'
import { startEtcd } from '../../test/lib/etcd-servers.ts'
import { startZookeeper } from '../../test/lib/zookeeper-servers.ts'
import type { Bench, Result } from '../lib.ts'
import { type Player, playerOf, type Role, roleWords } from '../linux/role.ts'

const ENGINES = 3
const CALLERS = 64
const WARM_MS = 2000
const MEASURED_MS = 8000
/** Keys of an endpoint with an IPv4 address: its record, its name, its address. */
const KEYS = 3
const NETWORK = networkId('aa'.repeat(32))

const right = <A>(result: Either<unknown, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const storeAt = async (text: string): Promise<SharedStore> => {
  const url = right(parseStoreUrl(text))
  if (url.tag !== 'etcd' && url.tag !== 'zk') throw new Error(`${text} is not shared`)
  return right(await openShared(url)())
}

type Counts = { transactions: number; conflicts: number }

const counting = (store: SharedStore, counts: Counts): SharedStore => ({
  ...store,
  transact: (transaction) => async () => {
    const done = await store.transact(transaction)()
    counts.transactions += 1
    if (E.isLeft(done) && done.left.tag === 'StoreConflict') counts.conflicts += 1
    return done
  },
})

const createNetwork: Command = {
  tag: 'CreateNetwork',
  id: NETWORK,
  name: 'shared',
  driver: 'bridge',
  scope: 'global',
  options: {},
  internal: false,
  attachable: false,
  labels: {},
  pools: [{ family: 4, subnet: cidr('10.0.0.0/8'), range: null, gateway: null, aux: {} }],
}

const createEndpoint = (): Command => {
  const id = endpointId(randomBytes(32).toString('hex'))
  const nothing = { aliases: [], ipv4: null, ipv6: null, mac: null }
  return { tag: 'CreateEndpoint', id, network: NETWORK, name: id.slice(0, 12), ...nothing }
}

/** Calls again and again until `until`. How often it was answered. */
const callUntil = async (engine: Engine, until: number): Promise<number> => {
  let answered = 0
  while (performance.now() < until) {
    const [answer] = await engine.submit([createEndpoint()])
    if (answer === undefined || E.isLeft(answer)) throw new Error(JSON.stringify(answer?.left))
    answered += 1
  }
  return answered
}

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((all, each) => all + each, 0)

/** Words: the store, the host, how many callers. Told `go`, it works, and says what came of it. */
const engineRole: Role = async ([url = '', name = '', callers = ''], heard, say) => {
  const counts: Counts = { transactions: 0, conflicts: 0 }
  const store = counting(await storeAt(url), counts)
  const cluster = membership({ store, host: right(parseHostId(name)), place: url })
  const engine = right(await openEngine({ kernel: simKernel(), cluster }))
  if (name === 'h0') right((await engine.submit([createNetwork]))[0] ?? E.left('no answer'))
  say('ready')
  for await (const _ of heard) {
    const crowd = Array.from({ length: Number(callers) })
    await Promise.all(crowd.map(() => callUntil(engine, performance.now() + WARM_MS)))
    counts.transactions = counts.conflicts = 0
    const until = performance.now() + MEASURED_MS
    const answered = sum(await Promise.all(crowd.map(() => callUntil(engine, until))))
    say(JSON.stringify({ answered, ...counts }))
  }
}

const floorRole: Role = async ([url = '', name = '', callers = ''], heard, say) => {
  const store = await storeAt(url)
  say('ready')
  for await (const _ of heard) {
    const until = performance.now() + MEASURED_MS
    let transactions = 0
    while (performance.now() < until) {
      const keys = Array.from(
        { length: Number(callers) * KEYS },
        () => `floor/${name}/${randomBytes(32).toString('hex')}`,
      )
      const compares = keys.map((key) => ({ key, revision: 0 }))
      right(await store.transact({ compares, writes: keys.map((key) => ({ key, value: name })) })())
      transactions += 1
    }
    say(JSON.stringify({ answered: transactions * Number(callers), transactions, conflicts: 0 }))
  }
}

export const roles = { engine: engineRole, floor: floorRole }

type Outcome = Readonly<{ answered: number; transactions: number; conflicts: number }>

/** One after the other to begin with, then all at once. */
const together = async (bundle: string, role: keyof typeof roles, url: string): Promise<Outcome> => {
  const players: Player[] = []
  try {
    for (let i = 0; i < ENGINES; i++) {
      const callers = Math.floor(CALLERS / ENGINES) + (i < CALLERS % ENGINES ? 1 : 0)
      const words = roleWords(bundle, role, url, `h${i}`, String(callers))
      const player = playerOf(
        spawn(process.execPath, [...process.execArgv, ...words], { stdio: ['pipe', 'pipe', 'inherit'] }),
      )
      players.push(player)
      await player.hear()
    }
    for (const { tell } of players) tell('go')
    // A cast: what the roles say.
    const outcomes = await Promise.all(players.map(async ({ hear }) => JSON.parse(await hear()) as Outcome))
    return {
      answered: sum(outcomes.map(({ answered }) => answered)),
      transactions: sum(outcomes.map(({ transactions }) => transactions)),
      conflicts: sum(outcomes.map(({ conflicts }) => conflicts)),
    }
  } finally {
    for (const { child } of players) child.kill('SIGKILL')
  }
}

type Measured = Readonly<{ rate: number; floor: number; conflicts: number }>

const perSecond = ({ answered }: Outcome): number => (answered / MEASURED_MS) * 1000

const measured = async (bundle: string, urlOf: (prefix: string) => string): Promise<Measured> => {
  const ours = await together(bundle, 'engine', urlOf('rate'))
  const floor = await together(bundle, 'floor', urlOf('floor'))
  return { rate: perSecond(ours), floor: perSecond(floor), conflicts: ours.conflicts / ours.answered }
}

const onEtcd = async (bundle: string): Promise<Measured> => {
  const servers = await startEtcd({ size: 3 })
  try {
    return await measured(bundle, (prefix) => `etcd://${servers.hosts}/${prefix}`)
  } finally {
    await servers.end()
  }
}

const onZookeeper = async (bundle: string): Promise<Measured> => {
  const servers = await startZookeeper(3)
  try {
    return await measured(bundle, (prefix) => `zk://${servers.hosts}/${prefix}`)
  } finally {
    await servers.end()
  }
}

/** Both metrics of a kind of server come from one run. */
const metricsOn = (kind: string, bundle: string, run: (bundle: string) => Promise<Measured>): ReadonlyArray<Bench> => {
  let outcome: Promise<Measured> | null = null
  const once = (): Promise<Measured> => {
    outcome ??= run(bundle)
    return outcome
  }
  const rate = async (): Promise<Result> => {
    const { rate: value, floor } = await once()
    return { value, ratios: [{ ratio: value / floor, to: 'the same keys without an engine' }] }
  }
  const conflicts = async (): Promise<Result> => ({ value: (await once()).conflicts, ratios: [] })
  return [
    { name: `cluster.${kind}.rate`, unit: '1/s', better: 'higher', run: rate },
    { name: `cluster.${kind}.conflicts`, unit: 'x', better: 'lower', run: conflicts },
  ]
}

export const rateMetrics = (bundle: string): ReadonlyArray<Bench> => [
  ...metricsOn('etcd', bundle, onEtcd),
  ...metricsOn('zookeeper', bundle, onZookeeper),
]
