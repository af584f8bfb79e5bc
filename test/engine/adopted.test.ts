// Namespaces of others, and an engine that dies: whatever operation was its last, the next one has its links where they belong and
// nowhere else, and what the owners have is there.

import { describe, expect, test } from 'vitest'
import { freshEngine, openEngine } from '../../src/engine/engine.ts'
import { skeletonTable } from '../../src/kernel/firewall/elements.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import type { KernelObject } from '../../src/kernel/object.ts'
import { type SimKernel, simKernel } from '../../src/kernel-sim/kernel.ts'
import { namelessAt } from '../../src/kernel-sim/state.ts'
import type { Command } from '../../src/model/command.ts'
import { mac } from '../../src/net/mac.ts'
import { ifName, ns } from '../../src/net/name.ts'
import { getIn, valuesOf } from '../../src/net/pmap.ts'
import { memoryStore } from '../../src/store/memory.ts'
import { rightOf } from '../kernel-linux/labs.ts'
import { box, createEndpoint, createNetwork, createSandbox, join } from '../lib/model.ts'

const [A, B] = ['/proc/17/ns/net', '/proc/18/ns/net'] as const
const setKey = (path: string): Command => ({ tag: 'SetKey', sandbox: box(1), path })
const gone: Command = { tag: 'DeleteSandbox', id: box(1) }
const web = (external: boolean): ReadonlyArray<Command> => [
  createSandbox(1, 'web', { external }),
  createEndpoint(1, 1, 'web'),
  join(1, 1),
]

const OWNER = ns('owner')
const theirs = { kind: 'link', ns: OWNER, mtu: 1500, up: true, alias: 'cnm:theirs' } as const
const eth8 = { ns: OWNER, name: ifName('eth8') }
/** As if from a `cnm` of their own. */
const FURNITURE: ReadonlyArray<KernelObject> = [
  { ...theirs, name: ifName('br-theirs'), spec: { type: 'bridge' }, mac: mac(0x02_42_00_00_00_01) },
  { ...theirs, name: ifName('eth7'), spec: { type: 'veth', peer: eth8 }, mac: mac(0x02_42_00_00_00_02) },
  skeletonTable(OWNER),
]

/** Both namespaces exist, and have no name yet. */
const furnished = async (): Promise<SimKernel> => {
  const kernel = simKernel()
  for (const at of [A, B]) {
    const netns = { kind: 'netns', ns: OWNER, at } as const
    const created = [netns, ...FURNITURE].map((object) => ({ verb: 'create', object }) as const)
    rightOf(await kernel.apply([...created, { verb: 'delete', object: netns }])())
  }
  return kernel
}

/** What is in a namespace without a name; null: it has one. */
const insideOf = (kernel: SimKernel, at: string): unknown => {
  const space = getIn(kernel.world().namespaces, namelessAt(at))
  if (space === undefined) return null
  return { links: valuesOf(space.links).map(({ name }) => name), firewall: space.firewall !== null }
}
const AS_BEFORE = { links: ['br-theirs', 'eth7', 'eth8', 'lo'], firewall: true }

/** A kernel of which the next list ends the process, after so many operations. */
const mortalOf = (kernel: Kernel) => {
  let lives: number | null = null
  const apply: Kernel['apply'] = (ops) => async () => {
    if (lives === null) return kernel.apply(ops)()
    rightOf(await kernel.apply(ops.slice(0, lives))())
    throw new Error(lives < ops.length ? 'killed' : 'killed at the end')
  }
  const killAfter = (n: number): void => {
    lives = n
  }
  return { mortal: { ...kernel, apply }, killAfter }
}

describe.each<readonly [string, ReadonlyArray<Command>, ReadonlyArray<Command>]>([
  ['adopted', web(true), [setKey(A)]],
  ['given up', [...web(true), setKey(A)], [gone]],
  ['exchanged for another', [...web(true), setKey(A)], [setKey(B)]],
  ['adopted in place of one that was made', web(false), [setKey(A)]],
  ['given up for one that is made', [...web(true), setKey(A)], [gone, ...web(false)]],
  ['given up by one sandbox, for the other of the next', [...web(true), setKey(A)], [gone, ...web(true), setKey(B)]],
])('a namespace that is %s', (_, before, change) => {
  test('is so also after a crash between any two operations', async () => {
    const steady = freshEngine({ kernel: simKernel(), check: true })
    for (const answer of await steady.submit([createNetwork(1, 'front'), ...before, ...change])) rightOf(answer)
    for (let n = 0, whole = false; !whole; n++) {
      const kernel = await furnished()
      const store = memoryStore()
      const { mortal, killAfter } = mortalOf(kernel)
      const engine = freshEngine({ kernel: mortal, store, check: true })
      for (const answer of await engine.submit([createNetwork(1, 'front'), ...before])) rightOf(answer)
      killAfter(n)
      const end = await engine.submit(change, { together: true }).catch((error: Error) => error.message)
      expect(end).toMatch(/^killed/)
      whole = end === 'killed at the end'

      const again = rightOf(await openEngine({ kernel, store, check: true }))
      expect(again.model()).toEqual(steady.model())
      expect(rightOf(await again.differences())).toEqual([])
      for (const at of [A, B]) expect([null, AS_BEFORE], `${at} after ${n}`).toContainEqual(insideOf(kernel, at))
      await again.submit([gone])
      expect([A, B].map((at) => insideOf(kernel, at))).toEqual([AS_BEFORE, AS_BEFORE])
    }
  })
})

test('a name that was taken away by hand is given back, to a namespace that holds what it held', async () => {
  const kernel = await furnished()
  const engine = freshEngine({ kernel, check: true })
  for (const answer of await engine.submit([createNetwork(1, 'front'), ...web(true), setKey(A)])) rightOf(answer)
  const model = engine.model()
  rightOf(await kernel.apply([{ verb: 'delete', object: { kind: 'netns', ns: ns('web'), at: A } }])())
  expect(insideOf(kernel, A)).toMatchObject({ links: expect.arrayContaining(['eth0']) })
  expect(rightOf(await engine.sweep())).toBe(1)
  expect(engine.model()).toBe(model)
  expect(rightOf(await engine.differences())).toEqual([])
  await engine.submit([gone])
  expect(insideOf(kernel, A)).toEqual(AS_BEFORE)
})
