// The engines of several hosts on real servers: what engines.test.ts shows on a memory store, with true concurrency and true time.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { listHosts } from '../../src/cluster/hosts.ts'
import { endpointsOn } from '../../src/model/queries.ts'
import { showIp } from '../../src/net/ip.ts'
import type { SharedStore } from '../../src/store/lease.ts'
import { needsConsul, startConsul } from '../lib/consul.ts'
import { needsEtcd, startEtcd } from '../lib/etcd.ts'
import { createEndpoint, createNetwork, end, net } from '../lib/model.ts'
import { wait } from '../lib/victim.ts'
import { needsZookeeper, startZookeeper } from '../lib/zookeeper.ts'
import { openAt as openConsulAt } from '../store/consul-lib.ts'
import { openAt as openEtcdAt } from '../store/etcd-lib.ts'
import { right } from '../store/lib.ts'
import { openAt as openZookeeperAt } from '../store/zookeeper-lib.ts'
import { openHost, tell } from './hosts.ts'

type Servers = Readonly<{ open: (prefix: string) => Promise<SharedStore>; end: () => Promise<void> }>

const KINDS = [
  {
    needed: needsEtcd,
    name: 'etcd',
    start: async (): Promise<Servers> => {
      const cluster = await startEtcd()
      return { open: (prefix) => openEtcdAt(cluster, prefix), end: cluster.end }
    },
  },
  {
    needed: needsZookeeper,
    name: 'ZooKeeper',
    start: async (): Promise<Servers> => {
      const ensemble = await startZookeeper(1)
      return { open: (prefix) => openZookeeperAt(ensemble.hosts, prefix), end: ensemble.end }
    },
  },
  {
    needed: needsConsul,
    name: 'Consul',
    start: async (): Promise<Servers> => {
      const cluster = await startConsul()
      return { open: (prefix) => openConsulAt(cluster, prefix), end: cluster.end }
    },
  },
]

const TTL_MS = 3000
const EACH = 60
const HOSTS = ['a', 'b', 'c']

const until = async (holds: () => boolean | Promise<boolean>, what: string): Promise<void> => {
  const endMs = performance.now() + 60_000
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`${what}: not after 60 s`)
    await wait(50)
  }
}

for (const { needed, name, start } of KINDS) {
  needed(`three hosts that share ${name}`, () => {
    let servers: Servers
    beforeAll(async () => {
      servers = await start()
    })
    afterAll(() => servers.end())

    test('hand out addresses of one subnet at once, none twice, and come to know the same', async () => {
      const engines = await Promise.all(HOSTS.map(async (host) => openHost(host, await servers.open('rate'))))
      const [first, ...others] = engines
      if (first === undefined) throw new Error('no host')
      expect(await tell(first, createNetwork(1, 'wide', { scope: 'global' }))).toBe(null)
      const made = await Promise.all(
        Array.from({ length: EACH }, (_, i) =>
          Promise.all(engines.map((engine, at) => tell(engine, createEndpoint(at * 1000 + i, 1, `c${at}-${i}`)))),
        ),
      )
      expect(made.flat().filter((each) => each !== null)).toEqual([])
      const known = engines.map((engine) => () => endpointsOn(engine.model(), net(1)))
      await until(() => known.every((each) => each().length === EACH * HOSTS.length), 'all know all')
      const addresses = known.map((each) => each().flatMap((one) => one.addresses.map(({ cidr }) => showIp(cidr.ip))))
      expect(new Set(addresses[0]).size).toBe(EACH * HOSTS.length)
      for (const each of addresses) expect(each).toEqual(addresses[0])
      // Who was never told of it knows it when it matters.
      const last = others.at(-1) ?? first
      expect(await tell(first, createEndpoint(5001, 1, 'late'))).toBe(null)
      expect(await tell(last, createEndpoint(5002, 1, 'late'))).toMatchObject({ tag: 'EndpointNameTaken' })
      await Promise.all(engines.map((engine) => engine.close()))
    })

    test('never remove a network from under what comes to it', async () => {
      const engines = await Promise.all(HOSTS.map(async (host) => openHost(host, await servers.open('race'))))
      const [a, b] = engines
      if (a === undefined || b === undefined) throw new Error('no hosts')
      for (let n = 1; n <= 10; n++) {
        expect(await tell(a, createNetwork(n, `wide${n}`, { scope: 'global' }))).toBe(null)
        await tell(b, createEndpoint(2 * n, n, 'before'))
        await tell(b, { tag: 'DeleteEndpoint', id: end(2 * n), force: false })
        const both = await Promise.all([
          tell(a, { tag: 'DeleteNetwork', id: net(n) }),
          tell(b, createEndpoint(2 * n + 1, n, 'web')),
        ])
        expect(both.filter((each) => each === null)).toHaveLength(1)
      }
      await Promise.all(engines.map((engine) => engine.close()))
    })

    test('clear one of them that is not heard of any more', { timeout: 90_000 }, async () => {
      const options = { mortal: true, ttlMs: TTL_MS }
      const engines = await Promise.all(
        HOSTS.slice(1).map(async (host) => openHost(host, await servers.open('die'), options)),
      )
      const lost = await servers.open('die')
      const gone = await openHost('a', lost, options)
      const [first] = engines
      if (first === undefined) throw new Error('no host')
      await tell(first, createNetwork(1, 'wide', { scope: 'global' }))
      expect(await tell(gone, createEndpoint(1, 1, 'web'))).toBe(null)
      await until(() => endpointsOn(first.model(), net(1)).length === 1, 'the endpoint is known')
      // Its line to the servers ends, and with it what renews its presence.
      await lost.close()
      await until(() => endpointsOn(first.model(), net(1)).length === 0, 'the endpoint is gone')
      const look = await servers.open('die')
      await until(
        async () => (await right(listHosts(look))).find(({ host }) => host === 'a')?.mortal === false,
        'a is cleared',
      )
      expect((await right(listHosts(look))).map(({ host, endpoints }) => [host, endpoints])).toEqual([
        ['a', 0],
        ['b', 0],
        ['c', 0],
      ])
      await Promise.all([look.close(), gone.close(), ...engines.map((engine) => engine.close())])
    })
  })
}
