// A process that ends as SIGKILL ends it, before its n-th call that may change something of the system: messages to the kernel,
// moves between namespaces, mounts, files, firewall transactions. n is the third argument; the first two are the folder of its store
// and the lab, in which it lives one story through rtnetlink. Says `end` and the number of calls if it comes to its end.

import child from 'node:child_process'
import fs from 'node:fs'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { openEngine } from '../../src/engine/engine.ts'
import { parseLab } from '../../src/kernel-linux/names.ts'
import type { Command, PortRequest } from '../../src/model/command.ts'
import { explain } from '../../src/model/error.ts'
import { port } from '../../src/net/port.ts'
import { E, type Either } from '../../src/prelude.ts'
import { lmdbStore } from '../../src/store/lmdb/lmdb.ts'
import { box, createEndpoint, createNetwork, createSandbox, end, join, leave, net, pool } from '../lib/model.ts'
import { kernelOf } from './load.ts'

const [dir = '', lab = '', last = '0'] = process.argv.slice(2)

let calls = 0
const call = (): void => {
  calls += 1
  if (calls === Number(last)) process.kill(process.pid, 'SIGKILL')
}

type Callable = (...args: ReadonlyArray<unknown>) => unknown
const counted =
  (f: Callable, counts: (args: ReadonlyArray<unknown>) => boolean = () => true): Callable =>
  (...args) => {
    if (counts(args)) call()
    return f(...args)
  }

const FOREIGN_CALLS = /\b(send|setns|unshare|mount|umount2|nft_run_cmd_from_\w+)\(/

/** As koffi binds a function of C: it can be called here, or aside. */
type Bound = Callable & { async: Callable }
const countedBound = (definition: string, bound: Bound): Bound =>
  FOREIGN_CALLS.test(definition) ? Object.assign(counted(bound), { async: counted(bound.async) }) : bound

/** Everything of ours goes through these, however it is written. Casts: they take what the originals take. */
const intercept = (): void => {
  const koffi = createRequire(import.meta.url)('koffi')
  const load = koffi.load
  koffi.load = (name: string | null) => {
    const library = load(name)
    return { func: (definition: string) => countedBound(definition, library.func(definition)) }
  }
  const forWriting = ([, flags = 'r']: ReadonlyArray<unknown>): boolean => flags !== 'r'
  const files = fs as unknown as Record<string, Callable>
  for (const [name, counts] of [['openSync', forWriting], ['unlinkSync'], ['writeSync'], ['write']] as const)
    files[name] = counted(files[name] as Callable, counts)
  const children = child as unknown as Record<string, Callable>
  children['spawn'] = counted(children['spawn'] as Callable)
  syncBuiltinESMExports()
}

const given = <A>(result: Either<unknown, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const MEMBERS = [1, 2, 3]
const PORTS: ReadonlyArray<PortRequest> = [8080, 8081].map((n) => ({
  hostIp: null,
  hostPorts: { from: port(n), to: port(n) },
  containerPort: port(80),
  transport: 'tcp',
}))
const attach = (n: number): ReadonlyArray<Command> => [createEndpoint(n, 1, `c${n}`), join(n, n)]
const publish = (ports: ReadonlyArray<PortRequest>): Command => ({
  tag: 'RefreshSandbox',
  id: box(1),
  hostname: 'c1',
  ports,
})

/** Each line is one turn. */
const STORY: ReadonlyArray<ReadonlyArray<Command>> = [
  [createNetwork(1, 'front', { pools: [pool(), pool('fd00:1::/64')] })],
  MEMBERS.map((n) => createSandbox(n, `c${n}`)),
  MEMBERS.flatMap(attach),
  [publish(PORTS)],
  [leave(2, 2), { tag: 'DeleteEndpoint', id: end(2), force: false }],
  attach(2),
  [publish([])],
  MEMBERS.map((n) => ({ tag: 'DeleteSandbox', id: box(n) })),
  [{ tag: 'DeleteNetwork', id: net(1) }],
]

intercept()
const { kernel, close } = kernelOf({ lab: given(parseLab(lab)), transport: 'netlink' })
const store = given(await lmdbStore({ dir })())
const transact: typeof store.transact = (transaction) => {
  call()
  return store.transact(transaction)
}
const engine = given(await openEngine({ kernel, store: { ...store, transact }, checkpointTurns: 50, check: true }))
for (const turn of STORY)
  for (const answer of await engine.submit(turn)) if (E.isLeft(answer)) throw new Error(explain(answer.left))
await engine.close()
await close()
process.stdout.write(`end ${calls}\n`)
