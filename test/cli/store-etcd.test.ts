// The verbs of a host whose networks are remembered on etcd: as in a state directory, as their user meets them.

import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Cluster, needsEtcd, startEtcd } from '../lib/etcd.ts'
import { needs } from '../lib/need.ts'
import { ownNamespace } from '../lib/own-names.ts'
import { hears, started, wait } from '../lib/victim.ts'
import { CNM, cnm } from './cnm.ts'

const in64 = (text: string): string => Buffer.from(text).toString('base64')

needsEtcd('a host on etcd, with a simulated kernel', () => {
  let cluster: Cluster
  let made = 0
  let url = ''
  beforeAll(async () => {
    cluster = await startEtcd()
  })
  beforeEach(() => {
    made += 1
    url = `etcd://${cluster.hosts}/hosts/h${made}`
  })
  afterAll(() => cluster.end())

  const run = (...args: ReadonlyArray<string>) => cnm([...args, '--kernel', 'sim'], { env: { CNM_STORE: url } })
  const plain = (...args: ReadonlyArray<string>) => cnm(args, { env: { CNM_STORE: url } })
  const ok = async (...args: ReadonlyArray<string>): Promise<string> => {
    const { exit, out, err } = await run(...args)
    if (exit !== 0 || err !== '') throw new Error(`cnm ${args.join(' ')} ended with ${exit}: ${err}`)
    return out.trim()
  }
  const keys = async (): Promise<unknown> =>
    (await cluster.servers[0]?.request('kv/range', { key: 'AA==', range_end: 'AA==', keys_only: true }))?.get('kvs')
  const put = async (key: string, value: string) =>
    cluster.servers[0]?.request('kv/put', { key: in64(key), value: in64(value) })

  test('remembers from verb to verb, and looking makes nothing', async () => {
    const before = await keys()
    expect(await ok('network', 'ls', '-q')).toBe('')
    expect(await keys()).toEqual(before)
    const id = await ok('network', 'create', 'front')
    await ok('sandbox', 'create', 'web')
    await ok('network', 'connect', 'front', 'web')
    expect(JSON.parse(await ok('network', 'inspect', 'front'))[0]).toMatchObject({
      id,
      endpoints: [{ sandbox: 'web' }],
    })
    expect(await ok('doctor')).toBe('no differences: the host is as it should be')
    await ok('sandbox', 'rm', 'web')
    await ok('network', 'rm', 'front')
    expect(await ok('network', 'ls', '-q')).toBe('')
  })

  test('is carried to a state directory and back', async () => {
    await ok('network', 'create', 'front')
    const listed = await ok('network', 'ls', '--no-trunc')
    const folder = mkdtempSync(join(tmpdir(), 'cnm-host-'))
    try {
      const { out } = await plain('store', 'export')
      expect(out).not.toContain('owner')
      const there = ['--store', `lmdb:${folder}`]
      expect(await cnm(['store', 'import', ...there], { input: out })).toMatchObject({ exit: 0 })
      expect((await cnm(['network', 'ls', '--no-trunc', '--kernel', 'sim', ...there])).out.trim()).toBe(listed)
      const back = (await cnm(['store', 'export', ...there])).out
      const refused = await cnm(['store', 'import'], { env: { CNM_STORE: url }, input: back })
      expect([refused.exit, refused.err]).toEqual([1, expect.stringContaining('import into an empty one')])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('verbs that begin at once are done one after the other', async () => {
    const all = await Promise.all(['a', 'b', 'c'].map((name) => run('network', 'create', name)))
    expect(all.map(({ exit, err }) => [exit, err])).toEqual(all.map(() => [0, '']))
    expect((await ok('network', 'ls', '-q')).split('\n')).toHaveLength(3)
  })

  test('a verb that is killed leaves nothing by half, and stands in nobody’s way', async () => {
    await ok('network', 'create', 'first')
    for (const ms of [150, 250, 350, 450]) {
      const verb = started(CNM, 'network', 'create', `n${ms}`, '--kernel', 'sim', '--store', url)
      await wait(ms)
      await verb.kill()
      await ok('network', 'create', `after${ms}`)
    }
    const names = (await ok('network', 'ls')).split('\n').map((line) => line.split(/ +/)[1])
    expect(names).toEqual(expect.arrayContaining(['first', 'after150', 'after250', 'after350', 'after450']))
    expect(await ok('doctor')).toBe('no differences: the host is as it should be')
  })

  test('events are followed while other verbs are at work', async () => {
    await ok('network', 'create', 'front')
    const follower = started(CNM, 'events', '--follow', '--format', 'json', '--store', url)
    try {
      await hears(follower, /NetworkCreated/)
      await ok('sandbox', 'create', 'web')
      await hears(follower, /SandboxCreated/)
      expect(follower.said().map((line) => JSON.parse(line).turn)).toEqual([1, 2])
    } finally {
      await follower.kill()
    }
  })

  describe('what cannot be used is told, with the status of a machine that lacks something, and left alone', () => {
    test.for([
      ['keys of another program', 'x', 'mine', 'holds keys of another program'],
      ['a newer version', 'head', '{"format":"cnm-store","schema":99}', 'has schema version 99, this cnm knows'],
    ] as const)('%s', async ([, key, value, words]) => {
      await put(`/hosts/h${made}/${key}`, value)
      const before = await keys()
      for (const args of [['network', 'create', 'front'], ['network', 'ls'], ['doctor']]) {
        const { exit, err, out } = await run(...args)
        expect([exit, out]).toEqual([3, ''])
        expect(err).toContain(words)
      }
      expect(await keys()).toEqual(before)
    })

    test.for([
      ['etcd://u:se-cr-et@127.0.0.1:1/x', 3, 'nobody listens there'],
      ['etcd://u:se-cr-et@127.0.0.1:x', 2, 'with a port that is no number'],
      ['redis://u:se-cr-et@a', 2, 'is no store'],
      ['memory:', 2, 'is forgotten when the verb ends'],
    ] as const)('%s', async ([store, exit, words]) => {
      const ran = await cnm(['network', 'create', 'front', '--kernel', 'sim', '--store', store])
      expect(ran).toMatchObject({ exit, out: '', err: expect.stringContaining(words) })
      expect(ran.err).not.toContain('se-cr-et')
    })
  })

  test('two places are one too many, and the command line is heard before the environment', async () => {
    const two = await cnm(['network', 'ls', '--store', url, '--state', '/nowhere'])
    expect([two.exit, two.err]).toEqual([2, expect.stringContaining('name two places')])
    await ok('network', 'create', 'front')
    const env = { CNM_STATE: '/nowhere/at/all' }
    expect((await cnm(['network', 'ls', '--kernel', 'sim', '--store', url], { env })).out).toContain('front')
  })

  test('looking at the file of a store is for a state directory', async () => {
    const { exit, err } = await plain('store', 'check')
    expect([exit, err]).toEqual([2, expect.stringContaining('has no file of ours to check')])
  })
})

const prefix = ownNamespace('e')

needs.kernel('a host on etcd, with the running kernel', () => {
  const [host, web, db] = ['host', 'web', 'db'].map((name) => `${prefix}-${name}`)
  let folder = ''
  const inside = (...words: ReadonlyArray<string>) => ['nsenter', `--net=/run/netns/${host}`, '--', ...words] as const
  const run = async (...args: ReadonlyArray<string>) => {
    const [command, ...words] = inside(CNM, ...args)
    const env = { PATH: process.env['PATH'] ?? '', CNM_STORE: 'etcd://127.0.0.1:2379/here' }
    const { exitCode, stdout, stderr } = await execa(command, words, { env, extendEnv: false, reject: false })
    return [exitCode, stdout, stderr] as const
  }
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cnm-host-'))
    // Servers of other users have their directories in it.
    chmodSync(folder, 0o711)
    await execa('ip', ['netns', 'add', String(host)])
    await execa('nsenter', [`--net=/run/netns/${host}`, '--', 'ip', 'link', 'set', 'lo', 'up'])
  })
  afterEach(async () => {
    for (const name of [host, web, db]) await execa('ip', ['netns', 'delete', String(name)], { reject: false })
    rmSync(folder, { recursive: true, force: true })
  })

  needsEtcd('and the server in its namespace', () => {
    test('packets pass, and what a hand took away is repaired from what etcd remembers', async () => {
      const etcd = started(
        ...inside('setpriv', '--pdeathsig', 'KILL', 'etcd', '--data-dir', folder, '--log-level', 'error'),
      )
      try {
        await expect.poll(async () => (await run('network', 'ls', '-q'))[0], { timeout: 20_000 }).toBe(0)
        for (const args of [
          ['network', 'create', 'front'],
          ['sandbox', 'create', '--netns', String(web), 'web'],
          ['sandbox', 'create', '--netns', String(db), 'db'],
          ['network', 'connect', '--ip', '172.17.0.7', 'front', 'web'],
          ['network', 'connect', 'front', 'db'],
        ])
          expect(await run(...args)).toEqual([0, expect.anything(), ''])
        const pings = async () =>
          (await execa('ip', ['netns', 'exec', String(db), 'ping', '-c1', '-W2', '172.17.0.7'], { reject: false }))
            .exitCode
        expect(await pings()).toBe(0)
        await execa('ip', ['netns', 'exec', String(web), 'ip', 'address', 'flush', 'dev', 'eth0'])
        expect(await pings()).not.toBe(0)
        expect((await run('doctor', '--repair'))[0]).toBe(0)
        expect(await pings()).toBe(0)
      } finally {
        await etcd.kill()
      }
    })
  })

  needsEtcd('and three servers in its namespace, each of a user of its own', () => {
    const [FIRST_UID, CLIENTS, PEERS] = [64_100, 2400, 2500]
    const members = [0, 1, 2]

    const start = (i: number) => {
      const dir = join(folder, `m${i}`)
      mkdirSync(dir, { mode: 0o700 })
      chownSync(dir, FIRST_UID + i, FIRST_UID + i)
      const [client, peer] = [`http://127.0.0.1:${CLIENTS + i}`, `http://127.0.0.1:${PEERS + i}`]
      const user = ['--reuid', `${FIRST_UID + i}`, '--regid', `${FIRST_UID + i}`, '--clear-groups']
      return started(
        ...inside('setpriv', ...user, '--pdeathsig', 'KILL', 'etcd', '--name', `m${i}`, '--data-dir', dir),
        ...['--log-level', 'error', '--listen-client-urls', client, '--advertise-client-urls', client],
        ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster'],
        members.map((each) => `m${each}=http://127.0.0.1:${PEERS + each}`).join(','),
      )
    }
    const nft = async (script: string): Promise<void> => {
      const [command, ...words] = inside('nft', '-f', '-')
      await execa(command, words, { input: script })
    }
    /** Whom nobody of the others hears, and who hears nobody of them; whoever asks it does. */
    const cutOff = (i: number): Promise<void> =>
      nft(`
table inet cut {
  chain output {
    type filter hook output priority 0
    meta skuid ${FIRST_UID + i} tcp dport ${PEERS}-${PEERS + 2} drop
    meta skuid ${FIRST_UID + i} tcp sport ${PEERS + i} drop
    tcp dport ${PEERS + i} drop
  }
}
`)
    const heal = (): Promise<void> => nft('delete table inet cut')
    /** That one first. */
    const urlFrom = (...order: ReadonlyArray<number>): string =>
      `etcd://${order.map((i) => `127.0.0.1:${CLIENTS + (i % 3)}`).join(',')}/cut`
    const verb = (url: string, ...args: ReadonlyArray<string>) => run(...args, '--kernel', 'sim', '--store', url)

    test('one of which is cut off: verbs go on at the others, and at it alone say so', {
      timeout: 180_000,
    }, async () => {
      const servers = members.map(start)
      try {
        await expect
          .poll(async () => (await verb(urlFrom(0, 1, 2), 'network', 'ls', '-q'))[0], { timeout: 60_000 })
          .toBe(0)
        for (const i of members) {
          await cutOff(i)
          expect(await verb(urlFrom(i, i + 1, i + 2), 'network', 'create', `n${i}`)).toEqual([0, expect.anything(), ''])
          const [exit, out, err] = await verb(urlFrom(i), 'network', 'create', 'lost')
          expect([exit, out]).toEqual([3, ''])
          expect(err).toContain('does not answer')
          await heal()
          // It comes back with a term of its own, for which the others elect anew.
          await expect.poll(async () => (await verb(urlFrom(i), 'network', 'ls', '-q'))[0], { timeout: 60_000 }).toBe(0)
        }
        const [, out] = await verb(urlFrom(0, 1, 2), 'network', 'ls')
        expect(
          out
            .split('\n')
            .slice(1)
            .map((line) => line.split(/ +/)[1]),
        ).toEqual(['n0', 'n1', 'n2'])
      } finally {
        for (const server of servers) await server.kill()
      }
    })
  })
})
