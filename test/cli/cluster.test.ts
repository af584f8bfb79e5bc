// Hosts that share a prefix of etcd or ZooKeeper, as those who run the verbs on them meet it; each has a simulated kernel of its own.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Membership, membership } from '../../src/cluster/membership.ts'
import type { SharedStore } from '../../src/store/lease.ts'
import { hostId } from '../cluster/hosts.ts'
import { type Cluster, needsEtcd, startEtcd } from '../lib/etcd.ts'
import { needs } from '../lib/need.ts'
import { started, wait } from '../lib/victim.ts'
import { type Ensemble, needsZookeeper, startZookeeper } from '../lib/zookeeper.ts'
import { openAt } from '../store/etcd-lib.ts'
import { right } from '../store/lib.ts'
import { CNM, cnm, type Ended } from './cnm.ts'
import { answered } from './terminal.ts'

const in64 = (text: string): string => Buffer.from(text).toString('base64')

/** The verbs of hosts that share a place. */
const hostsAt = (url: () => string) => {
  const run = (host: string | null, ...args: ReadonlyArray<string>): Promise<Ended> => {
    const [group = ''] = args
    const kernel = ['store', 'events', 'journal', 'host'].includes(group) ? [] : ['--kernel', 'sim']
    return cnm([...args, ...kernel], { env: { CNM_STORE: url(), ...(host === null ? {} : { CNM_HOST: host }) } })
  }
  const ok = async (host: string | null, ...args: ReadonlyArray<string>): Promise<string> => {
    const { exit, out, err } = await run(host, ...args)
    if (exit !== 0 || err !== '') throw new Error(`cnm ${args.join(' ')} on ${host} ended with ${exit}: ${err}`)
    return out.trim()
  }
  const json = async (host: string | null, ...args: ReadonlyArray<string>) => JSON.parse(await ok(host, ...args))
  const endpoints = (host: string) => json(host, 'endpoint', 'ls', '--format', 'json')
  /** Rows of `host ls` without its head. */
  const hosts = async (): Promise<ReadonlyArray<string>> =>
    (await ok(null, 'host', 'ls'))
      .split('\n')
      .slice(1)
      .map((row) => row.replaceAll(/ +/g, ' '))
  return { run, ok, json, endpoints, hosts }
}

/** Two hosts with a sandbox each, joined to a network that both know. */
const settle = async ({ ok }: ReturnType<typeof hostsAt>): Promise<void> => {
  await ok('alpha', 'network', 'create', '--scope', 'global', '--subnet', '10.5.0.0/24', 'wide')
  await ok('alpha', 'sandbox', 'create', 'web')
  await ok('beta', 'sandbox', 'create', 'db')
  await ok('alpha', 'network', 'connect', 'wide', 'web')
  await ok('beta', 'network', 'connect', 'wide', 'db')
}

