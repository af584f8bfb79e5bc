// The process of a host: an engine on a shared store and on the kernel of its namespaces. It takes commands as lines of JSON and answers
// each (protocol.ts); until the store can be reached it tries again. Or a watcher beside the hosts, which tells what happens in the store.

import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { readKey } from '../../../src/cluster/layout.ts'
import { membership } from '../../../src/cluster/membership.ts'
import { type Engine, openEngine } from '../../../src/engine/engine.ts'
import type { Kernel } from '../../../src/kernel/kernel.ts'
import { keyOf } from '../../../src/kernel/object.ts'
import type { KernelOp } from '../../../src/kernel/op.ts'
import { linuxKernel } from '../../../src/kernel-linux/linux.ts'
import { labNames, parseLab } from '../../../src/kernel-linux/names.ts'
import { simKernel } from '../../../src/kernel-sim/kernel.ts'
import { isElsewhere, isShared, parseHostId } from '../../../src/model/cluster.ts'
import { decodeStored } from '../../../src/model/codec.ts'
import type { Command } from '../../../src/model/command.ts'
import { explain } from '../../../src/model/error.ts'
import { violations } from '../../../src/model/invariants.ts'
import { showIp } from '../../../src/net/ip.ts'
import { valuesOf } from '../../../src/net/pmap.ts'
import { E, type Either } from '../../../src/prelude.ts'
import { explainStore, type StoreError } from '../../../src/store/error.ts'
import { openEtcd } from '../../../src/store/etcd/open.ts'
import type { SharedStore } from '../../../src/store/lease.ts'
import type { News, Write } from '../../../src/store/store.ts'
import { parseStoreUrl } from '../../../src/store/url.ts'
import { zookeeperStore } from '../../../src/store/zookeeper/zookeeper.ts'
import { acted } from './acts.ts'
import { listedIn, sharedIn } from './listing.ts'
import type { Acted, Ask, Looked, Said, Setting } from './protocol.ts'

// A cast: its parent writes it.
const setting = JSON.parse(process.argv[2] ?? '{}') as Setting

