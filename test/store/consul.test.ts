// The store on Consul keeps the contract of stores, on a server of its own.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { E } from '../../src/prelude.ts'
import type { SharedStore } from '../../src/store/lease.ts'
import { type ConsulCluster, needsConsul, startConsul } from '../lib/consul.ts'
import { startRelay } from '../lib/relay.ts'
import { wait } from '../lib/victim.ts'
import { openAt } from './consul-lib.ts'
import { storeContract } from './contract.ts'
import { leaseContract, type Party } from './lease-contract.ts'
import { put, right } from './lib.ts'

const TTL_MS = 1000

needsConsul('the store on Consul', () => {
  let cluster: ConsulCluster
  let made = 0
  beforeAll(async () => {
    cluster = await startConsul()
  })
  afterAll(() => cluster.end())
  const prefix = (): string => {
    made += 1
    return `contract/${made}`
  }

  storeContract((options) => openAt(cluster, prefix(), options), { largestBytes: 500_000 })

  test('what several write in pieces at once, with small transactions between, is whole in every list', {
    timeout: 60_000,
  }, async () => {
    const at = prefix()
    const stores = await Promise.all([1, 2, 3].map(() => openAt(cluster, at, { history: 100 })))
    const [first] = stores
    if (first === undefined) throw new Error('there are three')
    const keys = Array.from({ length: 100 }, (_, i) => `m/${i}`)
    const told: string[] = []
    first.watch('m/', 0, (news) => told.push(news.tag === 'Changed' ? `${news.writes[0]?.value}` : news.error.tag))
    const raises = stores.map(async (store) => {
      for (let done = 0; done < 8; ) {
        const { entries, revision: seen } = await right(store.list('m/'))
        const kinds = new Set(entries.map(({ value, revision }) => `${value} ${revision}`))
        expect([[0, 100].includes(entries.length), kinds.size <= 1]).toEqual([true, true])
        const [{ value, revision } = { value: '0', revision: 0 }] = entries
        expect(revision).toBeLessThanOrEqual(seen)
        const writes = keys.map((key) => ({ key, value: `${Number(value) + 1}` }))
        if (E.isRight(await store.transact({ compares: [{ key: 'm/7', revision }], writes })())) done += 1
      }
    })
    const small = stores.map(async (store, n) => {
      for (let i = 1; i <= 40; i++) await right(store.transact(put(`s/${n}`, `${i}`)))
    })
    await Promise.all([...raises, ...small])
    expect((await right(first.get('m/99')))?.value).toBe('24')
    expect((await right(first.list('s/'))).entries.map(({ value }) => value)).toEqual(['40', '40', '40'])
    await expect.poll(() => told).toEqual(Array.from({ length: 24 }, (_, i) => `${i + 1}`))
    for (const store of stores) await store.close()
  })

  const party = async (): Promise<Party & Readonly<{ store: SharedStore; other: SharedStore }>> => {
    const at = prefix()
    const relay = await startRelay(cluster.servers[0]?.port ?? 0)
    const store = await openAt({ hosts: relay.host }, at, { attemptMs: 300, patienceMs: 1000 })
    const other = await openAt(cluster, at)
    return {
      store,
      leases: store,
      other,
      cut: relay.cut,
      elapse: wait,
      end: async () => {
        await relay.end()
        await store.close()
        await other.close()
      },
    }
  }
  leaseContract(party, TTL_MS)

  test('what is held is given up when its store is closed', async () => {
    const { store, other, end } = await party()
    try {
      await right(store.hold('a', 'x', 60_000, () => {}))
      await store.close()
      expect(await right(other.get('a'))).toBeNull()
    } finally {
      await end()
    }
  })

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

  test('what was written anew after a hold was removed outlives the holder', async () => {
    const { store, other, end } = await party()
    try {
      await right(store.hold('a', 'x', TTL_MS, () => {}))
      for (const value of [null, 'mine']) await right(other.transact(put('a', value)))
      await store.close()
      expect((await right(other.get('a')))?.value).toBe('mine')
    } finally {
      await end()
    }
  })

  test('of a holder that died while nobody had the store open, the next who opens it takes it down', async () => {
    const { store, other, cut, end } = await party()
    const at = `contract/${made}`
    try {
      await right(store.hold('a', 'x', TTL_MS, () => {}))
      await other.close()
      cut()
      await wait(3 * TTL_MS)
      const next = await openAt(cluster, at)
      expect(await right(next.get('a'))).toBeNull()
      await next.close()
    } finally {
      await end()
    }
  })
})
