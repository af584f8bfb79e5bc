// The verbs of a host as a user meets them, on the simulated kernel: what they print, what they remember, what they refuse.

import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { E } from '../../src/prelude.ts'
import { lmdbStore } from '../../src/store/lmdb/lmdb.ts'
import { cnm } from './cnm.ts'
import { type Host, simHost } from './host.ts'

const ID = /^[0-9a-f]{64}$/

describe('networks', () => {
  let host: Host
  beforeAll(async () => {
    host = await simHost()
  })
  afterAll(() => host.remove())

  test('are created with the options of docker network create, and shown with what came of them', async () => {
    const id = await host.ok(
      ...['network', 'create', '-d', 'bridge', '--subnet', '10.5.0.0/24', '--gateway', '10.5.0.254'],
      ...['--ip-range', '10.5.0.128/25', '--aux-address', 'printer=10.5.0.130', '--ipv6', '--subnet', 'fd00:5::/64'],
      ...['--internal', '--attachable=true', '--label', 'tier=back', '--label', 'bare', '-o', 'mtu=1400', 'back'],
    )
    expect(id).toMatch(ID)
    expect(await host.json('network', 'inspect', 'back')).toEqual([
      {
        ...{ id, name: 'back', driver: 'bridge', scope: 'local', internal: true, attachable: true, ingress: false },
        ...{ configOnly: false, configFrom: null, labels: { tier: 'back', bare: '' } },
        options: expect.objectContaining({ mtu: 1400, icc: true }),
        pools: [
          {
            subnet: '10.5.0.0/24',
            ipRange: '10.5.0.128/25',
            gateway: '10.5.0.254',
            auxAddresses: { printer: '10.5.0.130' },
          },
          { subnet: 'fd00:5::/64', ipRange: 'fd00:5::/64', gateway: 'fd00:5::1', auxAddresses: {} },
        ],
        endpoints: [],
      },
    ])
  })

  test('may be without IPv4, in Docker’s spelling', async () => {
    await host.ok('network', 'create', '--ipv4=false', '--ipv6', '--subnet', 'fd00:6::/64', 'six')
    const [six] = await host.json('network', 'inspect', 'six')
    expect(six.pools.map(({ subnet }: { subnet: string }) => subnet)).toEqual(['fd00:6::/64'])
  })

  test('may lend their configuration', async () => {
    await host.ok('network', 'create', '--config-only', '--subnet', '10.8.0.0/24', 'lender')
    await host.ok('network', 'create', '--config-from', 'lender', 'borrower')
    const [borrower] = await host.json('network', 'inspect', 'borrower')
    expect([borrower.configFrom, borrower.pools[0].subnet]).toEqual(['lender', '10.8.0.0/24'])
    await host.ok('network', 'rm', 'borrower', 'lender')
  })

  test('are listed in columns that are aligned, in the order of their names', async () => {
    const lines = (await host.ok('network', 'ls')).split('\n')
    const column = lines[0]?.indexOf('NAME') ?? -1
    expect(lines[0]).toMatch(/^NETWORK ID {4}NAME +DRIVER +SCOPE +SUBNETS +ENDPOINTS$/)
    expect(lines.slice(1).map((line) => line.slice(column, column + 4).trim())).toEqual(['back', 'six'])
  })

  test.each([
    ['name=ac', ['back']],
    ['name=x', ['six']],
    ['driver=bridge', ['back', 'six']],
    ['driver=host', []],
    ['label=tier', ['back']],
    ['label=tier=front', []],
    ['scope=local', ['back', 'six']],
    ['type=custom', ['back', 'six']],
    ['type=builtin', []],
  ])('are filtered by %s', async (filter, names) => {
    const found = await host.json('network', 'ls', '--filter', filter)
    expect(found.map(({ name }: { name: string }) => name)).toEqual(names)
  })

  test('values of one filter are alternatives, but labels must all hold', async () => {
    const names = async (...filters: ReadonlyArray<string>) =>
      (await host.json('network', 'ls', ...filters.flatMap((each) => ['-f', each]))).map(
        (each: { name: string }) => each.name,
      )
    expect(await names('name=back', 'name=six')).toEqual(['back', 'six'])
    expect(await names('label=tier', 'label=bare')).toEqual(['back'])
    expect(await names('label=tier', 'label=none')).toEqual([])
  })

  test('-q prints ids alone, short unless told otherwise', async () => {
    const short = await host.ok('network', 'ls', '-q', '-f', 'name=back')
    const whole = await host.ok('network', 'ls', '-q', '--no-trunc', '-f', 'name=back')
    expect([short, whole]).toEqual([expect.stringMatching(/^[0-9a-f]{12}$/), expect.stringMatching(ID)])
    expect(whole.startsWith(short)).toBe(true)
  })

  test('of several to remove all are tried; those removed are printed, and one that was not makes the status', async () => {
    const { exit, out, err } = await host.run('network', 'rm', 'nope', 'six')
    expect([exit, out]).toEqual([1, 'six\n'])
    expect(err).toBe('cnm: NotFound: there is no network "nope"; "cnm network ls" shows what there is\n')
    expect((await host.run('network', 'rm', '--force', 'nope')).exit).toBe(0)
  })

  test('prune removes those that nobody is on and the labels allow, and asks nobody but with --force', async () => {
    await host.ok('network', 'create', '--label', 'old', 'one')
    await host.ok('network', 'create', 'two')
    expect((await host.run('network', 'prune')).exit).toBe(2)
    expect(await host.ok('network', 'prune', '--force', '--filter', 'label=old')).toBe('one')
    expect((await host.ok('network', 'prune', '--force')).split('\n').sort()).toEqual(['back', 'two'])
    expect(await host.json('network', 'ls')).toEqual([])
  })
})

