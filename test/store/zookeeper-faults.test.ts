// What slow, dead, stopped and unreachable servers of ZooKeeper do to the store: nothing is lost, nothing is doubled, a watch misses
// nothing, and it all goes on by itself.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { E } from '../../src/prelude.ts'
import type { Store } from '../../src/store/store.ts'
import { type Relay, startRelay } from '../lib/relay.ts'
import { wait } from '../lib/victim.ts'
import { ask, type Ensemble, needsZookeeper, startZookeeper } from '../lib/zookeeper.ts'
import { counting, listen, raise, throughACut, upTo } from './counting.ts'
import { left, put, right } from './lib.ts'
import { openAt } from './zookeeper-lib.ts'

const DOUBT = 'what was asked may have been done or not: look before it is asked again'
const HASTE = { sessionMs: 600, timeoutMs: 20_000 }

needsZookeeper('one ZooKeeper behind a bad line', () => {
  let ensemble: Ensemble
  let made = 0
  beforeAll(async () => {
    ensemble = await startZookeeper(1)
  })
  afterAll(() => ensemble.end())
  const port = (): number => ensemble.servers[0]?.port ?? 0

  type Work = (store: Store, relay: Relay, direct: Store) => Promise<void>
  const behind = async (work: Work, options = {}) => {
    made += 1
    const relay = await startRelay(port())
    const store = await openAt(relay.host, `line/${made}`, { ...HASTE, ...options })
    const direct = await openAt(ensemble.hosts, `line/${made}`, options)
    try {
      await work(store, relay, direct)
    } finally {
      await relay.end()
      await Promise.all([store.close(), direct.close()])
    }
  }

  // A transaction is two questions: the look, then the multi. Both are slowed down, so that a test can act between them.
  const LOOK_MS = 600
  const BETWEEN_MS = LOOK_MS / 2

  /** The multi arrives, its answer does not; `meanwhile` is what others do until the line is healed. */
  const unanswered = async (relay: Relay, direct: Store, store: Store, meanwhile: () => Promise<unknown>) => {
    relay.delay(LOOK_MS)
    const writing = store.transact(put('n', '1'))()
    await wait(LOOK_MS + BETWEEN_MS)
    relay.swallow()
    await expect.poll(async () => (await right(direct.get('n')))?.value, { timeout: 10_000 }).toBe('1')
    await meanwhile()
    relay.heal()
    return writing
  }

  test('a transaction whose answer is lost has happened once, and its caller is told the revision', () =>
    behind(
      async (store, relay, direct) => {
        const heard = listen(direct)
        const revision = async () => (await right(direct.get('n')))?.revision
        expect(await unanswered(relay, direct, store, async () => {})).toEqual(E.right(await revision()))
        await right(direct.transact(put('n', '2')))
        await expect.poll(() => heard).toEqual([1, 2])
      },
      { sessionMs: 6000 },
    ))

  test('a transaction that was forgotten before its answer was asked for again may have happened', () =>
    behind(
      async (store, relay, direct) => {
        const done = await unanswered(relay, direct, store, async () => {
          for (let n = 2; n <= 20; n++) await raise(direct)
        })
        expect(done).toMatchObject({ left: { tag: 'StoreUnavailable', hint: DOUBT } })
        expect((await right(direct.get('n')))?.value).toBe('20')
      },
      { sessionMs: 6000, history: 3 },
    ))

  /** Holds the multi back until its connection was given up and what replaces it was done, then lets it through. */
  const held = async (relay: Relay, transacting: () => Promise<unknown>, meanwhile: () => Promise<unknown>) => {
    relay.delay(LOOK_MS)
    const done = transacting()
    await wait(BETWEEN_MS)
    relay.delay(4000)
    await wait(LOOK_MS)
    relay.delay(0)
    await done
    await meanwhile()
    await wait(4000)
  }

  test('a transaction that is held back until it was replaced does not happen any more', () =>
    behind(
      async (store, relay, direct) => {
        const heard = listen(direct)
        await right(store.transact(put('n', '1')))
        await held(
          relay,
          () => right(store.transact(put('n', '2'))),
          () => right(direct.transact(put('n', '3'))),
        )
        expect(await raise(store)).toEqual(E.right(4))
        await expect.poll(() => heard).toEqual([1, 2, 3, 4])
      },
      { sessionMs: 1500 },
    ))

  test('over a line that swallows answers again and again, a counter counts each raise once', { timeout: 90_000 }, () =>
    behind(async (store, relay, direct) => {
      const heard = listen(direct)
      const tampering = (async () => {
        for (let i = 0; i < 40; i++) {
          relay.swallow()
          await wait(20 + Math.random() * 200)
          relay.heal()
          await wait(Math.random() * 100)
        }
      })()
      const raised: number[] = []
      await Promise.all(
        [0, 1, 2].map(async () => {
          for (let i = 0; i < 15; i++) {
            const outcome = await raise(store)
            if (E.isRight(outcome)) raised.push(outcome.right)
          }
        }),
      )
      await tampering
      expect(raised.sort((a, b) => a - b)).toEqual(upTo(45))
      await expect.poll(() => heard).toEqual(upTo(45))
    }),
  )

  test('over a line that is slow, all is done', () =>
    behind(async (store, relay) => {
      relay.delay(150)
      for (const n of [1, 2, 3]) expect(await raise(store)).toEqual(E.right(n))
      expect((await right(store.list(''))).entries).toMatchObject([{ key: 'n', value: '3' }])
    }))

  test('a line that is cut: the caller is told in time, a watch goes on when it is healed', () =>
    behind(throughACut, { timeoutMs: 1000 }))

  test('what was forgotten while a watch was cut off ends it, and says so', () =>
    behind(
      async (store, relay, direct) => {
        await raise(store)
        const heard = listen(store)
        await expect.poll(() => heard).toEqual([1])
        relay.cut()
        for (let i = 0; i < 20; i++) await raise(direct)
        relay.heal()
        await expect.poll(() => heard, { timeout: 10_000 }).toEqual([1, 'StoreCompacted'])
        expect((await right(store.list(''))).entries).toMatchObject([{ key: 'n', value: '21' }])
        const again: unknown[] = []
        store.watch('n', (await right(store.list(''))).revision, (news) => again.push(news))
        await raise(direct)
        await expect.poll(() => again).toMatchObject([{ tag: 'Changed', writes: [{ key: 'n', value: '22' }] }])
      },
      { history: 3 },
    ))

  test('a session that has expired is followed by another, and a watch goes on', () =>
    behind(async (store, relay, direct) => {
      const heard = listen(store)
      await raise(store)
      const sessions = async (): Promise<number> =>
        Number(/^zk_global_sessions\s+(\d+)/m.exec(await ask(port(), 'mntr'))?.[1])
      const before = await sessions()
      expect(before).toBeGreaterThan(1)
      relay.cut()
      await expect.poll(sessions, { timeout: 10_000 }).toBe(before - 1)
      await raise(direct)
      relay.heal()
      expect(await raise(store)).toEqual(E.right(3))
      await expect.poll(() => heard).toEqual([1, 2, 3])
    }))
})

