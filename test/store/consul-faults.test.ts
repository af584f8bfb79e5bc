// What slow, dead, stopped and unreachable servers of Consul do to the store, and writers that die: nothing is lost, nothing is doubled,
// a watch misses nothing, and it all goes on by itself.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { E } from '../../src/prelude.ts'
import { type Client, makeClient } from '../../src/store/consul/client.ts'
import { plain } from '../../src/store/consul/commit.ts'
import { committerOn } from '../../src/store/consul/consul.ts'
import { decodeHead, layoutAt } from '../../src/store/consul/layout.ts'
import type { ConsulOptions } from '../../src/store/consul/open.ts'
import { explainStore, type StoreError } from '../../src/store/error.ts'
import type { SharedStore } from '../../src/store/lease.ts'
import { owned } from '../../src/store/owner.ts'
import type { News, Store, Write } from '../../src/store/store.ts'
import { type ConsulCluster, needsConsul, startConsul } from '../lib/consul.ts'
import { type Relay, startRelay } from '../lib/relay.ts'
import { wait } from '../lib/victim.ts'
import { openAt, urlOf } from './consul-lib.ts'
import { counting, listen, raise, throughACut, upTo } from './counting.ts'
import { left, put, right } from './lib.ts'

const HASTE: ConsulOptions = { attemptMs: 300, patienceMs: 10_000, waitMs: 300 }

const countOf = async (store: Store): Promise<number> => Number((await right(store.get('n')))?.value ?? 0)

/** More than one transaction of Consul's takes. */
const many = (value: string): ReadonlyArray<Write> =>
  Array.from({ length: 200 }, (_, i) => ({ key: `m/${String(i).padStart(3, '0')}`, value }))