describe('sandboxes and endpoints', () => {
  let host: Host
  beforeAll(async () => {
    host = await simHost()
    await host.ok('network', 'create', '--subnet', '10.1.0.0/24', 'front')
    await host.ok('network', 'create', '--subnet', '10.2.0.0/24', 'back')
  })
  afterAll(() => host.remove())

  test('a sandbox has a namespace, and ports as docker run -p spells them', async () => {
    expect(
      await host.ok('sandbox', 'create', '-p', '127.0.0.1:8080:80', '-p', '53:53/udp', '--hostname', 'www', 'web'),
    ).toMatch(ID)
    const [web] = await host.json('sandbox', 'inspect', 'web')
    expect(web).toMatchObject({ name: 'web', hostname: 'www', netns: 'cnm-web', endpoints: [] })
    expect(web.ports).toEqual([
      { hostIp: '127.0.0.1', hostPort: 8080, containerPort: 80, proto: 'tcp' },
      { hostIp: null, hostPort: 53, containerPort: 53, proto: 'udp' },
    ])
  })

  test('connect gives an endpoint with the wishes of the caller, disconnect takes it away', async () => {
    await host.ok(
      ...['network', 'connect', '--ip', '10.1.0.9', '--alias', 'www', '--mac-address', '02:00:00:00:00:09'],
      ...['--gw-priority', '5', '--driver-opt', 'com.docker.network.endpoint.ifname=lan0', 'front', 'web'],
    )
    const [endpoint] = await host.json('endpoint', 'ls', '--filter', 'sandbox=web')
    expect(endpoint).toMatchObject({
      ...{ name: 'web', network: 'front', sandbox: 'web', interface: 'lan0', mac: '02:00:00:00:00:09' },
      ...{ addresses: ['10.1.0.9/24'], aliases: ['www'], gwPriority: 5 },
    })
    const again = await host.run('network', 'connect', 'front', 'web')
    expect([again.exit, again.err]).toEqual([1, expect.stringMatching(/^cnm: Forbidden: .*"web"/)])
    const busy = await host.run('network', 'rm', 'front')
    expect([busy.exit, busy.err]).toEqual([1, expect.stringMatching(/^cnm: Forbidden: .*cnm network disconnect/)])
    await host.ok('network', 'disconnect', 'front', 'web')
    expect(await host.json('endpoint', 'ls')).toEqual([])
    const twice = await host.run('network', 'disconnect', 'front', 'web')
    expect([twice.exit, twice.err]).toEqual([1, expect.stringContaining('is not connected to network "front"')])
  })

  test('a connection may set sysctls of its interface, and bad ones are told before anything is done', async () => {
    const sysctls = 'com.docker.network.endpoint.sysctls'
    await host.ok('network', 'connect', '--driver-opt', `${sysctls}=net.ipv4.conf.IFNAME.rp_filter=2`, 'front', 'web')
    await host.ok('network', 'disconnect', 'front', 'web')
    for (const wrong of [`${sysctls}=kernel.panic=1`, `${sysctls}=net.ipv4.conf.IFNAME.rp_filter`, 'colour=red']) {
      const refused = await host.run('network', 'connect', '--driver-opt', wrong, 'front', 'web')
      expect([refused.exit, refused.err]).toEqual([2, expect.stringContaining('--driver-opt')])
    }
  })

  test('a connection may have links and static routes, and a sandbox sysctls of its namespace', async () => {
    await host.ok('endpoint', 'create', 'front', 'db')
    await host.ok('network', 'connect', '--link', 'db:database', '--route', '10.9.0.0/24=10.1.0.99', 'front', 'web')
    const [endpoint] = await host.json('endpoint', 'ls', '--filter', 'sandbox=web')
    expect(endpoint).toMatchObject({
      links: [{ endpoint: 'db', alias: 'database' }],
      routes: [{ destination: '10.9.0.0/24', nextHop: '10.1.0.99' }],
    })
    await host.ok('sandbox', 'create', '--sysctl', 'net.core.somaxconn=1024', 'tuned')
    const [tuned] = await host.json('sandbox', 'inspect', 'tuned')
    expect(tuned.sysctls).toEqual({ 'net.core.somaxconn': '1024' })
    await host.ok('sandbox', 'rm', 'tuned')
    await host.ok('network', 'disconnect', 'front', 'web')
    await host.ok('endpoint', 'rm', 'db')
  })

  test('a connection that is refused leaves nothing half done', async () => {
    await host.ok('network', 'connect', '--driver-opt', 'com.docker.network.endpoint.ifname=lan0', 'front', 'web')
    const args = ['network', 'connect', '--driver-opt', 'com.docker.network.endpoint.ifname=lan0', 'back', 'web']
    const refused = await host.run(...args)
    expect([refused.exit, refused.err]).toEqual([1, expect.stringContaining('has an interface lan0 already')])
    expect(await host.json('endpoint', 'ls', '-f', 'network=back')).toEqual([])
    await host.ok('network', 'disconnect', 'front', 'web')
  })

  test('an endpoint is named by its name, by NETWORK/NAME, or by its id; a name of several is refused with them', async () => {
    const one = await host.ok('endpoint', 'create', '--ip', '10.1.0.20', 'front', 'kept')
    const other = await host.ok('endpoint', 'create', 'back', 'kept')
    expect((await host.json('endpoint', 'inspect', 'front/kept'))[0].id).toBe(one)
    expect((await host.json('endpoint', 'inspect', one.slice(0, 20)))[0].network).toBe('front')
    const { exit, err } = await host.run('endpoint', 'rm', 'kept')
    expect(exit).toBe(2)
    for (const id of [one, other]) expect(err).toContain(id.slice(0, 12))
    expect(await host.ok('endpoint', 'rm', one, 'back/kept')).toBe(`${one}\nback/kept`)
  })

  test('a beginning that several ids share is refused with the candidates, one that fits alone will do', async () => {
    const ids: string[] = []
    // Of 17 ids two begin alike.
    for (let n = 0; n < 17; n++) ids.push(await host.ok('network', 'create', '-d', 'bridge', `n${n}`))
    const twins = ids.filter((id) => ids.filter((other) => other[0] === id[0]).length > 1)
    const digit = twins[0]?.[0] ?? ''
    const { exit, err } = await host.run('network', 'inspect', digit)
    expect([exit, err]).toEqual([2, expect.stringContaining(`"${digit}" could be several networks: `)])
    const [first = ''] = ids
    expect((await host.json('network', 'inspect', first.slice(0, 16)))[0].name).toBe('n0')
    await host.ok('network', 'prune', '--force', '--dry-run')
    await host.ok('network', 'rm', ...ids)
  }, 60_000)

  test('rm of a sandbox takes its endpoints along', async () => {
    await host.ok('network', 'connect', 'front', 'web')
    expect(await host.ok('sandbox', 'rm', 'web')).toBe('web')
    expect(await host.json('endpoint', 'ls')).toEqual([])
    expect(await host.json('sandbox', 'ls')).toEqual([])
  })
})

