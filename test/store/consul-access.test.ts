// Whom a store on Consul lets in: who has a token that it knows, with the rights, and a certificate that is trusted. No token is told.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { E } from '../../src/prelude.ts'
import { type ConsulOptions, openConsul } from '../../src/store/consul/open.ts'
import { explainStore } from '../../src/store/error.ts'
import { certificatesIn } from '../lib/certificates.ts'
import { type ConsulCluster, needsConsul, startConsul } from '../lib/consul.ts'
import { needs } from '../lib/need.ts'
import { wait } from '../lib/victim.ts'
import { HASTE, refusal, urlOf, within } from './consul-lib.ts'
import { left, put, right } from './lib.ts'

needsConsul('tokens of Consul', () => {
  const MASTER = 'b1b2f0f4-2a9c-4f0e-9f3a-0d9d1d3b0001'
  const OURS = 'b1b2f0f4-2a9c-4f0e-9f3a-0d9d1d3b0002'
  const READER = 'b1b2f0f4-2a9c-4f0e-9f3a-0d9d1d3b0003'
  let cluster: ConsulCluster
  const dir = mkdtempSync(join(tmpdir(), 'cnm-consul-'))
  const file = (token: string): string => {
    writeFileSync(join(dir, token), `${token}\n`)
    return join(dir, token)
  }
  const url = (token: string | null, prefix = 'cnm') =>
    `consul://${cluster.hosts}/${prefix}${token === null ? '' : `?token-file=${file(token)}`}`
  const setUp = async (): Promise<void> => {
    const acl = { enabled: true, default_policy: 'deny', tokens: { master: MASTER } }
    cluster = await startConsul({ config: { acl }, token: MASTER })
    const [server] = cluster.servers
    const rules = (kv: string): string =>
      `key_prefix "cnm/" { policy = "${kv}" } session_prefix "" { policy = "write" }`
    for (const [name, kv, SecretID] of [
      ['ours', 'write', OURS],
      ['reader', 'read', READER],
    ] as const) {
      const made = async (path: string, body: object): Promise<void> => {
        // Who has just started does not know its tokens yet.
        for (let said = ''; !said.includes('CreateIndex'); await wait(100))
          said = (await server?.request('PUT', path, body)) ?? ''
      }
      await made('acl/policy', { Name: name, Rules: rules(kv) })
      await made('acl/token', { SecretID, Policies: [{ Name: name }] })
    }
  }
  beforeAll(setUp, 60_000)
  afterAll(async () => {
    await cluster.end()
    rmSync(dir, { recursive: true, force: true })
  })

  test('let in who has one, to its own prefix', async () => {
    await within(url(OURS), async (store) => {
      await right(store.transact(put('a', 'x')))
      const told: string[] = []
      store.watch('', 0, ({ tag }) => told.push(tag))
      await expect.poll(() => told).toEqual(['Changed'])
    })
    expect(await refusal(url(OURS, 'other'))).toBe(
      `consul://${cluster.hosts}/other gives this token no right to read and write there, or to make sessions; give it a policy with key_prefix and session_prefix "write"`,
    )
  })

  test('a wrong one and none are refused, and no token is told', async () => {
    const wrong = 'b1b2f0f4-2a9c-4f0e-9f3a-0d9d1d3b0009'
    const told = await refusal(url(wrong))
    expect(told).toBe(
      `consul://${cluster.hosts}/cnm does not know this token; name the file of one that it knows: ?token-file=FILE`,
    )
    expect(await refusal(url(null))).toContain('asks for a token; name the file of one: ?token-file=FILE')
    expect(await refusal(`consul://${cluster.hosts}/cnm?token-file=/nowhere`)).toContain(
      "the token-file of the store's URL cannot be read",
    )
  })

  test('one that only reads lets look also where there is something left to take down', async () => {
    await within(url(OURS), (store) => right(store.transact(put('a', 'z'))))
    // A hold that nobody's session locks any more.
    await cluster.servers[0]?.request('PUT', 'kv/cnm/hold/tgone', 'a')
    await within(url(READER), async (store) => expect((await right(store.get('a')))?.value).toBe('z'))
    expect(await cluster.servers[0]?.request('GET', 'kv/cnm/hold/tgone')).not.toBe('')
    await within(url(OURS), async (store) => expect((await right(store.get('a')))?.value).toBe('z'))
    expect(await cluster.servers[0]?.request('GET', 'kv/cnm/hold/tgone')).toBe('')
  })

  test('one that only reads lets look, and says what it lacks when it is to write', () =>
    within(url(OURS), async (store) => {
      await right(store.transact(put('a', 'y')))
      const reader = await right(openConsul(urlOf(url(READER)), HASTE))
      expect((await right(reader.get('a')))?.value).toBe('y')
      expect(explainStore(await left(reader.transact(put('a', 'z'))))).toContain('gives this token no right')
      await reader.close()
    }))
})

