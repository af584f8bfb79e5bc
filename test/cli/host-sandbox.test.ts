// What a sandbox is given, and given anew: options in Docker's words, its name, the namespace that somebody else makes.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Host, simHost } from './host.ts'

let host: Host
beforeAll(async () => {
  host = await simHost()
  await host.ok('network', 'create', '--subnet', '10.1.0.0/24', 'front')
  await host.ok('network', 'create', '--subnet', '10.2.0.0/24', 'back')
})
afterAll(() => host.remove())

const sandbox = async (name: string) => (await host.json('sandbox', 'inspect', name))[0]
const endpoints = async (name: string): Promise<ReadonlyArray<string>> =>
  (await host.json('endpoint', 'ls', '-f', `sandbox=${name}`)).map((each: { name: string }) => each.name)

describe('a sandbox', () => {
  test('is created with names, resolvers, hosts and exposed ports', async () => {
    await host.ok(
      ...[
        'sandbox',
        'create',
        '--hostname',
        'www',
        '--domainname',
        'example.com',
        '--dns',
        '9.9.9.9',
        '--dns',
        '2620:fe::fe',
      ],
      ...['--dns-search', 'example.com', '--dns-option', 'ndots:1', '--add-host', 'db:203.0.113.7'],
      ...[
        '--add-host',
        'six=[fd00::7]',
        '--expose',
        '80',
        '--expose',
        '90-91/udp',
        '--label',
        'a=b',
        '-p',
        '8080:80',
        'web',
      ],
    )
    expect(await sandbox('web')).toMatchObject({
      ...{ name: 'web', hostname: 'www', domainname: 'example.com', netns: 'cnm-web', external: false, key: null },
      ...{ labels: { a: 'b' }, exposed: ['80/tcp', '90/udp', '91/udp'] },
      dns: { servers: ['9.9.9.9', '2620:fe::fe'], search: ['example.com'], options: ['ndots:1'] },
      extraHosts: [
        { name: 'db', ip: '203.0.113.7' },
        { name: 'six', ip: 'fd00::7' },
      ],
    })
  })

  test('is given all options anew by refresh; what is not said is gone, and its endpoints stay', async () => {
    await host.ok('network', 'connect', '--gw-priority', '3', 'front', 'web')
    const before = await sandbox('web')
    const dry = await host.ok('sandbox', 'refresh', '--dry-run', '-p', '8081:80', 'web')
    expect(dry).toMatch(/^# give sandbox "web" its options anew$/m)
    expect(dry).toMatch(/^create element inet cnm publish4_any \{ tcp \. 8081 /m)
    expect(await sandbox('web')).toEqual(before)
    expect(await host.ok('sandbox', 'refresh', '-p', '8081:80', 'web')).toBe('')
    const after = await sandbox('web')
    expect(after).toMatchObject({ hostname: 'web', domainname: '', labels: {}, exposed: [], extraHosts: [] })
    expect(after.ports).toEqual([{ hostIp: null, hostPort: 8081, containerPort: 80, proto: 'tcp' }])
    expect(after.endpoints).toEqual(before.endpoints)
  })

  test('is renamed with all of its endpoints, or not at all', async () => {
    await host.ok('network', 'connect', 'back', 'web')
    await host.ok('endpoint', 'create', 'back', 'taken')
    const refused = await host.run('sandbox', 'rename', 'web', 'taken')
    expect([refused.exit, refused.err]).toEqual([
      1,
      'cnm: Forbidden: network "back" has an endpoint named "taken" already; choose another name, or "cnm endpoint rm" it first\n',
    ])
    expect(await endpoints('web')).toEqual(['web', 'web'])
    expect(await host.ok('sandbox', 'rename', 'web', 'site')).toBe('')
    expect(await endpoints('site')).toEqual(['site', 'site'])
    expect(await endpoints('web')).toEqual([])
  })

  test('whose namespace somebody else makes has nothing on the machine until its key is set', async () => {
    await host.ok('sandbox', 'create', '--external', 'ext')
    expect(await host.ok('network', 'connect', '--dry-run', 'front', 'ext')).toContain('nothing for the kernel to do')
    await host.ok('network', 'connect', 'front', 'ext')
    expect(await host.ok('sandbox', 'set-key', '--dry-run', 'ext', '/proc/17/ns/net')).toContain(
      "\nnsenter --net=/proc/17/ns/net sh -c 'ip netns attach cnm-ext $$'\n",
    )
    await host.ok('sandbox', 'set-key', 'ext', '/proc/17/ns/net')
    expect(await sandbox('ext')).toMatchObject({ external: true, key: '/proc/17/ns/net' })
    await host.ok('sandbox', 'set-key', 'ext', '18')
    expect(await sandbox('ext')).toMatchObject({ external: true, key: '/proc/18/ns/net' })
  })

  test('a place is quoted where it is printed, whatever it holds', async () => {
    const told = await host.ok('sandbox', 'set-key', '--dry-run', 'ext', "/a b'; touch /x #")
    expect(told).toContain("\nnsenter '--net=/a b'\\''; touch /x #' sh -c 'ip netns attach cnm-ext $$'\n")
  })

  test('two are never in one namespace', async () => {
    await host.ok('sandbox', 'create', '--external', 'other')
    const { exit, err } = await host.run('sandbox', 'set-key', 'other', '/proc/18/ns/net')
    expect([exit, err]).toEqual([
      1,
      'cnm: Forbidden: sandbox "other" cannot have the namespace at /proc/18/ns/net: it belongs to sandbox "ext"\n',
    ])
    expect(await sandbox('other')).toMatchObject({ external: true, key: null })
    await host.ok('sandbox', 'rm', 'other')
  })
})

describe('an endpoint', () => {
  test('is renamed with all of its names at once; they stay if none is said', async () => {
    const named = async () => (await host.json('endpoint', 'inspect', 'back/e'))[0]
    await host.ok('endpoint', 'create', '--alias', 'one', 'back', 'e')
    await host.ok('endpoint', 'rename', 'e', 'f')
    await host.ok('endpoint', 'rename', 'f', 'e')
    expect((await named()).aliases).toEqual(['one'])
    await host.ok('endpoint', 'rename', '--alias', 'two', '--alias', 'three', 'back/e', 'e')
    expect((await named()).aliases).toEqual(['two', 'three'])
  })
})