describe('--dry-run', () => {
  let host: Host
  beforeAll(async () => {
    host = await simHost()
    await host.ok('network', 'create', '--subnet', '10.1.0.0/24', 'front')
    await host.ok('sandbox', 'create', 'web')
    await host.ok('network', 'connect', 'front', 'web')
  })
  afterAll(() => host.remove())

  const changing: ReadonlyArray<readonly [string, ReadonlyArray<string>, string]> = [
    ['network create', ['network', 'create', '--subnet', '10.9.0.0/24', 'new'], 'ip address add 10.9.0.1/24'],
    ['network rm', ['network', 'rm', '--force', 'front'], ''],
    ['network prune', ['network', 'prune'], ''],
    ['network disconnect', ['network', 'disconnect', 'front', 'web'], 'ip link delete dev veth'],
    ['sandbox create', ['sandbox', 'create', 'db'], 'ip netns add cnm-db'],
    ['sandbox rm', ['sandbox', 'rm', 'web'], 'ip netns delete cnm-web'],
    ['endpoint create', ['endpoint', 'create', 'front', 'e'], 'nothing for the kernel to do'],
    ['endpoint rm', ['endpoint', 'rm', '--force', 'web'], 'ip link delete dev veth'],
  ]
  test.each(changing)('of %s prints commands and changes nothing', async (_, args, text) => {
    const everything = () => host.ok('store', 'export')
    const before = await everything()
    const { out } = await host.run(...args, '--dry-run')
    expect(out).toContain(text)
    expect(await everything()).toBe(before)
  })

  test('foresees a refusal', async () => {
    const { exit, out, err } = await host.run('network', 'rm', '--dry-run', 'front')
    expect([exit, out, err]).toEqual([1, '', expect.stringMatching(/^cnm: Forbidden: /)])
  })

  test('of several deeds takes those before into account', async () => {
    const { exit, err } = await host.run('sandbox', 'rm', '--dry-run', 'web', 'web')
    expect([exit, err]).toEqual([1, expect.stringContaining('NotFound')])
  })
})

