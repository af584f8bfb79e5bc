// What the store makes of ZooKeeper’s znodes: lists that are of one moment, compares that removals do not deceive, logins, and
// places that are not ours.

import { createServer } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { E } from '../../src/prelude.ts'
import { explainStore } from '../../src/store/error.ts'
import type { Entry, Store } from '../../src/store/store.ts'
import type { Connection } from '../../src/store/zookeeper/connection.ts'
import { layoutAt } from '../../src/store/zookeeper/layout.ts'
import { create, getChildren, getData, multi, type Request } from '../../src/store/zookeeper/protocol.ts'
import { openSession, type Session } from '../../src/store/zookeeper/session.ts'
import { attempt } from '../../src/store/zookeeper/transact.ts'
import { findZookeeper, zookeeperStore } from '../../src/store/zookeeper/zookeeper.ts'
import { freePorts } from '../lib/free-ports.ts'
import { type Ensemble, needsZookeeper, startZookeeper } from '../lib/zookeeper.ts'
import { left, put, right } from './lib.ts'
import { openAt, urlOf } from './zookeeper-lib.ts'

needsZookeeper('the znodes of a store', () => {
  let ensemble: Ensemble
  let session: Session
  let connection: Connection
  beforeAll(async () => {
    ensemble = await startZookeeper(1)
    session = openSession({ members: urlOf(`zk://${ensemble.hosts}`).members, login: null, timeoutMs: 5000 })
    const got = await session.connection(performance.now() + 10_000)
    if (E.isLeft(got)) throw new Error('no connection')
    connection = got.right
  })
  afterAll(async () => {
    await session.close()
    await ensemble.end()
  })

  const answer = async <A>(request: Request<A>): Promise<A> => {
    const got = await connection.request(request)
    if (E.isLeft(got)) throw new Error(JSON.stringify(got.left))
    return got.right
  }
  const open = async <A>(prefix: string, work: (store: Store) => Promise<A>, options = {}): Promise<A> => {
    const store = await openAt(ensemble.hosts, prefix, options)
    try {
      return await work(store)
    } finally {
      await store.close()
    }
  }

  test('a list while others write is what was there at one revision', () =>
    open('list', (writer) =>
      open('list', async (reader) => {
        const far = ['a', 'b'].flatMap((name) => Array.from({ length: 20 }, (_, i) => `${name}/${i}`))
        let n = 0
        let isOver = false
        const writing = (async () => {
          while (!isOver) {
            n += 1
            // Each writes the same to all, and removes one of two in turn.
            const writes = [
              ...far.map((key) => ({ key, value: `${n}` })),
              { key: 'even', value: n % 2 === 0 ? 'x' : null },
            ]
            await right(
              writer.transact({ compares: [], writes: [...writes, { key: 'odd', value: n % 2 === 0 ? null : 'x' }] }),
            )
          }
        })()
        await expect.poll(() => n).toBeGreaterThan(1)
        const seen = new Set<number>()
        for (let i = 0; i < 100; i++) {
          const { entries, revision } = await right(reader.list(''))
          const numbered = entries.filter(({ key }) => far.includes(key))
          const value = numbered[0]?.value
          const expected = [...far.map((key): Entry => ({ key, value: value ?? '', revision }))]
          const other: Entry = { key: Number(value) % 2 === 0 ? 'even' : 'odd', value: 'x', revision }
          expect(entries).toEqual([...expected, other].sort((a, b) => (a.key < b.key ? -1 : 1)))
          seen.add(revision)
        }
        isOver = true
        await writing
        expect(seen.size).toBeGreaterThan(3)
      }),
    ))

  test('who opens a store while others write is told each transaction once', () =>
    open('busy', async (writer) => {
      let n = 0
      let isOver = false
      const writing = Promise.all(
        [1, 2, 3, 4].map(async () => {
          while (!isOver) await right(writer.transact(put('n', `${n++}`)))
        }),
      )
      for (let i = 0; i < 25; i++) {
        const { revision } = await right(writer.list(''))
        await open('busy', async (store) => {
          const told: number[] = []
          store.watch('', revision, (news) => news.tag === 'Changed' && told.push(news.revision))
          await expect.poll(() => told.length).toBeGreaterThan(3)
          expect(told).toEqual([...new Set(told)].sort((a, b) => a - b))
        })
      }
      isOver = true
      await writing
    }))

  test('a compare does not take a key that was removed and written again for the one it was, though its version is the same', () =>
    open('again', async (store) => {
      const layout = layoutAt('/again')
      const revision = await right(store.transact(put('a', 'first')))
      let interfered = false
      // Between the look and the multi, which is the only request that is no reading.
      const meddling: Connection = {
        ...connection,
        request: async (request) => {
          if (request.type === 14 && !interfered) {
            interfered = true
            await right(store.transact(put('a', null)))
            await right(store.transact(put('a', 'second')))
          }
          return connection.request(request)
        },
      }
      const transaction = { compares: [{ key: 'a', revision }], writes: [{ key: 'a', value: 'third' }] }
      const task = {
        layout,
        acl: 'everybody',
        id: 'test-1',
        transaction,
        maxRequestBytes: 1e6,
        place: 'here',
        also: [],
      } as const
      expect(await attempt(meddling, task, () => true)).toEqual(E.right({ tag: 'Again' }))
      expect(await attempt(connection, task, () => true)).toEqual(E.right({ tag: 'Conflict', key: 'a' }))
      expect((await right(store.get('a')))?.value).toBe('second')
    }))

  test('the log forgets what is too old, whoever wrote it', () =>
    open(
      'log',
      async (store) => {
        for (let i = 0; i < 50; i++) await right(store.transact(put('a', `${i}`)))
        await expect.poll(async () => (await answer(getChildren('/log/log'))).length).toBeLessThan(15)
        expect(Number((await answer(getData('/log/log'))).data)).toBeGreaterThan(0)
      },
      { history: 5 },
    ))

  test('a store that is opened again looks back as far as its log', () =>
    open('back', async (store) => {
      const [first, second] = [await right(store.transact(put('a', '1'))), await right(store.transact(put('a', '2')))]
      await open('back', async (again) => {
        const told: unknown[] = []
        again.watch('', first, (news) => told.push(news))
        expect(told).toEqual([{ tag: 'Changed', revision: second, writes: [{ key: 'a', value: '2' }] }])
      })
    }))

  test('what one user has made no other sees or changes, and the user comes back', async () => {
    const { hosts } = ensemble
    const ann = await openAt(`ann:secret@${hosts}`, 'private')
    await right(ann.transact(put('a', 'x')))
    for (const login of ['', 'ann:wrong@', 'bob:secret@']) {
      const error = await left(zookeeperStore({ url: urlOf(`zk://${login}${hosts}/private`) }))
      expect(error).toMatchObject({ tag: 'StoreDenied' })
      expect(explainStore(error)).toMatch(/^zk:\/\/127.*\/private was made by .*; write zk:\/\/USER:PASSWORD@ as/)
      expect(explainStore(error)).not.toMatch(/secret|wrong/)
    }
    expect(await connection.request(getChildren('/private/keys'))).toMatchObject({
      left: { tag: 'Refused', code: -102 },
    })
    await ann.close()
    const back = await openAt(`ann:secret@${hosts}`, 'private')
    expect((await right(back.get('a')))?.value).toBe('x')
    await back.close()
  })

  test.for([
    ['of somebody else', 'somebody’s', { tag: 'StoreNotOurs' }],
    ['of a newer cnm', '{"format":"cnm-store","schema":99}', { tag: 'StoreNewer', schema: 99 }],
  ] as const)('a place %s is left as it is', async ([, data, error], { task }) => {
    const prefix = `/place-${task.id}`
    await answer(create(prefix, '', 'everybody'))
    await answer(create(`${prefix}/format`, data, 'everybody'))
    expect(await left(zookeeperStore({ url: urlOf(`zk://${ensemble.hosts}${prefix}`) }))).toMatchObject(error)
    expect(await answer(getChildren(prefix))).toEqual(['format'])
  })

  test('into a store that a newer cnm has taken over, or that was removed, nothing is written any more', () =>
    open('taken', async (store) => {
      await right(store.transact(put('a', 'x')))
      const path = '/taken/format'
      const newer = '{"format":"cnm-store","schema":99}'
      await answer(multi([{ tag: 'setData', path, data: newer, version: -1 }]))
      expect(await left(store.transact(put('a', 'y')))).toMatchObject({ tag: 'StoreNewer', schema: 99 })
      await answer(multi([{ tag: 'delete', path, version: -1 }]))
      expect(explainStore(await left(store.transact(put('a', 'y'))))).toMatch(/taken was removed; begin again$/)
      expect((await right(store.get('a')))?.value).toBe('x')
    }))

  test('a store that is only looked for is not made', async () => {
    const url = urlOf(`zk://${ensemble.hosts}/nowhere/deep`)
    expect(await right(findZookeeper({ url }))).toBeNull()
    expect(await answer(getChildren('/'))).not.toContain('nowhere')
    await (await right(zookeeperStore({ url }))).close()
    await (await right(findZookeeper({ url })))?.close()
  })

  test('a user without a password is refused before anybody is asked', async () => {
    expect(await left(zookeeperStore({ url: urlOf('zk://ann@127.0.0.1:1/x') }))).toMatchObject({ tag: 'StoreBadUrl' })
  })

  test('a server that is not there, and one that is no ZooKeeper, are named', async () => {
    const [port] = await freePorts(1)
    const nobody = await left(zookeeperStore({ url: urlOf(`zk://127.0.0.1:${port}`), timeoutMs: 300 }))
    expect(explainStore(nobody)).toMatch(/^zk:\/\/127.0.0.1:\d+\/cnm cannot be reached: connect ECONNREFUSED/)
    const http = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1')
    await expect.poll(() => http.listening).toBe(true)
    const address = http.address()
    const url = urlOf(`zk://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`)
    const stranger = await left(zookeeperStore({ url, timeoutMs: 1000 }))
    http.close()
    expect(explainStore(stranger)).toMatch(/does not speak ZooKeeper’s protocol/)
  })
})
