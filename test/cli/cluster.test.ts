// Hosts that share a prefix of etcd or ZooKeeper, as those who run the verbs on them meet it.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { needsEtcd } from '../lib/etcd.ts'
import { needs } from '../lib/need.ts'
import { started, wait } from '../lib/victim.ts'
import { type Ensemble, needsZookeeper, startZookeeper } from '../lib/zookeeper.ts'
import { hostsAt, onEtcd, settle } from './cluster-hosts.ts'
import { CNM, cnm } from './cnm.ts'
import { answered } from './terminal.ts'

needsEtcd('hosts that share etcd', () => {
  const here = onEtcd()
  const { run, ok, json, endpoints, hosts, keys, being, url } = here

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
      const args = ['--kernel', 'sim', '--store', url(), '--host', 'alpha']
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
    const ran = await cnm(['sandbox', 'stats', '--kernel', 'linux'], { env: { CNM_STORE: url(), CNM_HOST: 'alpha' } })
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
      expect((await run(null, 'host', 'forget', 'beta', '--store', `${url()}/none`, '--yes')).exit).toBe(1)
    })

    needs.programs('script')('on a terminal', () => {
      test('asks first', { timeout: 60_000 }, async () => {
        await ok('alpha', 'network', 'create', '--scope', 'global', 'wide')
        await ok('alpha', 'endpoint', 'create', 'wide', 'web')
        const args = ['host', 'forget', 'alpha', '--store', url()]
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