describe('the state directory', () => {
  let host: Host
  beforeAll(async () => {
    host = await simHost()
    await host.ok('network', 'create', '--subnet', '10.1.0.0/24', 'front')
  })
  afterAll(() => host.remove())

  test('is for one process at a time; the other is told which one has it', async () => {
    const held = await lmdbStore({ dir: host.state })()
    if (E.isLeft(held)) throw new Error(held.left.tag)
    try {
      for (const args of [['network', 'ls'], ['network', 'create', 'x'], ['doctor']]) {
        const { exit, out, err } = await host.run(...args)
        expect([exit, out]).toEqual([3, ''])
        expect(err).toBe(
          `cnm: ${host.state} is in use by process ${process.pid}; stop that one, or choose another directory\n`,
        )
      }
    } finally {
      await held.right.close()
    }
  })

  test('belongs to the kernel it was first used with, but an import to none yet', async () => {
    const file = join(host.state, '..', 'sim.jsonl')
    await host.ok('store', 'export', file)
    const other = join(host.state, '..', 'linux')
    await host.ok('store', 'import', '--state', other, file)
    const held = await lmdbStore({ dir: other })()
    if (E.isLeft(held)) throw new Error(held.left.tag)
    await held.right.transact({ compares: [], writes: [{ key: 'kernel', value: 'linux' }] })()
    await held.right.close()
    for (const args of [['network', 'create', 'x'], ['doctor']]) {
      const { exit, err } = await host.run(...args, '--state', other)
      expect([exit, err]).toEqual([
        1,
        expect.stringMatching(/^cnm: Conflict: .* are on kernel linux, .*--kernel linux/),
      ])
    }
    const copy = join(host.state, '..', 'sim')
    await host.ok('store', 'import', '--state', copy, file)
    await host.ok('network', 'create', '--state', copy, 'x')
  })

  test('may be named by --state, which counts more than CNM_STATE', async () => {
    const elsewhere = join(host.state, '..', 'other')
    expect(await host.json('network', 'ls', '--state', elsewhere)).toEqual([])
  })

  test('is not made by verbs that only look', async () => {
    const nowhere = join(host.state, '..', 'nowhere')
    for (const args of [['network', 'ls'], ['events'], ['doctor'], ['network', 'create', '--dry-run', 'x']])
      expect((await host.run(...args, '--state', nowhere)).exit).toBe(0)
    expect(existsSync(nowhere)).toBe(false)
  })

  test('is exported, imported into an empty one, and checked', async () => {
    const file = join(host.state, '..', 'export.jsonl')
    await host.ok('store', 'export', file)
    const copy = join(host.state, '..', 'copy')
    expect(await host.ok('store', 'import', '--state', copy, file)).toMatch(/^imported; the store is at revision \d+$/)
    expect(await host.json('network', 'ls', '--state', copy)).toEqual(await host.json('network', 'ls'))
    const full = await host.run('store', 'import', '--state', copy, file)
    expect([full.exit, full.err]).toEqual([1, expect.stringContaining('import into an empty one')])
    await writeFile(file, 'nonsense\n')
    expect((await host.run('store', 'import', '--state', join(host.state, '..', 'new'), file)).exit).toBe(2)
    expect(await host.ok('store', 'check')).toContain('every page and every record is as it was written')
    const { problems, entries } = JSON.parse(await host.ok('store', 'check', '--json'))
    expect([problems, entries > 0]).toEqual([[], true])
  })

  test('is checked by its bytes: damage is status 3, and left alone', async () => {
    const broken = join(host.state, '..', 'broken')
    await host.ok('network', 'create', '--state', broken, 'x')
    await writeFile(join(broken, 'store.mdb'), 'x'.repeat(8192))
    for (const args of [
      ['store', 'check'],
      ['network', 'ls'],
    ]) {
      const { exit, err } = await host.run(...args, '--state', broken)
      expect([exit, err]).toEqual([3, expect.stringContaining('left as it is')])
    }
  })
})

