// What slow, dead, stopped and unreachable servers of etcd do to the store: nothing is lost, nothing is doubled, a watch misses
// nothing, and it all goes on by itself.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { E } from '../../src/prelude.ts'
import { explainStore, type StoreError } from '../../src/store/error.ts'
import type { SharedStore } from '../../src/store/lease.ts'
import { owned } from '../../src/store/owner.ts'
import type { Store } from '../../src/store/store.ts'
import { type Cluster, needsEtcd, startEtcd } from '../lib/etcd.ts'
import { type Relay, startRelay } from '../lib/relay.ts'
import { runs } from '../lib/runs.ts'
import { wait } from '../lib/victim.ts'
import { counting, listen, raise, throughACut, upTo } from './counting.ts'
import { openAt } from './etcd-lib.ts'
import { left, put, right } from './lib.ts'

const HASTE = { attemptMs: 300, patienceMs: 10_000, aliveEveryMs: 300 }

const countOf = async (store: Store): Promise<number> => Number((await right(store.get('n')))?.value ?? 0)

needsEtcd('one server of etcd behind a bad line', () => {
  let cluster: Cluster
  let made = 0
  beforeAll(async () => {
    cluster = await startEtcd()
  })
  afterAll(() => cluster.end())

  const behind = async (
    work: (store: SharedStore, relay: Relay, direct: SharedStore) => Promise<void>,
    options = HASTE,
  ) => {
    made += 1
    const relay = await startRelay(cluster.servers[0]?.port ?? 0)
    const store = await openAt({ hosts: relay.host }, `f${made}`, options)
    const direct = await openAt(cluster, `f${made}`)
    try {
      await work(store, relay, direct)
    } finally {
      await relay.end()
      await store.close()
      await direct.close()
    }
  }

  test('a transaction whose answer is lost has happened once, and its caller is told the revision', () =>
    behind(async (store, relay, direct) => {
      await right(store.transact(put('n', '1')))
      const heard = listen(direct)
      relay.swallow()
      const writing = store.transact(put('n', '2'))()
      await expect.poll(async () => (await right(direct.get('n')))?.value).toBe('2')
      const happened = await right(direct.get('n'))
      relay.heal()
      expect(await writing).toEqual(E.right(happened?.revision))
      expect(await raise(store)).toEqual(E.right(3))
      await expect.poll(() => heard).toEqual([1, 2, 3])
    }))

  /** Holds the next request back for longer than its attempt, and those after it not at all. */
  const held = async <A>(relay: Relay, work: () => Promise<A>): Promise<A> => {
    relay.delay(1000)
    const working = work()
    await wait(100)
    relay.delay(0)
    const done = await working
    await wait(1200)
    return done
  }

  test('a raise that is held back for longer than its attempt neither comes late nor twice', () =>
    behind(async (store, relay, direct) => {
      const heard = listen(direct)
      const first = await right(store.transact(put('n', '1')))
      const raised = await held(relay, store.transact({ compares: [], writes: [{ key: 'n', value: '2' }] }))
      expect(E.isRight(raised) && raised.right > first).toBe(true)
      expect(heard).toEqual([1, 2])
      expect(await raise(store)).toEqual(E.right(3))
      expect(heard).toEqual([1, 2, 3])
    }))

  test('a write that is held back does not undo what came after it', () =>
    behind(async (store, relay, direct) => {
      await right(store.transact(put('a', 'first')))
      await held(relay, async () => {
        await right(store.transact(put('a', 'held back')))
        await right(direct.transact(put('a', 'last')))
      })
      expect((await right(direct.get('a')))?.value).toBe('last')
    }))

  test('with a line that swallows answers again and again, a counter counts each raise once', { timeout: 60_000 }, () =>
    behind(async (store, relay, direct) => {
      const heard = listen(direct)
      let isOver = false
      const tampering = (async () => {
        while (!isOver) {
          relay.swallow()
          await wait(50)
          relay.heal()
          // Reads get through, too, before it begins again.
          await wait(100 + Math.random() * 50)
        }
      })()
      const outcomes: E.Either<StoreError, number>[] = []
      await Promise.all(
        [0, 1, 2].map(async () => {
          for (let i = 0; i < 20; i++) outcomes.push(await raise(store))
        }),
      )
      isOver = true
      await tampering
      expect(outcomes.filter(E.isLeft)).toEqual([])
      expect(outcomes.flatMap((each) => (E.isRight(each) ? [each.right] : [])).sort((a, b) => a - b)).toEqual(upTo(60))
      expect(await countOf(direct)).toBe(60)
      await expect.poll(() => heard).toEqual(upTo(60))
    }),
  )

  test('a line that is cut: the caller is told within its patience that nobody knows, a watch goes on when it is healed', () =>
    behind(throughACut, { ...HASTE, patienceMs: 1000 }))

  test('a writer of its own that was left without an answer writes nothing more, and the next one knows', () =>
    behind(
      async (store, relay, direct) => {
        const writer = await right(owned(store, 'here'))
        await right(writer.transact(put('a', 'x')))
        relay.cut()
        expect(await left(writer.transact(put('a', 'y')))).toMatchObject({ tag: 'StoreUnavailable' })
        relay.heal()
        const refused = await left(writer.transact(put('a', 'z')))
        expect(explainStore(refused)).toContain('what it holds is not certain; begin again')
        expect((await right(direct.get('a')))?.value).toBe('x')
        await writer.close()
        const next = await right(owned(direct, 'here'))
        await right(next.transact(put('a', 'next')))
      },
      { ...HASTE, patienceMs: 1000 },
    ))

  test('what was compacted while a watch was cut off ends it, and says so', () =>
    behind(async (store, relay, direct) => {
      await raise(store)
      const heard = listen(store)
      await expect.poll(() => heard).toEqual([1])
      relay.cut()
      for (let i = 0; i < 3; i++) await raise(direct)
      const { revision } = await right(direct.list(''))
      await cluster.servers[0]?.request('kv/compaction', { revision: String(revision) })
      relay.heal()
      await expect.poll(() => heard, { timeout: 10_000 }).toEqual([1, 'StoreCompacted'])
    }))

  test('a session that the server has given up is begun anew', () =>
    behind(async (store, _relay, direct) => {
      await right(store.transact(put('a', 'x')))
      const leases = (await cluster.servers[0]?.request('lease/leases', {}))?.get('leases')
      // Cast: as etcd documents it.
      for (const { ID } of (leases ?? []) as ReadonlyArray<{ ID: string }>)
        await cluster.servers[0]?.request('lease/revoke', { ID })
      await right(store.transact(put('a', 'y')))
      expect((await right(direct.get('a')))?.value).toBe('y')
    }))
})

