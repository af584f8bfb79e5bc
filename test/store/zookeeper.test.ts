// The store on ZooKeeper keeps the contract of stores, on a real server.

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SharedStore } from '../../src/store/lease.ts'
import { startRelay } from '../lib/relay.ts'
import { wait } from '../lib/victim.ts'
import { type Ensemble, needsZookeeper, startZookeeper } from '../lib/zookeeper.ts'
import { storeContract } from './contract.ts'
import { leaseContract, type Party } from './lease-contract.ts'
import { put, right } from './lib.ts'
import { openAt } from './zookeeper-lib.ts'

const TTL_MS = 1000

needsZookeeper('the store on ZooKeeper', () => {
  let ensemble: Ensemble
  let made = 0
  beforeAll(async () => {
    ensemble = await startZookeeper(1)
  })
  afterAll(() => ensemble.end())

  storeContract(
    (options) => {
      made += 1
      return openAt(ensemble.hosts, `contract/${made}`, options)
    },
    // A server takes a megabyte, and a value is sent twice: for its key, and for whoever watches.
    { largestBytes: 520_000 },
  )

  const party = async (): Promise<Party & Readonly<{ store: SharedStore; other: SharedStore }>> => {
    made += 1
    const relay = await startRelay(ensemble.servers[0]?.port ?? 0)
    const store = await openAt(relay.host, `held/${made}`, { timeoutMs: 1000 })
    const other = await openAt(ensemble.hosts, `held/${made}`)
    return {
      store,
      leases: store,
      other,
      cut: relay.cut,
      elapse: wait,
      end: async () => {
        await Promise.all([store.close(), other.close()])
        await relay.end()
      },
    }
  }
  leaseContract(party, TTL_MS)

  test('who holds and is cut off knows that it is lost before anybody else does', async () => {
    const { store, other, cut, end } = await party()
    const told: string[] = []
    try {
      const { revision } = await right(store.hold('a', 'x', TTL_MS, ({ tag }) => told.push(tag)))
      other.watch('a', revision, ({ tag }) => told.push(tag))
      cut()
      await expect.poll(() => told, { timeout: 20_000 }).toEqual(['StoreUnavailable', 'Changed'])
    } finally {
      await end()
    }
  })

  test('who opens the store leaves what the living hold', async () => {
    const { store, other, end } = await party()
    try {
      const { revision } = await right(store.hold('a', 'x', TTL_MS, () => {}))
      await (await openAt(ensemble.hosts, `held/${made}`)).close()
      expect((await right(other.get('a')))?.revision).toBe(revision)
    } finally {
      await end()
    }
  })

  test('what was written anew after a hold was removed outlives the holder', async () => {
    const { store, other, end } = await party()
    try {
      await right(store.hold('a', 'x', TTL_MS, () => {}))
      for (const value of [null, 'mine']) await right(other.transact(put('a', value)))
      await store.close()
      const last = await right(other.hold('b', 'x', TTL_MS, () => {}))
      await wait(TTL_MS)
      await last.release()
      expect((await right(other.get('a')))?.value).toBe('mine')
    } finally {
      await end()
    }
  })

  test('of a holder that died while nobody had the store open, the next who opens it takes it down', async () => {
    const { store, other, cut, end } = await party()
    const prefix = `held/${made}`
    try {
      await right(store.hold('a', 'x', TTL_MS, () => {}))
      await other.close()
      cut()
      await wait(2 * TTL_MS)
      const next = await openAt(ensemble.hosts, prefix)
      expect(await right(next.get('a'))).toBeNull()
      await next.close()
    } finally {
      await end()
    }
  })
})