needsEtcd('hosts that share etcd', () => {
  let cluster: Cluster
  let made = 0
  let prefix = ''
  let url = ''
  beforeAll(async () => {
    cluster = await startEtcd()
  })
  beforeEach(() => {
    made += 1
    prefix = `blue/${made}`
    url = `etcd://${cluster.hosts}/${prefix}`
  })
  afterAll(() => cluster.end())

  const here = hostsAt(() => url)
  const { run, ok, json, endpoints, hosts } = here
  const all = { key: 'AA==', range_end: 'AA==' }
  const keys = async (): Promise<unknown> => (await cluster.servers[0]?.request('kv/range', all))?.get('kvs')
  const put = async (key: string, value: string) =>
    cluster.servers[0]?.request('kv/put', { key: in64(key), value: in64(value) })
  /** What this process is, until it is closed. */
  const being = async (name: string, mortal = false): Promise<readonly [Membership, SharedStore]> => {
    const store = await openAt(cluster, prefix)
    const member = membership({ store, host: hostId(name), place: 'the test', mortal })
    await right(member.begin)
    return [member, store]
  }

  test('know one network with the endpoints of both, and each its own sandboxes', { timeout: 60_000 }, async () => {
    await settle(here)
    for (const host of ['alpha', 'beta', 'gamma']) {
      const [network] = await json(host, 'network', 'inspect', 'wide')
      expect(network).toMatchObject({ scope: 'global', pools: [{ subnet: '10.5.0.0/24', gateway: '10.5.0.1' }] })
      const [db, web] = await endpoints(host)
      expect(db).toMatchObject({ name: 'db', host: 'beta', sandbox: host === 'beta' ? 'db' : null })
      expect(web).toMatchObject({ name: 'web', host: 'alpha', sandbox: host === 'alpha' ? 'web' : null })
      expect(db.addresses).not.toEqual(web.addresses)
    }
    expect(await ok('beta', 'endpoint', 'ls', '--filter', 'host=alpha')).toMatch(/ HOST\n.* web .* alpha$/)
    expect(await json('alpha', 'sandbox', 'ls', '--format', 'json')).toMatchObject([{ name: 'web' }])
    expect(await ok('alpha', 'doctor')).toBe('no differences: the host is as it should be')
    expect(await hosts()).toEqual(['alpha away 1 -', 'beta away 1 -'])
  })

  test('have networks of their own, too, of one name even', async () => {
    await ok('alpha', 'network', 'create', 'front')
    await ok('beta', 'network', 'create', 'front')
    expect(await json('alpha', 'network', 'ls', '--format', 'json')).toMatchObject([{ name: 'front', scope: 'local' }])
    expect(await ok('gamma', 'network', 'ls', '-q')).toBe('')
  })

  test('have no name or address twice, and take nothing from each other', { timeout: 120_000 }, async () => {
    await settle(here)
    const [{ addresses }] = await endpoints('beta')
    const taken = String(addresses[0]).split('/')[0] ?? ''
    for (const [args, exit, words] of [
      [['network', 'create', '--scope', 'global', 'wide'], 1, 'Conflict: a network named "wide" exists already'],
      [['endpoint', 'create', 'wide', 'db'], 1, 'network "wide" has an endpoint named "db" already'],
      [['endpoint', 'create', '--ip', taken, 'wide', 'third'], 1, taken],
      [['network', 'rm', 'wide'], 1, 'network "wide" is in use by "db", "web"'],
      [['endpoint', 'rm', '--force', 'wide/db'], 1, 'endpoint "db" is on host beta: do it there'],
      [['endpoint', 'rename', 'wide/db', 'x'], 1, 'is on host beta'],
      [['network', 'disconnect', '--force', 'wide', 'db'], 1, 'is on host beta'],
    ] as const) {
      const before = await endpoints('beta')
      const ran = await run('alpha', ...args)
      expect([args, ran.exit, ran.out]).toEqual([args, exit, ''])
      expect(ran.err).toContain(words)
      expect(await endpoints('beta')).toEqual(before)
    }
    await ok('alpha', 'sandbox', 'rm', 'web')
    expect((await run('alpha', 'network', 'rm', 'wide')).err).toContain('in use by "db"')
    await ok('beta', 'network', 'disconnect', 'wide', 'db')
    await ok('alpha', 'network', 'rm', 'wide')
    expect(await ok('beta', 'network', 'ls', '-q')).toBe('')
  })

  test('may all be at work at once; verbs of one host are done one after the other', { timeout: 90_000 }, async () => {
    await ok('alpha', 'network', 'create', '--scope', 'global', '--subnet', '10.5.0.0/24', 'wide')
    const names = ['alpha', 'beta'].flatMap((host) => [1, 2].map((n) => [host, `${host}-${n}`] as const))
    const done = await Promise.all(names.map(([host, name]) => run(host, 'endpoint', 'create', 'wide', name)))
    expect(done.map(({ exit, err }) => [exit, err])).toEqual(done.map(() => [0, '']))
    const found = await endpoints('gamma')
    expect(found.map(({ host, name }: { host: string; name: string }) => [host, name])).toEqual(names)
    expect(new Set(found.flatMap(({ addresses }: { addresses: string[] }) => addresses)).size).toBe(4)
  })

  test('are not stopped by a verb that is killed', { timeout: 90_000 }, async () => {
    await ok('alpha', 'network', 'create', '--scope', 'global', 'wide')
    for (const ms of [200, 300, 400, 500]) {
      const args = ['--kernel', 'sim', '--store', url, '--host', 'alpha']
      const verb = started(CNM, 'endpoint', 'create', 'wide', `killed-${ms}`, ...args)
      await wait(ms)
      await verb.kill()
      await ok('beta', 'endpoint', 'create', 'wide', `beside-${ms}`)
      await ok('alpha', 'endpoint', 'create', 'wide', `after-${ms}`)
    }
    const found: ReadonlyArray<{ name: string; addresses: ReadonlyArray<string> }> = await endpoints('beta')
    const sure = found.filter(({ name }) => !name.startsWith('killed'))
    expect(sure).toHaveLength(8)
    expect(new Set(found.flatMap(({ addresses }) => addresses)).size).toBe(found.length)
  })

  test('look, and rehearse, without a trace', { timeout: 60_000 }, async () => {
    const empty = await keys()
    expect(await ok('alpha', 'network', 'ls', '-q')).toBe('')
    expect(await ok(null, 'host', 'ls', '--json')).toBe('[]')
    expect(await keys()).toEqual(empty)
    await settle(here)
    const before = await keys()
    for (const args of [
      ['network', 'ls'],
      ['network', 'inspect', 'wide'],
      ['sandbox', 'stats'],
      ['doctor'],
      ['host', 'ls'],
      ['store', 'export'],
    ])
      await ok(args[0] === 'store' ? null : 'alpha', ...args)
    expect(await ok('gamma', 'network', 'create', '--dry-run', 'own')).toContain('create network "own"')
    expect(await keys()).toEqual(before)
  })

  test('are one process each: another that says to be it is told who is', { timeout: 60_000 }, async () => {
    await settle(here)
    const [alpha] = await being('alpha')
    try {
      const before = await keys()
      const { exit, out, err } = await run('alpha', 'endpoint', 'create', 'wide', 'late')
      expect([exit, out]).toEqual([3, ''])
      expect(err).toMatch(
        new RegExp(
          `^cnm: host alpha of etcd://.* is in use by process ${process.pid} on .*; each machine needs a --host`,
        ),
      )
      expect(await keys()).toEqual(before)
      expect(await ok('alpha', 'network', 'ls')).toContain('wide')
      await ok('beta', 'endpoint', 'create', 'wide', 'other')
    } finally {
      await alpha.close()
    }
    await ok('alpha', 'endpoint', 'create', 'wide', 'late')
  })

  test('belong to one kernel each', async () => {
    await ok('alpha', 'network', 'create', 'front')
    const ran = await cnm(['sandbox', 'stats', '--kernel', 'linux'], { env: { CNM_STORE: url, CNM_HOST: 'alpha' } })
    if (process.getuid?.() === 0)
      expect(ran).toMatchObject({ exit: 1, err: expect.stringContaining('are on kernel sim, not on kernel linux') })
    else expect(ran.exit).toBe(3)
  })

  describe('host ls', () => {
    test('tells who is up, away or down', { timeout: 60_000 }, async () => {
      await ok('alpha', 'network', 'create', 'front')
      const [beta] = await being('beta')
      const [, lost] = await being('gamma', true)
      // It goes without a word.
      await lost.close()
      const rows = await hosts()
      expect(rows).toEqual(['alpha away 0 -', expect.stringMatching(`^beta up 0 ${process.pid} on `), 'gamma down 0 -'])
      expect(await json(null, 'host', 'ls', '--json')).toEqual([
        { host: 'alpha', state: 'away', endpoints: 0, process: null },
        { host: 'beta', state: 'up', endpoints: 0, process: { machine: expect.any(String), pid: process.pid } },
        { host: 'gamma', state: 'down', endpoints: 0, process: null },
      ])
      await beta.close()
      expect((await hosts())[1]).toBe('beta away 0 -')
    })
  })

  describe('host forget', () => {
    test('frees what a host had, which begins with nothing should it come back', { timeout: 60_000 }, async () => {
      await settle(here)
      expect(await ok(null, 'host', 'forget', '--yes', 'beta')).toBe('forgot host beta; 1 endpoint cleared')
      expect(await hosts()).toEqual(['alpha away 1 -'])
      expect(await endpoints('alpha')).toMatchObject([{ name: 'web' }])
      await ok('alpha', 'endpoint', 'create', 'wide', 'db')
      expect(await ok('beta', 'sandbox', 'ls', '-q')).toBe('')
      await ok('beta', 'sandbox', 'create', 'db')
      expect(await hosts()).toEqual(['alpha away 2 -', 'beta away 0 -'])
    })

    test('refuses one that is there, that nobody knows, and where nobody can be asked', async () => {
      await ok('alpha', 'network', 'create', '--scope', 'global', 'wide')
      await ok('alpha', 'endpoint', 'create', 'wide', 'web')
      const [beta] = await being('beta')
      const before = await keys()
      for (const [args, exit, words] of [
        [['beta', '--yes'], 1, 'Conflict: host beta is there (process'],
        [['nobody', '--yes'], 1, 'NotFound: no host "nobody" shares this store; "cnm host ls" shows those that do'],
        [['a/b', '--yes'], 1, 'NotFound: no host "a/b"'],
        [['alpha'], 2, 'host forget asks on a terminal only; say --yes'],
      ] as const) {
        const ran = await run(null, 'host', 'forget', ...args)
        expect([args, ran.exit, ran.out]).toEqual([args, exit, ''])
        expect(ran.err).toContain(words)
      }
      expect(await keys()).toEqual(before)
      await beta.close()
      expect((await run(null, 'host', 'forget', 'beta', '--store', `${url}/none`, '--yes')).exit).toBe(1)
    })

    needs.programs('script')('on a terminal', () => {
      test('asks first', { timeout: 60_000 }, async () => {
        await ok('alpha', 'network', 'create', '--scope', 'global', 'wide')
        await ok('alpha', 'endpoint', 'create', 'wide', 'web')
        const args = ['host', 'forget', 'alpha', '--store', url]
        for (const [keys, exit] of [
          ['n\r', 0],
          ['\x03', 130],
        ] as const) {
          const { out, ...ended } = await answered(args, keys)
          expect(ended.exit).toBe(exit)
          expect(out).toContain('This removes host alpha with 1 endpoint of shared networks')
          expect(await hosts()).toEqual(['alpha away 1 -'])
        }
        expect((await answered(args, 'y\r')).out).toContain('forgot host alpha; 1 endpoint cleared')
        expect(await hosts()).toEqual([])
      })
    })
  })

  describe('a prefix', () => {
    test('of one host alone refuses --host, and is left as it is', { timeout: 60_000 }, async () => {
      await ok(null, 'network', 'create', 'front')
      const before = await keys()
      for (const [host, ...args] of [
        ['alpha', 'network', 'create', 'x'],
        ['alpha', 'network', 'ls'],
        ['alpha', 'doctor'],
        ['alpha', 'network', 'rm', '--dry-run', 'front'],
        [null, 'host', 'ls'],
        [null, 'host', 'forget', '--yes', 'alpha'],
      ] as const) {
        const { exit, out, err } = await run(host, ...args)
        expect([args, exit, out]).toEqual([args, 3, ''])
        expect(err).toMatch(/^cnm: etcd:\/\/.* holds the networks of one host alone; leave out --host/)
      }
      expect(await keys()).toEqual(before)
    })

    test('that hosts share refuses to be without, and is left as it is', { timeout: 60_000 }, async () => {
      await ok('alpha', 'network', 'create', '--scope', 'global', 'wide')
      await ok('beta', 'sandbox', 'create', 'db')
      const before = await keys()
      for (const args of [
        ['network', 'create', 'x'],
        ['network', 'ls'],
        ['doctor'],
        ['network', 'rm', '--dry-run', 'wide'],
        ['events'],
        ['journal', 'export'],
      ]) {
        const { exit, out, err } = await run(null, ...args)
        expect([args, exit, out]).toEqual([args, 3, ''])
        expect(err).toMatch(/^cnm: etcd:\/\/.* is shared by hosts \(alpha, beta\); say which .* with --host NAME/)
      }
      const proxy = await cnm(['proxy', '--store', url])
      expect([proxy.exit, proxy.err]).toEqual([3, expect.stringContaining('is shared by hosts')])
      expect(await keys()).toEqual(before)
    })

    test('is never both, though two begin it at once', { timeout: 90_000 }, async () => {
      for (let n = 0; n < 4; n++) {
        url = `etcd://${cluster.hosts}/${prefix}/${n}`
        const both = await Promise.all([run(null, 'network', 'create', 'x'), run('alpha', 'network', 'create', 'x')])
        expect(both.map(({ exit }) => exit).sort()).toEqual([0, 3])
        const store = await openAt(cluster, `${prefix}/${n}`)
        const names = JSON.stringify(await right(store.list('')))
        await store.close()
        expect(names.includes('"kernel"')).toBe(both[0]?.exit === 0)
        expect(names.includes('"g/member/alpha"')).toBe(both[1]?.exit === 0)
      }
    })

    test('that hosts share is carried to another as a whole', { timeout: 60_000 }, async () => {
      await settle(here)
      const before = [await endpoints('alpha'), await json('beta', 'sandbox', 'ls', '--format', 'json')]
      const [gamma] = await being('gamma')
      const out = await ok(null, 'store', 'export')
      await gamma.close()
      const folder = mkdtempSync(join(tmpdir(), 'cnm-host-'))
      try {
        // A directory holds it for its way, and nothing else can be done with it there.
        const there = ['--store', `lmdb:${join(folder, 'way')}`]
        expect(await cnm(['store', 'import', ...there], { input: `${out}\n` })).toMatchObject({ exit: 0 })
        const wrong = await cnm(['network', 'create', 'x', '--kernel', 'sim', ...there])
        expect([wrong.exit, wrong.err]).toEqual([3, expect.stringContaining('hosts share it on servers')])
        const again = (await cnm(['store', 'export', ...there])).out
        url = `etcd://${cluster.hosts}/${prefix}-copy`
        expect(await cnm(['store', 'import', '--store', url], { input: again })).toMatchObject({ exit: 0 })
      } finally {
        rmSync(folder, { recursive: true })
      }
      expect([await endpoints('alpha'), await json('beta', 'sandbox', 'ls', '--format', 'json')]).toEqual(before)
      expect(await hosts()).toEqual(['alpha away 1 -', 'beta away 1 -', 'gamma away 0 -'])
      await ok('beta', 'network', 'disconnect', 'wide', 'db')
      await ok('alpha', 'endpoint', 'create', 'wide', 'db')
    })
  })

  describe('what cannot be is told, and left alone', () => {
    test.for([
      ['events', ['events'], 'events: not with --host yet: no journal is kept'],
      ['a journal', ['journal', 'export'], 'journal export: not with --host yet'],
      ['an export of one', ['store', 'export', '--host', 'alpha'], 'store export: not with --host yet: it carries all'],
      ['an import of one', ['store', 'import', '--host', 'alpha'], 'store import: not with --host yet: it carries all'],
      ['a directory', ['network', 'ls', '--host', 'a', '--state', '/nowhere'], '--host a is for hosts that share'],
      ['lmdb:', ['network', 'ls', '--host', 'a', '--store', 'lmdb:/nowhere'], '--host a is for hosts that share'],
      ['hosts of a directory', ['host', 'ls', '--state', '/nowhere'], 'hosts share a store on servers; say --store'],
      ['a slash', ['network', 'ls', '--host', 'a/b'], '--host "a/b": a host is named with 1 to 64 letters'],
      ['no name', ['network', 'ls', '--host', ''], '--host "": a host is named with'],
      ['a name that is too long', ['network', 'ls', '--host', 'a'.repeat(65)], ': a host is named with'],
      ['an option', ['network', 'ls', '--host', '--help'], '--host "--help": a host is named with'],
      ['a new line', ['network', 'ls', '--host', 'a\nb'], '--host "a\\x0ab": a host is named with'],
    ] as const)('%s: the command line is wrong', async ([, args, words]) => {
      const before = await keys()
      const ran = await run('alpha', ...args)
      expect([ran.exit, ran.out]).toEqual([2, ''])
      expect(ran.err).toContain(words)
      expect(await keys()).toEqual(before)
    })

    test.for([
      ['keys of another program', 'x', 'mine', 'holds keys of another program'],
      ['a newer version', 'head', '{"format":"cnm-store","schema":99}', 'has schema version 99, this cnm knows'],
    ] as const)('%s: the store cannot be used', async ([, key, value, words]) => {
      await put(`/${prefix}/${key}`, value)
      const before = await keys()
      for (const args of [
        ['network', 'create', 'front'],
        ['network', 'ls'],
        ['host', 'ls'],
        ['host', 'forget', '--yes', 'alpha'],
      ]) {
        const { exit, out, err } = await run('alpha', ...args)
        expect([args, exit, out]).toEqual([args, 3, ''])
        expect(err).toContain(words)
      }
      expect(await keys()).toEqual(before)
    })

    test.for([
      ['nobody there', 'etcd://u:se-cr-et@127.0.0.1:1/x', 3, 'nobody listens there'],
      ['a port that is none', 'etcd://u:se-cr-et@127.0.0.1:x', 2, 'with a port that is no number'],
      ['another kind', 'redis://u:se-cr-et@a', 2, 'is no store'],
      ['a user where there are none', 'etcd://u:se-cr-et@HERE/x', 3, 'has no users'],
      ['TLS where there is none', 'etcd://HERE/x?tls', 3, 'whether they speak TLS'],
      ['an authority that is no file', 'etcd://HERE/x?ca=/nowhere', 3, "the ca of the store's URL cannot be read"],
    ] as const)('%s', async ([, store, exit, words]) => {
      const ran = await run('alpha', 'network', 'create', 'x', '--store', store.replace('HERE', cluster.hosts))
      expect(ran).toMatchObject({ exit, out: '', err: expect.stringContaining(words) })
      expect(ran.err).not.toContain('se-cr-et')
    })

    test('a host of the environment, where the command line says a directory, is not meant', async () => {
      const state = join(tmpdir(), 'cnm-nowhere')
      expect(await ok('alpha', 'network', 'ls', '-q', '--state', state)).toBe('')
      expect(await run('', 'network', 'ls', '-q')).toMatchObject({ exit: 0, out: '' })
    })
  })

  test('who has no right to read and write there is refused', async () => {
    const guarded = await startEtcd()
    try {
      const [server] = guarded.servers
      for (const name of ['root', 'cnm']) await server?.request('auth/user/add', { name, password: 'right' })
      await server?.request('auth/user/grant', { user: 'root', role: 'root' })
      await server?.request('auth/enable', {})
      for (const [login, words] of [
        ['cnm:wrong@', 'refuses this user and password'],
        ['cnm:right@', 'gives this user no right to read and write there'],
        ['', 'asks for a user and a password'],
      ] as const) {
        const ran = await run('alpha', 'network', 'create', 'x', '--store', `etcd://${login}${guarded.hosts}/x`)
        expect([login, ran.exit, ran.out]).toEqual([login, 3, ''])
        expect(ran.err).toContain(words)
      }
    } finally {
      await guarded.end()
    }
  })
})