needsConsul('one server of Consul behind a bad line', () => {
  let cluster: ConsulCluster
  let made = 0
  beforeAll(async () => {
    cluster = await startConsul()
  })
  afterAll(() => cluster.end())

  const behind = async (
    work: (store: SharedStore, relay: Relay, direct: SharedStore) => Promise<void>,
    options = HASTE,
  ) => {
    made += 1
    const relay = await startRelay(cluster.servers[0]?.port ?? 0)
    const store = await openAt({ hosts: relay.host }, `f${made}`, options)
    const direct = await openAt(cluster, `f${made}`, options.history === undefined ? {} : { history: options.history })
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

  test('so it is of one that is written in pieces', () =>
    behind(async (store, relay, direct) => {
      await right(store.transact({ compares: [], writes: many('1') }))
      const told: News[] = []
      direct.watch('m/', (await right(direct.list(''))).revision, (news) => told.push(news))
      relay.swallow()
      const writing = store.transact({ compares: [], writes: many('2') })()
      await expect.poll(async () => (await right(direct.get('m/199')))?.value).toBe('2')
      const { entries } = await right(direct.list('m/'))
      const revisions = new Set(entries.map(({ revision }) => revision))
      expect([...new Set(entries.map(({ value }) => value)), revisions.size]).toEqual(['2', 1])
      relay.heal()
      expect(await writing).toEqual(E.right([...revisions][0]))
      await expect.poll(() => told.map((news) => news.tag === 'Changed' && news.writes.length)).toEqual([200])
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
      const raised = await held(relay, store.transact(put('n', '2')))
      expect(E.isRight(raised) && raised.right > first).toBe(true)
      expect(heard).toEqual([1, 2])
      expect(await raise(store)).toEqual(E.right(3))
      await expect.poll(() => heard).toEqual([1, 2, 3])
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
    behind(
      async (store, relay, direct) => {
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
        expect(outcomes.flatMap((each) => (E.isRight(each) ? [each.right] : [])).sort((a, b) => a - b)).toEqual(
          upTo(60),
        )
        expect(await countOf(direct)).toBe(60)
        await expect.poll(() => heard).toEqual(upTo(60))
      },
      // Epochs of the log are short, so that answers are lost also of what ends one.
      { ...HASTE, history: 100 },
    ),
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

  test('what was forgotten while a watch was cut off ends it, and says so', () =>
    behind(
      async (store, relay, direct) => {
        await raise(store)
        const heard = listen(store)
        await expect.poll(() => heard).toEqual([1])
        relay.cut()
        for (let i = 0; i < 10; i++) await raise(direct)
        relay.heal()
        await expect.poll(() => heard, { timeout: 10_000 }).toEqual([1, 'StoreCompacted'])
        expect(await raise(store)).toEqual(E.right(12))
        const after = listen(store)
        await expect.poll(() => after).toEqual(['StoreCompacted'])
      },
      { ...HASTE, history: 3 },
    ))

  test('a session that the servers have ended is a loss, and the entry is gone', () =>
    behind(async (store, _relay, direct) => {
      const losses: string[] = []
      await right(store.hold('a', 'x', 3000, (error) => losses.push(explainStore(error))))
      const [server] = cluster.servers
      // Cast: as Consul documents it.
      const sessions = JSON.parse((await server?.request('GET', 'session/list')) ?? '[]') as ReadonlyArray<{
        ID: string
      }>
      for (const { ID } of sessions) await server?.request('PUT', `session/destroy/${ID}`)
      await expect.poll(async () => await right(direct.get('a')), { timeout: 5000 }).toBeNull()
      await expect.poll(() => losses, { timeout: 5000 }).toEqual([expect.stringContaining('may have given up "a"')])
    }))
})

/** Reaches the servers no more after so many transactions. */
const dying = (client: Client, steps: number): Readonly<{ client: Client; late: () => ReturnType<Client['txn']> }> => {
  let leftToDo = steps
  let late: Parameters<Client['txn']>[0] = []
  return {
    client: {
      ...client,
      txn: (ops, again, patienceMs) => {
        leftToDo -= 1
        if (leftToDo >= 0) return client.txn(ops, again, patienceMs)
        late = ops
        return Promise.resolve(E.left({ tag: 'Elsewhere', why: 'it is dead' }))
      },
    },
    late: () => client.txn(late, true),
  }
}

/** A writer on a store that is there, which reaches the servers no more after so many transactions. `late`: the next comes after all. */
const startDead = async ({ hosts }: ConsulCluster, prefix: string, steps: number) => {
  const { members } = urlOf(`consul://${hosts}`)
  const place = 'here'
  const client = makeClient({ place, members, token: null, tls: null, attemptMs: 3000, patienceMs: 3000 })
  const layout = layoutAt(`/${prefix}`)
  const head = await client.get(layout.head)
  const kv = E.isRight(head) ? head.right : null
  const text = decodeHead(Buffer.from(kv?.value ?? '', 'base64').toString())
  if (text === null) throw new Error('a store has a head')
  const settings = { patienceMs: 3000, waitMs: 3000, history: 1000 }
  const mortal = dying(client, steps)
  const { committer } = committerOn({ client: mortal.client, place, layout, ...text, ...settings })
  return { committer, late: mortal.late, close: client.close }
}

needsConsul('a writer that dies while it writes in pieces', () => {
  let cluster: ConsulCluster
  beforeAll(async () => {
    cluster = await startConsul()
  })
  afterAll(() => cluster.end())

  // 200 entries and their transaction are four pieces; then one that ends it.
  test.for([1, 2, 3, 4, 5])(
    'after %i of its 6 steps: it has happened, the next writer finishes it, and what comes late of it does nothing',
    async (steps) => {
      const prefix = `d${steps}`
      const [store, watcher] = [await openAt(cluster, prefix), await openAt(cluster, prefix)]
      try {
        const small = await right(store.transact(put('k', 'x')))
        const first = await right(store.transact({ compares: [], writes: many('1') }))
        const told: News[] = []
        watcher.watch('', first, (news) => told.push(news))
        const dead = await startDead(cluster, prefix, steps)
        const writes = [
          ...many('2').slice(0, 150),
          { key: 'm/199', value: null },
          { key: 'm/new', value: 'x' },
          ...many('3').slice(150, 199),
        ]
        const revision = await right(() =>
          dead.committer.commit(plain({ compares: [{ key: 'k', revision: small }], writes })),
        )

        const at = `kv/${prefix}/pending`
        expect(await cluster.servers[0]?.request('GET', at)).not.toBe('')
        const after = await right(store.list('m/'))
        expect(after.revision).toBe(revision)
        expect(after.entries.map(({ key, value }) => [key, value])).toEqual(
          [...writes]
            .filter(({ value }) => value !== null)
            .sort((a, b) => (a.key < b.key ? -1 : 1))
            .map(({ key, value }) => [key, value]),
        )
        expect(new Set(after.entries.map((entry) => entry.revision))).toEqual(new Set([revision]))
        expect(await right(store.get('m/199'))).toBeNull()
        expect(
          await left(
            store.transact({ compares: [{ key: 'm/000', revision: first }], writes: [{ key: 'late', value: '' }] }),
          ),
        ).toEqual({
          tag: 'StoreConflict',
          key: 'm/000',
        })
        const more = ['m/001', 'm/070', 'm/140', 'm/198'].map((key) => ({ key, value: '4' }))
        const next = await right(store.transact({ compares: [{ key: 'm/001', revision }], writes: more }))
        expect((await right(store.get('m/002')))?.revision).toBe(revision)
        await expect.poll(() => told).toHaveLength(2)
        expect(told).toEqual([
          { tag: 'Changed', revision, writes },
          { tag: 'Changed', revision: next, writes: more },
        ])
        const before = await right(store.list(''))
        expect(await dead.late()).toMatchObject({ right: { left: [{ at: 0 }] } })
        expect(await right(store.list(''))).toEqual(before)
        dead.close()
        expect(await cluster.servers[0]?.request('GET', at)).toBe('')
      } finally {
        await store.close()
        await watcher.close()
      }
    },
  )
})

needsConsul('a writer that dies while it writes in pieces, and after it nobody writes', () => {
  test('who watches is told of what it did', async () => {
    const cluster = await startConsul()
    const watcher = await openAt(cluster, 'w', { waitMs: 300 })
    const dead = await startDead(cluster, 'w', 1)
    try {
      const told: News[] = []
      watcher.watch('', 0, (news) => told.push(news))
      const revision = await right(() => dead.committer.commit(plain({ compares: [], writes: many('1') })))
      await expect.poll(() => told, { timeout: 5000 }).toEqual([{ tag: 'Changed', revision, writes: many('1') }])
    } finally {
      dead.close()
      await watcher.close()
      await cluster.end()
    }
  })
})

needsConsul('a server of Consul that is killed and comes back', () => {
  let cluster: ConsulCluster
  beforeAll(async () => {
    cluster = await startConsul()
  })
  afterAll(() => cluster.end())

  test('in the midst of transactions in pieces: each is whole, and told once', { timeout: 60_000 }, async () => {
    const [store, other] = [
      await openAt(cluster, 'k', { ...HASTE, patienceMs: 30_000 }),
      await openAt(cluster, 'k', HASTE),
    ]
    const told: string[] = []
    try {
      other.watch('m/', 0, (news) => told.push(news.tag === 'Changed' ? `${news.writes[0]?.value}` : news.error.tag))
      for (const round of [1, 2, 3]) {
        const writing = right(store.transact({ compares: [], writes: many(`${round}`) }))
        await wait(10 * round)
        await cluster.servers[0]?.kill()
        cluster.servers[0]?.start()
        const revision = await writing
        const { entries } = await right(other.list('m/'))
        expect(new Set(entries.map((entry) => `${entry.value} ${entry.revision}`))).toEqual(
          new Set([`${round} ${revision}`]),
        )
      }
      await expect.poll(() => told, { timeout: 10_000 }).toEqual(['1', '2', '3'])
    } finally {
      await store.close()
      await other.close()
    }
  })
})

needsConsul('three servers of Consul', () => {
  let cluster: ConsulCluster
  let made = 0
  beforeAll(async () => {
    cluster = await startConsul({ size: 3 })
  }, 60_000)
  afterAll(() => cluster.end())

  /** Counts from several clients, each beginning at another server, while `harm` is done. */
  const countThrough = async (harm: () => Promise<void>): Promise<void> => {
    made += 1
    const prefix = `c${made}`
    const hosts = cluster.hosts.split(',')
    const turned = hosts.map((_, i) => ({ hosts: [...hosts.slice(i), ...hosts.slice(0, i)].join(',') }))
    const stores = await Promise.all(
      turned.map((each) => openAt(each, prefix, { ...HASTE, attemptMs: 1000, patienceMs: 20_000 })),
    )
    try {
      await counting(stores, harm)
    } finally {
      for (const store of stores) await store.close()
    }
  }

  test('the leader is killed, and comes back', { timeout: 120_000 }, () =>
    countThrough(async () => {
      const leader = await cluster.leader()
      await leader.kill()
      await wait(3000)
      leader.start()
      await cluster.ready()
    }),
  )

  test('the leader stands still, and wakes up', { timeout: 120_000 }, () =>
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

  test('a majority is lost: callers are told so, and it goes on when it is back', { timeout: 120_000 }, async () => {
    const store = await openAt(cluster, 'majority', { ...HASTE, patienceMs: 1500 })
    const patient = await openAt(cluster, 'majority', { ...HASTE, patienceMs: 60_000 })
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