test('events tell what each verb did, after a turn if asked', async () => {
  const host = await simHost()
  await host.ok('network', 'create', 'front')
  await host.ok('sandbox', 'create', 'web')
  await host.ok('network', 'connect', 'front', 'web')
  await host.ok('sandbox', 'rm', 'web')
  const told = await host.json('events')
  expect(told.map(({ turn, event, name }: Record<string, unknown>) => [turn, event, name])).toEqual([
    [1, 'NetworkCreated', 'front'],
    [2, 'SandboxCreated', 'web'],
    [3, 'EndpointCreated', 'web'],
    [3, 'Joined', 'web'],
    [4, 'Left', 'web'],
    [4, 'EndpointDeleted', 'web'],
    [4, 'SandboxDeleted', 'web'],
  ])
  expect(await host.json('events', '--since', '3')).toEqual(told.slice(4))
  expect(await host.ok('events', '--since', '4')).toMatch(/^TURN +EVENT +ID +NAME$/)
  await host.remove()
})

test('a journal is exported and replayed to the identical state, and a forged one is found out', async () => {
  const host = await simHost()
  await host.ok('network', 'create', 'front')
  await host.ok('sandbox', 'create', 'web')
  await host.ok('network', 'connect', 'front', 'web')
  const journal = `${(await cnm(['journal', 'export'], { env: { CNM_STATE: host.state } })).out}`
  const replayed = await cnm(['replay'], { input: journal })
  expect(replayed).toEqual({
    exit: 0,
    out: "3 turns, 4 commands replayed on the simulated kernel: the state is the journal's\n",
    err: '',
  })
  const stepped = await cnm(['replay', '--step', '-'], { input: journal })
  expect(stepped.out).toMatch(/^turn 2: CreateSandbox -> SandboxCreated\n {2}ip netns add cnm-web$/m)
  const forged = await cnm(['replay', '--json'], { input: journal.replace('"name":"front"', '"name":"other"') })
  expect([forged.exit, JSON.parse(forged.out).identical]).toEqual([1, false])
  expect((await cnm(['replay'], { input: 'nonsense\n' })).exit).toBe(2)
  await host.remove()
})

test('doctor finds nothing to differ on a simulated machine, and says so', async () => {
  const host = await simHost()
  await host.ok('network', 'create', 'front')
  expect(await host.ok('doctor')).toBe('no differences: the host is as it should be')
  expect(JSON.parse(await host.ok('doctor', '--json'))).toEqual({ differences: [], repaired: false })
  await host.remove()
})

describe('help', () => {
  const keepers = ['events', 'doctor', 'proxy', 'store', 'journal', 'replay', 'completion']
  const groups = ['network', 'endpoint', 'sandbox', ...keepers]
  test.each(groups)('of %s teaches by examples and documents the exit statuses', async (group) => {
    const { exit, out, err } = await cnm([group, '--help'])
    expect([exit, err]).toEqual([0, ''])
    expect(out).toMatch(new RegExp(`Examples:\n(.*\n)*.*cnm ${group} `))
    expect(out).toContain('Exit status: 0')
  })

  test('names them all', async () => {
    const { out } = await cnm(['--help'])
    for (const group of groups) expect(out).toMatch(new RegExp(`^  ${group} `, 'm'))
  })
})