needsZookeeper('hosts that share ZooKeeper', () => {
  let ensemble: Ensemble
  beforeAll(async () => {
    ensemble = await startZookeeper(1)
  })
  afterAll(() => ensemble.end())

  test('share a network, and take nothing from each other', { timeout: 120_000 }, async () => {
    const url = `zk://ann:secret@${ensemble.hosts}/blue`
    const here = hostsAt(() => url)
    const { run, ok, endpoints, hosts } = here
    await settle(here)
    expect(await endpoints('gamma')).toMatchObject([
      { name: 'db', host: 'beta' },
      { name: 'web', host: 'alpha' },
    ])
    const refused = await run('beta', 'endpoint', 'rm', 'wide/web')
    expect([refused.exit, refused.err]).toEqual([1, expect.stringContaining('is on host alpha: do it there')])
    expect((await run(null, 'network', 'create', 'x')).err).toMatch(/\/blue is shared by hosts \(alpha, beta\)/)
    const stranger = await cnm(['host', 'ls', '--store', `zk://${ensemble.hosts}/blue`])
    expect(stranger).toMatchObject({ exit: 3, out: '', err: expect.stringContaining('by a user who has a password') })
    expect(await hosts()).toEqual(['alpha away 1 -', 'beta away 1 -'])
    expect(await ok(null, 'host', 'forget', '--yes', 'alpha')).toBe('forgot host alpha; 1 endpoint cleared')
    await ok('beta', 'sandbox', 'rm', 'db')
    await ok('beta', 'network', 'rm', 'wide')
    await ok(null, 'network', 'create', 'own', '--store', `${url}-own`)
    const mixed = await run('alpha', 'network', 'ls', '--store', `${url}-own`)
    expect([mixed.exit, mixed.err]).toEqual([3, expect.stringContaining('holds the networks of one host alone')])
  })
})
