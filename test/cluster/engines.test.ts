// Engines of several hosts on one store: what is shared, what is not, and what happens where two want the same at once. Interleavings by
// the hundred are in properties/cluster.properties.ts; real servers in test/cluster/servers.test.ts.

import { describe, expect, test } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import { violations } from '../../src/model/invariants.ts'
import { endpointNamed, endpointsOn } from '../../src/model/queries.ts'
import { showIp } from '../../src/net/ip.ts'
import { sizeOfMap, valuesOf } from '../../src/net/pmap.ts'
import type { SharedStore } from '../../src/store/lease.ts'
import { memoryStore } from '../../src/store/memory.ts'
import {
  createEndpoint,
  createNetwork,
  createSandbox,
  end,
  endpointIn,
  join,
  net,
  networkIn,
  outcome,
  v4,
} from '../lib/model.ts'
import { openHost, sharedMemory, tell } from './hosts.ts'

const shared = (n: number, name: string, more = {}) => createNetwork(n, name, { scope: 'global', ...more })

const hosts = async (...names: ReadonlyArray<string>): Promise<ReadonlyArray<Engine>> => {
  const store = memoryStore()
  return Promise.all(names.map((name) => openHost(name, sharedMemory(store))))
}
const two = async (): Promise<readonly [Engine, Engine]> => {
  const [a, b] = await hosts('a', 'b')
  if (a === undefined || b === undefined) throw new Error('no hosts')
  return [a, b]
}
const addressOf = (engine: Engine, n: number): string =>
  endpointIn(engine.model(), n)
    .addresses.map(({ cidr }) => showIp(cidr.ip))
    .join()

