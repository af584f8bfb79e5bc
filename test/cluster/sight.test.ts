// A host of a cluster as it is looked at without taking its place: what it has and what all share, together as they were.

import { expect, test } from 'vitest'
import { lookAtHost } from '../../src/cluster/sight.ts'
import { DRIVERS } from '../../src/drivers/registry.ts'
import { coreIn } from '../../src/engine/load.ts'
import type { Model } from '../../src/model/types.ts'
import { sizeOfMap, valuesOf } from '../../src/net/pmap.ts'
import { E } from '../../src/prelude.ts'
import { memoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import { box, createEndpoint, createNetwork, createSandbox, join, net } from '../lib/model.ts'
import { right } from '../store/lib.ts'
import { hostId, openHost, sharedMemory, tell } from './hosts.ts'

const a = hostId('a')

const modelAt = async (store: Store): Promise<Model> => {
  const { entries } = await right(lookAtHost(store, a, 'the store'))
  const core = coreIn(entries, a, DRIVERS)
  if (E.isLeft(core)) throw new Error(JSON.stringify(core.left))
  return core.right.model
}

/** Each `list` is followed by work. */
const busy = (store: Store, work: (prefix: string) => Promise<void>): Store => ({
  ...store,
  list: (prefix) => async () => {
    const listed = await store.list(prefix)()
    await work(prefix)
    return listed
  },
})

const world = async () => {
  const store = memoryStore()
  const engine = await openHost('a', sharedMemory(store))
  expect(await tell(engine, createNetwork(1, 'wide', { scope: 'global' }))).toBe(null)
  return { store, engine }
}

test('a sandbox that is joined between two readings is seen with all of it, or not at all', async () => {
  const { store, engine } = await world()
  const seen = await modelAt(
    busy(store, async (prefix) => {
      if (prefix !== 'h/a/') return
      for (const command of [createSandbox(1, 'box'), createEndpoint(1, 1, 'web'), join(1, 1)])
        expect(await tell(engine, command)).toBe(null)
    }),
  )
  const [endpoint] = valuesOf(seen.endpoints)
  expect([endpoint?.attachment?.sandbox, sizeOfMap(seen.sandboxes)]).toEqual([box(1), 1])
})

test('a sandbox that is gone between two readings is not seen without its endpoint', async () => {
  const { store, engine } = await world()
  for (const command of [createSandbox(1, 'box'), createEndpoint(1, 1, 'web'), join(1, 1)]) await tell(engine, command)
  const seen = await modelAt(
    busy(store, async (prefix) => {
      if (prefix === 'h/a/') await tell(engine, { tag: 'DeleteSandbox', id: box(1) })
    }),
  )
  expect([sizeOfMap(seen.sandboxes), sizeOfMap(seen.endpoints)]).toEqual([0, 0])
})

test('what is only the host’s own, and who is there, may change meanwhile', async () => {
  const { store, engine } = await world()
  let lists = 0
  const seen = await modelAt(
    busy(store, async (prefix) => {
      lists += 1
      if (prefix === 'h/a/') await tell(engine, createSandbox(1, 'box'))
    }),
  )
  expect([lists, sizeOfMap(seen.sandboxes), valuesOf(seen.networks).map(({ id }) => id)]).toEqual([3, 0, [net(1)]])
})

test('it is busy while its engine runs, and what is watched from then on tells of its changes alone', async () => {
  const { store, engine } = await world()
  const { isBusy, since } = await right(lookAtHost(store, a, 'the store'))
  let told = 0
  for (const { prefix, revision } of since) store.watch(prefix, revision, () => (told += 1))
  await store.transact({ compares: [], writes: [{ key: 'h/b/sandbox/x', value: '' }] })()
  expect([isBusy, told]).toEqual([true, 0])
  await tell(engine, createSandbox(1, 'box'))
  expect(told).toBe(1)
  await engine.close()
  expect((await right(lookAtHost(store, a, 'the store'))).isBusy).toBe(false)
})