const say = (said: Said): void => void process.stdout.write(`${JSON.stringify(said)}\n`)
const given = <A>(result: Either<unknown, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const AGAIN_MS = 200
/** Who waits for servers that come and go waits less long than the command line does. */
const PATIENCE = { attemptMs: 1000, patienceMs: 5000, aliveEveryMs: 1000 }
const SESSION = { sessionMs: 2000, timeoutMs: 5000 }

const openStore = async (): Promise<Either<StoreError, SharedStore>> => {
  const scheme = setting.store === 'etcd' ? 'etcd' : 'zk'
  const url = given(parseStoreUrl(`${scheme}://${setting.servers}/${setting.prefix}`))
  if (url.tag === 'etcd') return openEtcd(url, PATIENCE)()
  if (url.tag === 'zk') return zookeeperStore({ url, ...SESSION })()
  throw new Error('a URL of servers was asked for')
}

/** As soon as it can be had. */
const insisting = async <A>(attempt: () => Promise<Either<string, A>>): Promise<A> => {
  for (;;) {
    const had = await attempt()
    if (E.isRight(had)) return had.right
    say({ tag: 'shut', why: had.left })
    await sleep(AGAIN_MS)
  }
}

/** Why what there is could not be deleted. */
const cleaned = async (engine: Engine, shared: boolean): Promise<ReadonlyArray<string>> => {
  const model = engine.model()
  const endpoints = valuesOf(model.endpoints).filter(
    ({ id, attachment }) => attachment === null && !isElsewhere(model, id),
  )
  const commands: ReadonlyArray<Command> = [
    ...valuesOf(model.sandboxes).map(({ id }) => ({ tag: 'DeleteSandbox', id }) as const),
    ...endpoints.map(({ id }) => ({ tag: 'DeleteEndpoint', id, force: false }) as const),
    ...valuesOf(model.networks)
      .filter((network) => isShared(model, network) === shared)
      .map(({ id }) => ({ tag: 'DeleteNetwork', id }) as const),
  ]
  const answers = await engine.submit(commands)
  return answers.flatMap((answer) => (E.isLeft(answer) ? [explain(answer.left)] : []))
}

/** What it refuses is told, for the log. */
const telling = (kernel: Kernel): Kernel => ({
  ...kernel,
  apply: (ops) => async () => {
    const applied = await kernel.apply(ops)()
    if (E.isLeft(applied)) say({ tag: 'refused', what: JSON.stringify(applied.left, inText), of: ops.map(shown) })
    return applied
  },
})
const inText = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}` : value)
const shown = ({ verb, object }: KernelOp): string => `${verb} ${keyOf(object)}`

const host = async (): Promise<(ask: Ask) => Promise<Acted | Looked | null>> => {
  const id = given(parseHostId(setting.host))
  const { store: kind, prefix, ttlMs } = setting
  const kernel = telling(
    setting.lab === null
      ? simKernel()
      : linuxKernel({ names: labNames(given(parseLab(setting.lab))), transport: 'netlink' }),
  )
  const engine = await insisting(async () => {
    const store = await openStore()
    if (E.isLeft(store)) return E.left(explainStore(store.left))
    const cluster = membership({ store: store.right, host: id, place: `${kind} ${prefix}`, mortal: true, ttlMs })
    const opened = await openEngine({ kernel, cluster, check: true })
    if (E.isRight(opened)) return opened
    await cluster.close()
    return E.left(explain(opened.left))
  })
  const look = async (): Promise<Looked> => {
    await kernel.settled()
    const differences = await engine.differences()
    return {
      shared: sharedIn(engine.model(), id),
      wrong: [
        ...violations(engine.model()),
        ...(E.isLeft(differences)
          ? [explain(differences.left)]
          : differences.right.map((op) => `its kernel differs: ${shown(op)}`)),
      ],
    }
  }
  return async (ask) => {
    if (ask.ask === 'act') return acted(engine, ask.act)
    const refused = ask.ask === 'clean' ? await cleaned(engine, ask.shared) : []
    const looked = await look()
    return { ...looked, wrong: [...refused, ...looked.wrong] }
  }
}

/** Of what others write, what tells when hosts were there, and which address an endpoint had. */
const tellOf = ({ key, value }: Write): boolean => {
  const about = readKey(key)
  if (about?.of === 'endpoint' && value !== null) {
    const event = decodeStored(`peer/${about.id}`, value)
    if (E.isRight(event) && event.right?.tag === 'PeerIs') {
      const [first] = event.right.peer.endpoint.addresses
      say({ tag: 'seen', endpoint: about.id, ip: first === undefined ? null : showIp(first.cidr.ip) })
    }
  }
  return key.startsWith('fence/') || about?.of === 'presence' || about?.of === 'member'
}

const watch = async (): Promise<(ask: Ask) => Promise<ReturnType<typeof listedIn> | null>> => {
  const store = await insisting(async () => {
    const opened = await openStore()
    return E.isLeft(opened) ? E.left(explainStore(opened.left)) : opened
  })
  const tell = (news: News): void => {
    if (news.tag === 'Ended') {
      say({ tag: 'shut', why: explainStore(news.error) })
      return void follow()
    }
    const writes = news.writes.filter(tellOf)
    if (writes.length > 0) say({ tag: 'wrote', revision: news.revision, writes })
  }
  const follow = async (): Promise<void> => {
    const listed = await insisting(async () => {
      const all = await store.list('')()
      return E.isLeft(all) ? E.left(explainStore(all.left)) : all
    })
    for (const entry of listed.entries) tellOf(entry)
    store.watch('', listed.revision, tell)
  }
  await follow()
  return async (ask) => {
    if (ask.ask !== 'list') return null
    const listed = await store.list('')()
    return E.isLeft(listed) ? null : listedIn(listed.right.entries)
  }
}

const answer = await (setting.role === 'watch' ? watch() : host())
say({ tag: 'open' })
for await (const line of createInterface({ input: process.stdin })) {
  // A cast: its parent writes them.
  const ask = JSON.parse(line) as Ask
  void answer(ask).then((its) => say({ tag: 'answer', id: ask.id, answer: its }))
}
process.exit(0)