describe('of two hosts that share a store', () => {
  test('each has the shared networks and endpoints, and its own of all else', async () => {
    const [a, b] = await two()
    expect(await tell(a, shared(1, 'wide'))).toBe(null)
    expect(await tell(a, createNetwork(2, 'mine'))).toBe(null)
    expect(await tell(b, createNetwork(3, 'mine'))).toBe(null)
    expect(await tell(a, createEndpoint(1, 1, 'web'))).toBe(null)
    expect(await tell(b, createEndpoint(2, 1, 'db'))).toBe(null)
    expect(await tell(a, createEndpoint(3, 1, 'more'))).toBe(null)
    expect(endpointsOn(a.model(), net(1)).map(({ name }) => name)).toEqual(['db', 'more', 'web'])
    expect(new Set([1, 2, 3].map((n) => addressOf(a, n))).size).toBe(3)
    expect(valuesOf(a.model().networks).map(({ id }) => id)).toEqual([net(1), net(2)])
    expect(valuesOf(b.model().networks).map(({ id }) => id)).toEqual([net(1), net(3)])
  })

  test('what one has done, the other knows when it is asked', async () => {
    const [a, b] = await two()
    await tell(a, shared(1, 'wide'))
    expect(outcome(await tell(b, shared(2, 'wide')))).toEqual(['NetworkNameTaken', 409])
    expect(await tell(b, createEndpoint(1, 1, 'web'))).toBe(null)
    expect(outcome(await tell(a, createEndpoint(2, 1, 'web')))).toEqual(['EndpointNameTaken', 403])
    expect(outcome(await tell(a, { tag: 'DeleteNetwork', id: net(1) }))).toEqual(['HasEndpoints', 403])
    expect(outcome(await tell(a, { tag: 'DeleteEndpoint', id: end(1), force: false }))).toEqual(['OnOtherHost', 403])
    expect(await tell(b, { tag: 'DeleteEndpoint', id: end(1), force: false })).toBe(null)
    expect(await tell(a, { tag: 'DeleteNetwork', id: net(1) })).toBe(null)
    expect(outcome(await tell(b, createEndpoint(3, 1, 'web')))).toEqual(['NotFound', 404])
  })

  test('one gets a name, an address, an id; two subnets never overlap', async () => {
    const [a, b] = await two()
    const names = await Promise.all([tell(a, shared(1, 'wide')), tell(b, shared(2, 'wide'))])
    expect(names.map((each) => each?.tag ?? null).sort()).toEqual(['NetworkNameTaken', null])
    expect(await Promise.all([tell(a, shared(3, 'x')), tell(b, shared(4, 'y'))])).toEqual([null, null])
    await tell(b, createNetwork(9, 'barrier', { scope: 'global' }))
    await tell(a, { tag: 'DeleteNetwork', id: net(9) })
    expect(networkIn(a.model(), 3).pools[0]?.subnet).not.toEqual(networkIn(a.model(), 4).pools[0]?.subnet)
    const at = v4('10.0.1.7')
    const on = networkIn(a.model(), 3).pools[0]?.pool.includes('10.0.1.0') ? 3 : 4
    const addresses = await Promise.all([
      tell(a, createEndpoint(1, on, 'one', { ipv4: at })),
      tell(b, createEndpoint(2, on, 'two', { ipv4: at })),
    ])
    expect(addresses.map((each) => each?.tag ?? null).sort()).toEqual(['IPAlreadyAllocated', null])
    const ids = await Promise.all([tell(a, createEndpoint(5, 3, 'five')), tell(b, createEndpoint(5, 4, 'five'))])
    expect(ids.map((each) => each?.tag ?? null).sort()).toEqual(['IdTaken', null])
  })

  test('a network goes, or something comes to it: not both', async () => {
    for (let n = 1; n <= 20; n++) {
      const [a, b] = await two()
      await tell(a, shared(1, 'wide'))
      await tell(b, createEndpoint(1, 1, 'before'))
      await tell(b, { tag: 'DeleteEndpoint', id: end(1), force: false })
      const [gone, come] = await Promise.all([
        tell(a, { tag: 'DeleteNetwork', id: net(1) }),
        tell(b, createEndpoint(2, 1, 'web')),
      ])
      expect([gone?.tag ?? null, come?.tag ?? null].filter((each) => each === null)).toHaveLength(1)
    }
  })

  test('a shared network is made on a host when something joins it there, and goes with the last that leaves', async () => {
    const [a, b] = await two()
    await tell(a, shared(1, 'wide'))
    await tell(b, createSandbox(1, 'box'))
    const bare = sizeOfMap(b.wanted())
    await tell(b, createEndpoint(1, 1, 'web'))
    expect(sizeOfMap(b.wanted())).toBe(bare)
    await tell(b, join(1, 1))
    expect(sizeOfMap(b.wanted())).toBeGreaterThan(bare)
    expect(sizeOfMap(a.wanted())).toBe(0)
    await tell(b, { tag: 'DeleteSandbox', id: createSandbox(1, 'box').id })
    expect(sizeOfMap(b.wanted())).toBe(0)
  })

  test('two allocate from one subnet without a clash', async () => {
    const [a, b] = await two()
    await tell(a, shared(1, 'wide'))
    const made = await Promise.all(
      Array.from({ length: 120 }, (_, i) => tell(i % 2 === 0 ? a : b, createEndpoint(i + 1, 1, `c${i}`))),
    )
    expect(made.filter((each) => each !== null)).toEqual([])
    await tell(a, createEndpoint(500, 1, 'last'))
    const all = endpointsOn(a.model(), net(1)).flatMap(({ addresses }) => addresses.map(({ cidr }) => cidr.ip))
    expect(new Set(all).size).toBe(121)
  })

  test('a name that came and went before it was ours stays ours while that is still to be heard', async () => {
    const store = memoryStore()
    const a = await openHost('a', sharedMemory(store))
    let late: (() => void)[] | null = null
    const slow = sharedMemory(store)
    const watch: SharedStore['watch'] = (prefix, since, hear) =>
      slow.watch(prefix, since, (news) => (late === null ? hear(news) : late.push(() => hear(news))))
    // Who is checked and found wrong reads everything again, and nobody sees it.
    const b = await openHost('b', { ...slow, watch }, { check: false })
    await tell(a, shared(1, 'wide'))
    await tell(b, createEndpoint(1, 1, 'first'))
    late = []
    await tell(a, createEndpoint(2, 1, 'web', { ipv4: v4('10.0.0.77') }))
    await tell(a, { tag: 'DeleteEndpoint', id: end(2), force: false })
    expect(await tell(b, createEndpoint(3, 1, 'web'))).toBe(null)
    // Each turn hears a little more.

    for (const [i, hear] of late.entries()) {
      hear()
      expect(await tell(b, createSandbox(i + 1, `box${i}`))).toBe(null)
      expect(endpointNamed(b.model(), net(1), 'web')).toBe(end(3))
      expect(violations(b.model())).toEqual([])
    }
    late = null
    expect(outcome(await tell(b, createEndpoint(4, 1, 'web')))).toEqual(['EndpointNameTaken', 403])
  })
})
