// What a store on etcd refuses, and leaves as it is: somebody else's keys, a newer version, a password or a certificate that is wrong.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttp1 } from 'node:http'
import { createServer as createHttp2 } from 'node:http2'
import type { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { E } from '../../src/prelude.ts'
import { explainStore } from '../../src/store/error.ts'
import { type EtcdOptions, openEtcd } from '../../src/store/etcd/open.ts'
import type { Migration } from '../../src/store/migrate.ts'
import { openStore } from '../../src/store/open.ts'
import type { Store } from '../../src/store/store.ts'
import { parseStoreUrl } from '../../src/store/url.ts'
import { certificatesIn } from '../lib/certificates.ts'
import { type Cluster, needsEtcd, startEtcd } from '../lib/etcd.ts'
import { needs } from '../lib/need.ts'
import { openAt, urlOf } from './etcd-lib.ts'
import { left, put, right } from './lib.ts'

const in64 = (text: string): string => Buffer.from(text).toString('base64')
const HASTE: EtcdOptions = { attemptMs: 1000, patienceMs: 1000 }

/** Why it cannot be opened. */
const refusal = async (url: string, options = HASTE): Promise<string> =>
  explainStore(await left(openEtcd(urlOf(url), options)))

/** Opens, does the work, closes. */
const within = async <A>(url: string, work: (store: Store) => Promise<A>, options = HASTE): Promise<A> => {
  const store = await right(openEtcd(urlOf(url), options))
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

const serving = (title: string, flags: ReadonlyArray<string>, body: (cluster: () => Cluster) => void): void =>
  needsEtcd(title, () => {
    let cluster: Cluster
    beforeAll(async () => {
      cluster = await startEtcd({ flags })
    })
    afterAll(() => cluster.end())
    body(() => cluster)
  })

serving('a prefix of etcd', [], (cluster) => {
  const url = (prefix: string) => `etcd://${cluster().hosts}/${prefix}`
  const ask = async (path: string, body: object) => (await cluster().servers[0]?.request(path, body)) ?? new Map()
  const write = (key: string, value: string) => ask('kv/put', { key: in64(key), value: in64(value) })
  /** Everything there, with its revisions. */
  const dump = async () => (await ask('kv/range', { key: 'AA==', range_end: 'AA==' })).get('kvs')

  test.for(['/foreign/at/x', '/foreign/a', '/foreign/bz', '/foreign/by0', '/foreign/zz'])(
    'with a key %s of another program is refused and left alone',
    async (key) => {
      await write(key, 'mine')
      const before = await dump()
      expect(await refusal(url('foreign'))).toBe(
        `etcd://${cluster().hosts}/foreign holds keys of another program, such as "${key}"; it was left as it is: choose another place, or move it away`,
      )
      expect(await dump()).toEqual(before)
      await ask('kv/deleterange', { key: in64(key) })
    },
  )

  test('with a head that is not ours is refused and left alone', async () => {
    await write('/odd/head', 'mine')
    const before = await dump()
    expect(await refusal(url('odd'))).toContain('holds "/odd/head", which is not that of a cnm store')
    expect(await dump()).toEqual(before)
  })

  test('within that of another store is refused, and that one is left as it is', async () => {
    await within(url('outer'), (store) => right(store.transact(put('a', 'x'))))
    const before = await dump()
    for (const inner of ['outer/inner', 'outer/at/deep'])
      expect(await refusal(url(inner))).toContain(`/${inner} lies within the cnm store at /outer; it was left as it is`)
    expect(await dump()).toEqual(before)
    await within(url('outer'), async (store) => expect((await right(store.get('a')))?.value).toBe('x'))
  })

  test('around that of another store is refused', async () => {
    await within(url('x/inner'), async () => {})
    expect(await refusal(url('x'))).toContain('holds keys of another program, such as "/x/inner/head"')
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
    const stores = await Promise.all(Array.from({ length: 8 }, () => openAt(cluster(), 'many')))
    await Promise.all(stores.map((store, i) => right(store.transact(put(`${i}`, 'x')))))
    for (const store of stores) {
      expect((await right(store.list(''))).entries).toHaveLength(8)
      await store.close()
    }
  })

  const upper: Migration = (content) => E.right(content.map(({ key, value }) => ({ key, value: value.toUpperCase() })))
  const rename: Migration = (content) =>
    E.right(content.map(({ key, value }) => ({ key: key.replace('net/', 'network/'), value })))

  test('with a store of an older version is brought to the present one, once', async () => {
    await within(url('old'), async (store) => {
      await right(store.transact(put('net/1', 'a')))
      await right(store.transact(put('x', 'A')))
    })
    const revisions = new Set<string>()
    for (const _ of ['migrated', 'opened again'])
      await within(
        url('old'),
        async (store) => {
          const { entries } = await right(store.list(''))
          expect(entries.map(({ key, value }) => [key, value])).toEqual([
            ['network/1', 'A'],
            ['x', 'A'],
          ])
          revisions.add(JSON.stringify(entries))
        },
        { ...HASTE, migrations: [upper, rename] },
      )
    expect(revisions.size).toBe(1)
  })

  test('with a store of a newer version is refused and left alone', async () => {
    await within(url('new'), (store) => right(store.transact(put('a', 'x'))), { ...HASTE, migrations: [upper, rename] })
    const before = await dump()
    expect(await refusal(url('new'))).toBe(
      `etcd://${cluster().hosts}/new has schema version 3, this cnm knows 1 at most; use the newer cnm that wrote it`,
    )
    expect(await dump()).toEqual(before)
  })

  test('with a step that refuses is left alone', async () => {
    await within(url('stuck'), (store) => right(store.transact(put('a', 'x'))))
    const before = await dump()
    expect(await refusal(url('stuck'), { ...HASTE, migrations: [() => E.left('a has no type')] })).toContain(
      'a has no type',
    )
    expect(await dump()).toEqual(before)
  })

  test('brought to a newer version while an older cnm has it open: that one writes nothing more', () =>
    within(url('both'), async (store) => {
      await right(store.transact(put('a', 'x')))
      const told: string[] = []
      store.watch('', 0, (news) => told.push(news.tag === 'Ended' ? explainStore(news.error) : news.tag))
      await within(url('both'), async () => {}, { ...HASTE, migrations: [upper] })
      const error = await left(store.transact(put('a', 'late')))
      expect(explainStore(error)).toContain('was removed or replaced while it was open; begin again')
    }))

  test('whose keys were all removed while it was open is not written to any more, and its watches end', () =>
    within(
      url('gone'),
      async (store) => {
        const told: string[] = []
        await right(store.transact(put('a', 'x')))
        store.watch('b', 0, (news) => told.push(news.tag === 'Ended' ? explainStore(news.error) : news.tag))
        await ask('kv/deleterange', { key: in64('/gone/'), range_end: in64('/gone0') })
        expect(explainStore(await left(store.transact(put('a', 'late'))))).toContain('was removed or replaced')
        expect((await ask('kv/range', { key: in64('/gone/'), range_end: in64('/gone0') })).get('count')).toBeUndefined()
        await expect.poll(() => told, { timeout: 5000 }).toEqual([expect.stringContaining('was removed or replaced')])
      },
      { ...HASTE, aliveEveryMs: 200 },
    ))

  test('leaves nothing beside its entries and its head when it is closed', async () => {
    await within(url('tidy'), async (store) => {
      await Promise.all(Array.from({ length: 30 }, (_, i) => right(store.transact(put(`${i}`, 'x')))))
      for (let i = 0; i < 30; i++) await right(store.transact(put(`${i}`, null)))
    })
    expect((await ask('kv/range', { key: in64('/tidy/'), range_end: in64('/tidy0') })).get('count')).toBe('1')
  })

  test(
    'with more than one answer of etcd can hold is listed whole, and a watch tells all of it',
    { timeout: 60_000 },
    () =>
      within(
        url('large'),
        async (store) => {
          const since = (await right(store.list(''))).revision
          const writes = Array.from({ length: 6 }, (_, i) => ({
            key: `${i}`,
            value: randomBytes(900_000).toString('base64'),
          }))
          for (const { key, value } of writes) await right(store.transact(put(key, value)))
          await right(
            store.transact({
              compares: [],
              writes: Array.from({ length: 3000 }, (_, i) => ({ key: `s/${i}`, value: '' })),
            }),
          )
          const { entries, revision } = await right(store.list(''))
          expect(entries).toHaveLength(3006)
          expect(
            entries
              .slice(0, 6)
              .map(({ key, value }) => ({ key, value }))
              .sort((a, b) => (a.key < b.key ? -1 : 1)),
          ).toEqual(writes)
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
    await ask('kv/deleterange', { key: in64('/one/at/owner') })
    expect(explainStore(await left(second.transact(put('a', 'late'))))).toContain('is not ours to write to any more')
    await second.close()
  })

  test('as a user who has none: it says to leave that out', async () => {
    expect(await refusal(`etcd://u:secret@${cluster().hosts}/x`)).toBe(
      `etcd://${cluster().hosts}/x has no users: its authentication is not enabled; leave USER:PASSWORD@ out of its URL`,
    )
  })

  test('by TLS where there is none', async () => {
    expect(await refusal(`${url('x')}?tls`)).toMatch(/the connection broke.*whether they speak TLS/)
  })
})

serving('users of etcd', [], (cluster) => {
  const url = (login: string, prefix = 'cnm') => `etcd://${login}@${cluster().hosts}/${prefix}`
  const setUp = async (): Promise<void> => {
    const [server] = cluster().servers
    const perm = { permType: 'READWRITE', key: in64('/cnm/'), range_end: in64('/cnm0') }
    await server?.request('auth/role/add', { name: 'cnm' })
    await server?.request('auth/role/grant', { name: 'cnm', perm })
    for (const [name, password, role] of [
      ['root', 'r', 'root'],
      ['cnm', 's e/c:r@t', 'cnm'],
    ]) {
      await server?.request('auth/user/add', { name, password })
      await server?.request('auth/user/grant', { user: name, role })
    }
    await server?.request('auth/enable', {})
  }
  const LOGIN = `cnm:${encodeURIComponent('s e/c:r@t')}`
  beforeAll(setUp)

  test('a password lets in, from the URL or a file, and to its own prefix', async () => {
    await within(url(LOGIN), (store) => right(store.transact(put('a', 'x'))))
    const dir = mkdtempSync(join(tmpdir(), 'cnm-etcd-'))
    try {
      writeFileSync(join(dir, 'password'), 's e/c:r@t\n')
      await within(`${url('cnm')}?password-file=${join(dir, 'password')}`, async (store) =>
        expect((await right(store.get('a')))?.value).toBe('x'),
      )
    } finally {
      rmSync(dir, { recursive: true })
    }
    expect(await refusal(url(LOGIN, 'other'))).toContain('gives this user no right to read and write there')
  })

  test('a wrong password, an unknown user, and none are refused, and no password is told', async () => {
    for (const login of ['cnm:wrong', 'nobody:wrong']) {
      const told = await refusal(url(login))
      expect(told).toBe(`etcd://${cluster().hosts}/cnm refuses this user and password; say those that etcd knows`)
    }
    expect(await refusal(`etcd://${cluster().hosts}/cnm`)).toContain('asks for a user and a password')
    expect(await refusal(`${url('cnm')}?password-file=/nowhere`)).toContain(
      `password-file of the store's URL cannot be read`,
    )
  })

  test('a token that the server has forgotten is had anew, and a watch goes on', { timeout: 60_000 }, () =>
    within(
      url(LOGIN),
      async (store) => {
        const told: string[] = []
        store.watch('t', 0, (news) => told.push(news.tag === 'Ended' ? explainStore(news.error) : news.tag))
        await right(store.transact(put('t', '1')))
        await expect.poll(() => told).toEqual(['Changed'])
        await cluster().servers[0]?.kill()
        cluster().servers[0]?.start()
        await cluster().ready()
        await right(store.transact(put('t', '2')))
        await expect.poll(() => told, { timeout: 10_000 }).toEqual(['Changed', 'Changed'])
      },
      { ...HASTE, patienceMs: 20_000, aliveEveryMs: 300 },
    ),
  )
})

needs.programs('openssl')('certificates', () => {
  const dir = mkdtempSync(join(tmpdir(), 'cnm-tls-'))
  const { file, authority, sign } = certificatesIn(dir)
  beforeAll(() => {
    for (const name of ['ca', 'other']) authority(name)
    sign('server', 'ca', 'IP:127.0.0.1')
    sign('elsewhere', 'ca', 'DNS:elsewhere.example')
    sign('client', 'ca', 'DNS:client')
    sign('stranger', 'other', 'DNS:stranger')
  })
  afterAll(() => rmSync(dir, { recursive: true, force: true }))

  const secured = (title: string, server: string, clients: boolean, body: (hosts: () => string) => void): void =>
    needsEtcd(title, () => {
      let cluster: Cluster
      beforeAll(async () => {
        const flags = ['--cert-file', file(`${server}.pem`), '--key-file', file(`${server}.key`)]
        const asking = ['--client-cert-auth', '--trusted-ca-file', file('ca.pem')]
        cluster = await startEtcd({ scheme: 'https', flags: clients ? [...flags, ...asking] : flags })
      })
      afterAll(() => cluster.end())
      body(() => cluster.hosts)
    })
  const PATIENT: EtcdOptions = { attemptMs: 2000, patienceMs: 15_000 }
  const url = (hosts: string, ...names: ReadonlyArray<string>): string =>
    `etcd://${hosts}/x?${names.map((name) => (name === 'tls' ? name : name.replace('=', `=${dir}/`))).join('&')}`
  const writes = (text: string) => within(text, (store) => right(store.transact(put('a', 'x'))), PATIENT)

  secured('of a server', 'server', false, (hosts) => {
    test('let in who trusts its authority', () => writes(url(hosts(), 'ca=ca.pem')))
    test('are not trusted by this system, nor by another authority', async () => {
      for (const names of ['tls', 'ca=other.pem'])
        expect(await refusal(url(hosts(), names), PATIENT)).toMatch(
          /shows a certificate that is not trusted \(.*\); name its authority: \?ca=FILE/,
        )
    })
    test('without TLS nobody is let in', async () => {
      expect(await refusal(`etcd://${hosts()}/x`, PATIENT)).toMatch(/the connection broke.*whether they speak TLS/)
    })
    test('of which the file is missing or is none', async () => {
      expect(await refusal(url(hosts(), 'ca=nothing.pem'))).toContain("the ca of the store's URL cannot be read")
      writeFileSync(file('text.pem'), 'no certificate')
      expect(await refusal(url(hosts(), 'ca=text.pem'))).toContain("the ca of the store's URL cannot be read")
      expect(await refusal(url(hosts(), 'cert=text.pem', 'key=text.pem'))).toContain("cert or key of the store's URL")
    })
  })

  secured('of another host', 'elsewhere', false, (hosts) => {
    test('are refused', async () => {
      expect(await refusal(url(hosts(), 'ca=ca.pem'), PATIENT)).toContain('ERR_TLS_CERT_ALTNAME_INVALID')
    })
  })

  secured('of clients', 'server', true, (hosts) => {
    test('let in who has one', () => writes(url(hosts(), 'ca=ca.pem', 'cert=client.pem', 'key=client.key')))
    test('are asked for, and trusted only from its authority', async () => {
      const strange = ['cert=stranger.pem', 'key=stranger.key']
      for (const names of [[], strange])
        expect(await refusal(url(hosts(), 'ca=ca.pem', ...names), PATIENT)).toContain('refuses our TLS')
    })
  })
})

const portOf = (server: Server): number => {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

describe('no server', () => {
  test.for([
    [200, '<html>welcome</html>', /answers otherwise than etcd 3.4 or later does \(HTTP 200\)/],
    [404, 'not here', /answers otherwise than etcd 3.4 or later does \(HTTP 404\)/],
    [502, '<html>bad gateway</html>', /does not answer \(HTTP 502\)/],
  ] as const)('another that answers %i', async ([status, text, words]) => {
    const server = createHttp2((_, answer) => answer.writeHead(status).end(text)).listen(0, '127.0.0.1')
    // The store leaves it by the same connection, which ends with that.
    server.on('session', (session) => session.on('error', () => undefined))
    try {
      await once(server, 'listening')
      expect(await refusal(`etcd://127.0.0.1:${portOf(server)}/x`)).toMatch(words)
    } finally {
      server.close()
    }
  })

  test('another that is older than HTTP/2', async () => {
    const server = createHttp1((_, answer) => answer.end('welcome')).listen(0, '127.0.0.1')
    try {
      await once(server, 'listening')
      expect(await refusal(`etcd://127.0.0.1:${portOf(server)}/x`)).toMatch(
        /answers otherwise than etcd 3.4 or later does \(no HTTP\/2\).*client port/,
      )
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })

  test('nobody listens there', async () => {
    expect(await refusal('etcd://127.0.0.1:1/x')).toBe(
      'etcd://127.0.0.1:1/x does not answer (127.0.0.1:1: nobody listens there); see whether its servers run, whether the URL names their client ports, and whether they speak TLS (?ca=FILE)',
    )
  })
})