needsZookeeper('three ZooKeepers', () => {
  let ensemble: Ensemble
  let made = 0
  beforeAll(async () => {
    ensemble = await startZookeeper(3)
  })
  afterAll(() => ensemble.end())

  const ready = async (): Promise<void> => {
    for (const server of ensemble.servers) await server.serving()
  }

  const countingThrough = async (harm: () => Promise<void>): Promise<void> => {
    made += 1
    const stores = await Promise.all(
      [1, 2, 3].map(() => openAt(ensemble.hosts, `three/${made}`, { ...HASTE, sessionMs: 1500 })),
    )
    try {
      await counting(stores, harm)
    } finally {
      for (const store of stores) await store.close()
    }
  }

  test('the leader is killed, and comes back', { timeout: 150_000 }, () =>
    countingThrough(async () => {
      const leader = await ensemble.leader()
      leader.kill()
      await wait(3000)
      leader.start()
      await ready()
    }),
  )

  test('the leader stands still, and wakes up', { timeout: 150_000 }, () =>
    countingThrough(async () => {
      const leader = await ensemble.leader()
      leader.pause()
      try {
        await wait(5000)
      } finally {
        leader.resume()
      }
      await ready()
    }),
  )

  test('each server in turn is killed, and comes back', { timeout: 200_000 }, () =>
    countingThrough(async () => {
      for (const server of ensemble.servers) {
        server.kill()
        await wait(500)
        server.start()
        await ready()
      }
    }),
  )

  test('a majority is lost: callers are told so, and it goes on when it is back', { timeout: 150_000 }, async () => {
    const hasty = await openAt(ensemble.hosts, 'majority', { ...HASTE, timeoutMs: 1500 })
    const patient = await openAt(ensemble.hosts, 'majority', { ...HASTE, timeoutMs: 60_000 })
    const [, b, c] = ensemble.servers
    try {
      const heard = listen(hasty)
      expect(await raise(hasty)).toEqual(E.right(1))
      b?.kill()
      c?.kill()
      await wait(1000)
      const waiting = patient.transact(put('m', 'x'))()
      expect(await left(hasty.transact(put('a', 'x')))).toMatchObject({ tag: 'StoreUnavailable' })
      expect(await left(hasty.get('a'))).toMatchObject({ tag: 'StoreUnavailable' })
      b?.start()
      c?.start()
      await ready()
      expect(E.isRight(await waiting)).toBe(true)
      expect(await raise(patient)).toEqual(E.right(2))
      await expect.poll(() => heard, { timeout: 10_000 }).toEqual([1, 2])
    } finally {
      await hasty.close()
      await patient.close()
    }
  })
})