needsEtcd('three servers of etcd', () => {
  let cluster: Cluster
  let made = 0
  beforeAll(async () => {
    cluster = await startEtcd({ size: 3 })
  })
  afterAll(() => cluster.end())

  /** Counts from several clients, each beginning at another member, while `harm` is done. */
  const countThrough = async (harm: () => Promise<void>): Promise<void> => {
    made += 1
    const prefix = `c${made}`
    const hosts = cluster.hosts.split(',')
    const turned = hosts.map((_, i) => ({ hosts: [...hosts.slice(i), ...hosts.slice(0, i)].join(',') }))
    const stores = await Promise.all(turned.map((each) => openAt(each, prefix, { ...HASTE, attemptMs: 1000 })))
    try {
      await counting(stores, harm)
    } finally {
      for (const store of stores) await store.close()
    }
  }

  test('the leader is killed, and comes back', { timeout: 90_000 }, () =>
    countThrough(async () => {
      const leader = await cluster.leader()
      await leader.kill()
      await wait(3000)
      leader.start()
      await cluster.ready()
    }),
  )

  test('the leader stands still, and wakes up', { timeout: 90_000 }, () =>
    countThrough(async () => {
      const leader = await cluster.leader()
      leader.pause()
      try {
        await wait(4000)
      } finally {
        leader.resume()
      }
      await cluster.ready()
    }),
  )

  test('each server in turn is killed, and comes back', { timeout: 120_000 }, () =>
    countThrough(async () => {
      for (const server of cluster.servers) {
        await server.kill()
        await wait(500)
        server.start()
        await cluster.ready()
      }
    }),
  )

  const steps = runs(0.05).numRuns
  test(`${steps} harms at random, one server at a time`, { timeout: 60_000 + steps * 10_000 }, async () => {
    const done: string[] = []
    const any = <A>(from: ReadonlyArray<A>): A => {
      const one = from[Math.floor(Math.random() * from.length)]
      if (one === undefined) throw new Error('there are some')
      return one
    }
    const harm = async (): Promise<void> => {
      for (let step = 0; step < steps; step++) {
        const [how, at, ms] = [any(['kill', 'pause']), any([0, 1, 2]), any([50, 500, 2500])]
        done.push(`${how} ${at} for ${ms} ms`)
        const server = cluster.servers[at]
        if (how === 'kill') await server?.kill()
        else server?.pause()
        await wait(ms)
        if (how === 'kill') server?.start()
        else server?.resume()
        await cluster.ready()
      }
    }
    await countThrough(harm).catch((error: unknown) => {
      throw new Error(done.join(', '), { cause: error })
    })
  })

  test('the server that a watch is at stands still: the watch goes on at another', { timeout: 60_000 }, async () => {
    const [first, second] = cluster.servers
    const watcher = await openAt({ hosts: `127.0.0.1:${first?.port},127.0.0.1:${second?.port}` }, 'still', HASTE)
    const writer = await openAt({ hosts: `127.0.0.1:${second?.port}` }, 'still')
    try {
      const heard = listen(watcher)
      await raise(writer)
      await expect.poll(() => heard).toEqual([1])
      first?.pause()
      await raise(writer)
      await expect.poll(() => heard, { timeout: 10_000 }).toEqual([1, 2])
    } finally {
      first?.resume()
      await watcher.close()
      await writer.close()
    }
  })

  test('a majority is lost: callers are told so, and it goes on when it is back', { timeout: 90_000 }, async () => {
    const store = await openAt(cluster, 'majority', { ...HASTE, patienceMs: 1500 })
    const patient = await openAt(cluster, 'majority', { ...HASTE, patienceMs: 30_000 })
    const [, b, c] = cluster.servers
    try {
      const heard = listen(store)
      expect(await raise(store)).toEqual(E.right(1))
      await b?.kill()
      await c?.kill()
      const waiting = patient.transact(put('m', 'x'))()
      expect(await left(store.transact(put('a', 'x')))).toMatchObject({ tag: 'StoreUnavailable' })
      expect(await left(store.get('a'))).toMatchObject({ tag: 'StoreUnavailable' })
      b?.start()
      c?.start()
      await cluster.ready()
      expect(E.isRight(await waiting)).toBe(true)
      expect(await raise(store)).toEqual(E.right(2))
      await expect.poll(() => heard, { timeout: 10_000 }).toEqual([1, 2])
    } finally {
      await store.close()
      await patient.close()
    }
  })
})
