// A process that attaches and detaches containers with a published port, eight at a time, as often as its third argument says, through
// rtnetlink in the lab of the second; the first is the folder of its store. Says what it holds, and what there is in the lab, each time
// that a tenth is done, when nothing goes on behind any more. Started with --expose-gc.

import { readdirSync, readFileSync } from 'node:fs'
import { openEngine } from '../../src/engine/engine.ts'
import { objectsOf } from '../../src/kernel/state.ts'
import { parseLab } from '../../src/kernel-linux/names.ts'
import type { Command } from '../../src/model/command.ts'
import { HOST } from '../../src/net/name.ts'
import { port } from '../../src/net/port.ts'
import { E, type Either } from '../../src/prelude.ts'
import { lmdbStore } from '../../src/store/lmdb/lmdb.ts'
import { box, createEndpoint, createNetwork, createSandbox, join } from '../lib/model.ts'
import { kernelOf } from './load.ts'

const [dir = '', lab = '', cycles = ''] = process.argv.slice(2)
const AT_ONCE = 8
const TENTHS = 10

const given = <A>(result: Either<unknown, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const { kernel, close } = kernelOf({ lab: given(parseLab(lab)), transport: 'netlink' })
const store = given(await lmdbStore({ dir, history: 100 })())
const engine = given(await openEngine({ kernel, store, checkpointTurns: 50 }))

const submit = async (commands: ReadonlyArray<Command>): Promise<void> => {
  for (const answer of await engine.submit(commands)) given(answer)
}

const attach = (n: number): ReadonlyArray<Command> => [
  createSandbox(n, `c${n}`, {
    ports: [
      {
        hostIp: null,
        hostPorts: { from: port(8000 + n), to: port(8000 + n) },
        containerPort: port(80),
        transport: 'tcp',
      },
    ],
  }),
  createEndpoint(n, 1, `c${n}`),
  join(n, n),
]
const detach = (n: number): ReadonlyArray<Command> => [{ tag: 'DeleteSandbox', id: box(n) }]

const cycle = async (n: number): Promise<void> => {
  await submit(attach(n))
  await submit(detach(n))
}

const held = async (done: number) => {
  await kernel.settled()
  globalThis.gc?.()
  globalThis.gc?.()
  const names = readdirSync('/run/netns').filter((name) => name.includes(`${lab.replaceAll('-', '.')}-`))
  const there = objectsOf(given(await kernel.observe({ namespaces: [HOST], sysctls: [] })()))
  const count = (kind: string): number => there.filter((object) => object.kind === kind).length
  return {
    done,
    rss: Math.round(process.memoryUsage().rss / 1e4) / 100,
    heap: Math.round(process.memoryUsage().heapUsed / 1e4) / 100,
    files: readdirSync('/proc/self/fd').length,
    threads: readdirSync('/proc/self/task').length,
    namespaces: names.length,
    links: count('link'),
    elements: count('nft-element'),
    addresses: count('address'),
    mounts: readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => names.some((name) => line.includes(name))).length,
  }
}

await submit([createNetwork(1, 'front')])
const tenth = Math.ceil(Number(cycles) / TENTHS / AT_ONCE) * AT_ONCE
for (let done = 0; done < tenth * TENTHS; done += AT_ONCE) {
  if (done % tenth === 0) process.stdout.write(`${JSON.stringify(await held(done))}\n`)
  await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => cycle(i + 1)))
}
process.stdout.write(`${JSON.stringify(await held(tenth * TENTHS))}\n`)
await submit([{ tag: 'DeleteNetwork', id: createNetwork(1, 'front').id }])
await engine.close()
await close()
