// What a store on Consul refuses, and leaves as it is: somebody else's keys, a newer version. Who is let in: consul-access.test.ts.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { E } from '../../src/prelude.ts'
import { type ConsulOptions, findConsul } from '../../src/store/consul/open.ts'
import { explainStore } from '../../src/store/error.ts'
import type { Migration } from '../../src/store/migrate.ts'
import { openStore } from '../../src/store/open.ts'
import type { Write } from '../../src/store/store.ts'
import { parseStoreUrl } from '../../src/store/url.ts'
import { type ConsulCluster, needsConsul, startConsul } from '../lib/consul.ts'
import { HASTE, openAt, refusal, urlOf, within } from './consul-lib.ts'
import { left, put, right } from './lib.ts'

needsConsul('a prefix of Consul', () => {
  let cluster: ConsulCluster
  beforeAll(async () => {
    cluster = await startConsul()
  })
  afterAll(() => cluster.end())
  const url = (prefix: string) => `consul://${cluster.hosts}/${prefix}`
  const ask = async (method: string, path: string, body?: string) =>
    (await cluster.servers[0]?.request(method, path, body)) ?? ''
  const write = (key: string, value: string) => ask('PUT', `kv/${key}`, value)
  /** Everything there, with its indexes. */
  const dump = () => ask('GET', 'kv/?recurse')

  test.for(['foreign/a', 'foreign/at/x', 'foreign/head/x', 'foreign/zz', 'foreign/last'])(
    'with a key %s of another program is refused and left alone',
    async (key) => {
      await write(key, 'mine')
      const before = await dump()
      expect(await refusal(url('foreign'))).toMatch(
        /\/foreign holds keys of another program, such as "foreign\/.*"; it was left as it is: choose/,
      )
      expect(await dump()).toEqual(before)
      await ask('DELETE', `kv/${key}`)
    },
  )

  test('with another program’s key beside our own is refused and left alone', async () => {
    await within(url('beside'), (store) => right(store.transact(put('a', 'x'))))
    await write('beside/other', 'mine')
    const before = await dump()
    expect(await refusal(url('beside'))).toContain('holds keys of another program, such as "beside/other"')
    expect(await dump()).toEqual(before)
  })

  test('that Consul’s own page has made as a folder is used', async () => {
    await write('folder/', '')
    await within(url('folder'), (store) => right(store.transact(put('a', 'x'))))
    await within(url('folder'), async (store) => expect((await right(store.get('a')))?.value).toBe('x'))
  })

  test('with a head that is not ours is refused and left alone', async () => {
    await write('odd/head', 'mine')
    const before = await dump()
    expect(await refusal(url('odd'))).toContain('holds "odd/head", which is not that of a cnm store')
    expect(await dump()).toEqual(before)
  })

  test('within that of another store is refused, and that one is left as it is', async () => {
    await within(url('outer'), (store) => right(store.transact(put('a', 'x'))))
    const before = await dump()
    for (const inner of ['outer/inner', 'outer/at/deep'])
      expect(await refusal(url(inner))).toContain(`/${inner} lies within the cnm store at /outer; it was left as it is`)
    expect(await dump()).toEqual(before)
  })

  test('around that of another store is refused', async () => {
    await within(url('x/inner'), async () => {})
    expect(await refusal(url('x'))).toContain('holds keys of another program, such as "x/inner/"')
  })

  test('beside another whose name begins as it does is its own', () =>
    within(url('a'), async (store) => {
      await within(url('ab'), async (other) => {
        await right(store.transact(put('x', '1')))
        await right(other.transact(put('x', '2')))
        expect((await right(store.list(''))).entries.map(({ value }) => value)).toEqual(['1'])
      })
    }))

  test('of many that make a store there at once, all have the same', async () => {
    const stores = await Promise.all(Array.from({ length: 8 }, () => openAt(cluster, 'many')))
    await Promise.all(stores.map((store, i) => right(store.transact(put(`${i}`, 'x')))))
    for (const store of stores) {
      expect((await right(store.list(''))).entries).toHaveLength(8)
      await store.close()
    }
  })

  test('that is only looked at is not made', async () => {
    expect(await right(findConsul(urlOf(url('nothing')), HASTE))).toBeNull()
    expect(await ask('GET', 'kv/nothing/?keys')).toBe('')
  })

  const upper: Migration = (content) => E.right(content.map(({ key, value }) => ({ key, value: value.toUpperCase() })))
  const rename: Migration = (content) =>
    E.right(content.map(({ key, value }) => ({ key: key.replace('net/', 'network/'), value })))
  const two: ConsulOptions = { ...HASTE, migrations: [upper, rename] }

  test.for([1, 200])(
    'with a store of an older version of %i entries is brought to the present one, once',
    async (size) => {
      const at = url(`old${size}`)
      const nets = Array.from({ length: size }, (_, i) => ({ key: `net/${1000 + i}`, value: 'a' }))
      await within(at, async (store) => {
        await right(store.transact({ compares: [], writes: nets }))
        await right(store.transact(put('x', 'A')))
      })
      const revisions = new Set<string>()
      for (const _ of ['migrated', 'opened again'])
        await within(
          at,
          async (store) => {
            const { entries } = await right(store.list(''))
            expect(entries.map(({ key, value }) => [key, value])).toEqual([
              ...nets.map(({ key }) => [key.replace('net/', 'network/'), 'A']),
              ['x', 'A'],
            ])
            revisions.add(JSON.stringify(entries))
          },
          two,
        )
      expect(revisions.size).toBe(1)
    },
  )

  test('with a store of a newer version is refused and left alone', async () => {
    await within(url('new'), (store) => right(store.transact(put('a', 'x'))), two)
    const before = await dump()
    expect(await refusal(url('new'))).toBe(
      `consul://${cluster.hosts}/new has schema version 3, this cnm knows 1 at most; use the newer cnm that wrote it`,
    )
    expect(await dump()).toEqual(before)
  })

  test('with a step that refuses is left alone', async () => {
    await within(url('stuck'), (store) => right(store.transact(put('a', 'x'))))
    const before = await dump()
    const migrations: ReadonlyArray<Migration> = [() => E.left('a has no type')]
    expect(await refusal(url('stuck'), { ...HASTE, migrations })).toContain('a has no type')
    expect(await dump()).toEqual(before)
  })

  test('brought to a newer version while an older cnm has it open: that one writes nothing more, and its watches end', () =>
    within(url('both'), async (store) => {
      await right(store.transact(put('a', 'x')))
      const told: string[] = []
      store.watch('b', 0, (news) => told.push(news.tag === 'Ended' ? explainStore(news.error) : news.tag))
      await within(url('both'), async () => {}, { ...HASTE, migrations: [upper] })
      const gone = expect.stringContaining('was removed or replaced while it was open; begin again')
      expect(explainStore(await left(store.transact(put('a', 'late'))))).toEqual(gone)
      await expect.poll(() => told, { timeout: 5000 }).toEqual([gone])
    }))

  test('whose keys were all removed while it was open is not written to any more, and its watches end', () =>
    within(
      url('gone'),
      async (store) => {
        const told: string[] = []
        await right(store.transact(put('a', 'x')))
        store.watch('b', 0, (news) => told.push(news.tag === 'Ended' ? explainStore(news.error) : news.tag))
        await ask('DELETE', 'kv/gone/?recurse')
        const gone = expect.stringContaining('was removed or replaced')
        expect(explainStore(await left(store.transact(put('a', 'late'))))).toEqual(gone)
        expect(explainStore(await left(store.get('a')))).toEqual(gone)
        expect(await ask('GET', 'kv/gone/?keys')).toBe('')
        await expect.poll(() => told, { timeout: 5000 }).toEqual([gone])
      },
      { ...HASTE, waitMs: 200 },
    ))

  test('that is removed and made anew while it was open is another store', () =>
    within(url('anew'), async (store) => {
      const revision = await right(store.transact(put('a', 'x')))
      await ask('DELETE', 'kv/anew/?recurse')
      await within(url('anew'), async (other) => {
        await right(other.transact(put('a', 'y')))
        for (const task of [
          store.get('a'),
          store.list(''),
          store.transact({ compares: [{ key: 'a', revision }], writes: [] }),
        ])
          expect(explainStore(await left(task))).toContain('was removed or replaced')
        expect(explainStore(await left(store.transact(put('a', 'late'))))).toContain('was removed or replaced')
        expect((await right(other.get('a')))?.value).toBe('y')
      })
    }))

  test('keeps of its log no more than it is told to, and nothing else beside its entries', async () => {
    await within(
      url('tidy'),
      async (store) => {
        for (let i = 0; i < 100; i++) await right(store.transact(put(`${i % 10}`, i < 90 ? 'x' : null)))
        await right(store.transact({ compares: [], writes: many(200, 'x') }))
        await right(store.transact({ compares: [], writes: many(200, null) }))
      },
      { ...HASTE, history: 5 },
    )
    // Cast: as Consul documents it.
    const names = JSON.parse(await ask('GET', 'kv/tidy/?keys')) as ReadonlyArray<string>
    expect(names.filter((name) => !name.startsWith('tidy/log/'))).toEqual(['tidy/head', 'tidy/hold/', 'tidy/last'])
    const words = names.filter((name) => /^tidy\/log\/\d+\/t/.test(name))
    expect([words.length >= 5, words.length <= 8], names.join()).toEqual([true, true])
  })

  const many = (count: number, value: string | null): ReadonlyArray<Write> =>
    Array.from({ length: count }, (_, i) => ({ key: `m/${i}`, value }))

  test('with many megabytes is listed whole, and a watch tells all of it', { timeout: 60_000 }, () =>
    within(
      url('large'),
      async (store) => {
        const since = (await right(store.list(''))).revision
        const writes = Array.from({ length: 6 }, (_, i) => ({
          key: `${i}`,
          value: randomBytes(350_000).toString('base64'),
        }))
        for (const { key, value } of writes) await right(store.transact(put(key, value)))
        await right(store.transact({ compares: [], writes: many(3000, '') }))
        const { entries, revision } = await right(store.list(''))
        expect(entries.slice(0, 6).map(({ key, value }) => ({ key, value }))).toEqual(writes)
        expect(entries).toHaveLength(3006)
        const told: Array<readonly [number, number]> = []
        store.watch('', since, (news) => {
          if (news.tag === 'Changed') told.push([news.revision, news.writes.length])
        })
        await expect.poll(() => told.map(([, count]) => count), { timeout: 20_000 }).toEqual([1, 1, 1, 1, 1, 1, 3000])
        expect(told.at(-1)?.[0]).toBe(revision)
      },
      { ...HASTE, attemptMs: 10_000, patienceMs: 30_000 },
    ),
  )

  test.for([59, 60, 200])('a transaction of %i compares happens if all are met, and not if the last is not', (count) =>
    within(url(`compares${count}`), async (store) => {
      const first = await right(store.transact({ compares: [], writes: many(count, 'x') }))
      const compares = many(count, null).map(({ key }) => ({ key, revision: first }))
      const second = await right(store.transact({ compares, writes: [{ key: `m/${count - 1}`, value: 'y' }] }))
      expect(await left(store.transact({ compares, writes: [{ key: 'late', value: 'y' }] }))).toEqual({
        tag: 'StoreConflict',
        key: `m/${count - 1}`,
      })
      expect(await right(store.get('late'))).toBeNull()
      const now = compares.map((each, i) => (i === count - 1 ? { ...each, revision: second } : each))
      expect(await right(store.transact({ compares: now, writes: [] }))).toBe(second)
      await right(store.transact({ compares: now, writes: many(count, null) }))
      expect((await right(store.list(''))).entries).toEqual([])
    }),
  )

  test('one writer has it for itself, and the next has it as soon as that one has ended', async () => {
    const opening = () => {
      const parsed = parseStoreUrl(url('one'))
      if (E.isLeft(parsed)) throw new Error(explainStore(parsed.left))
      return openStore(parsed.right)
    }
    const first = await right(opening())
    await right(first.transact(put('a', 'x')))
    expect(explainStore(await left(opening()))).toMatch(/\/one is in use by process \d+ on .*; stop that one/)
    expect((await right(first.list(''))).entries).toHaveLength(1)
    await first.close()
    const second = await right(opening())
    expect((await right(second.get('a')))?.value).toBe('x')
    // Taken from it by force: what it writes from then on is refused.
    await ask('DELETE', 'kv/one/at/owner=')
    expect(explainStore(await left(second.transact(put('a', 'late'))))).toContain('is not ours to write to any more')
    await second.close()
  })

  test('by TLS where there is none', async () => {
    expect(await refusal(`${url('x')}?tls`)).toContain('speaks no TLS; leave ?tls, ca, cert and key out of its URL')
  })

  test('as somebody, where Consul asks for nobody: the token is not looked at', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'cnm-consul-'))
    try {
      writeFileSync(join(dir, 'token'), 'no-token-at-all\n')
      await within(`${url('free')}?token-file=${join(dir, 'token')}`, (store) => right(store.transact(put('a', 'x'))))
    } finally {
      rmSync(dir, { recursive: true })
    }
  })
})

describe('no server of Consul', () => {
  test.for([
    [200, '<html>welcome</html>', /answers otherwise than Consul 1.7 or later does \(HTTP 200\)/],
    [404, 'not here', /answers otherwise than Consul 1.7 or later does \(HTTP 404\)/],
    [502, '<html>bad gateway</html>', /does not answer \(HTTP 502\)/],
  ] as const)('another that answers %i', async ([status, text, words]) => {
    const server = createServer((_, answer) => answer.writeHead(status).end(text)).listen(0, '127.0.0.1')
    try {
      await once(server, 'listening')
      const address = server.address()
      const port = typeof address === 'object' ? address?.port : 0
      expect(await refusal(`consul://127.0.0.1:${port}/x`)).toMatch(words)
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })

  test('nobody listens there', async () => {
    expect(await refusal('consul://127.0.0.1:1/x')).toBe(
      'consul://127.0.0.1:1/x does not answer (127.0.0.1:1: nobody listens there); see whether its agents run, whether the URL names their HTTP ports, and whether they speak TLS (?ca=FILE)',
    )
  })
})