needs.programs('openssl')('certificates, of Consul', () => {
  const dir = mkdtempSync(join(tmpdir(), 'cnm-tls-'))
  const { file, authority, sign } = certificatesIn(dir)
  beforeAll(() => {
    for (const name of ['ca', 'other']) authority(name)
    sign('server', 'ca', 'IP:127.0.0.1')
    sign('client', 'ca', 'DNS:client')
    sign('stranger', 'other', 'DNS:stranger')
  })
  afterAll(() => rmSync(dir, { recursive: true, force: true }))

  const secured = (title: string, clients: boolean, body: (hosts: () => string) => void): void =>
    needsConsul(title, () => {
      let cluster: ConsulCluster
      beforeAll(async () => {
        const config = {
          cert_file: file('server.pem'),
          key_file: file('server.key'),
          ca_file: file('ca.pem'),
          verify_incoming_https: clients,
        }
        cluster = await startConsul({ https: true, config })
      })
      afterAll(() => cluster.end())
      body(() => cluster.hosts)
    })
  const PATIENT: ConsulOptions = { attemptMs: 2000, patienceMs: 15_000 }
  const url = (hosts: string, ...names: ReadonlyArray<string>): string =>
    `consul://${hosts}/x?${names.map((name) => (name === 'tls' ? name : name.replace('=', `=${dir}/`))).join('&')}`
  /** Who has just started has no leader yet. */
  const writes = (text: string) =>
    expect.poll(async () => E.isRight(await openAndWrite(text)), { timeout: 30_000, interval: 200 }).toBe(true)
  const openAndWrite = async (text: string) => {
    const store = await openConsul(urlOf(text), PATIENT)()
    if (E.isLeft(store)) return store
    const done = await store.right.transact(put('a', 'x'))()
    await store.right.close()
    return done
  }

  secured('of a server', false, (hosts) => {
    test('let in who trusts its authority', { timeout: 40_000 }, () => writes(url(hosts(), 'ca=ca.pem')))
    test('are not trusted by this system, nor by another authority', async () => {
      for (const names of ['tls', 'ca=other.pem'])
        expect(await refusal(url(hosts(), names), PATIENT)).toMatch(
          /shows a certificate that is not trusted \(.*\); name its authority: \?ca=FILE/,
        )
    })
    test('without TLS nobody is let in', async () => {
      expect(await refusal(`consul://${hosts()}/x`, PATIENT)).toContain('speaks TLS; add ?tls to its URL, or ?ca=FILE')
    })
  })

  secured('of clients', true, (hosts) => {
    test('let in who has one', { timeout: 40_000 }, () =>
      writes(url(hosts(), 'ca=ca.pem', 'cert=client.pem', 'key=client.key')),
    )
    test('are asked for, and trusted only from its authority', async () => {
      const strange = ['cert=stranger.pem', 'key=stranger.key']
      for (const names of [[], strange])
        expect(await refusal(url(hosts(), 'ca=ca.pem', ...names), PATIENT)).toContain('refuses our TLS')
    })
  })
})
