// cnm sandbox stats on the simulated machine, which is built anew each time, so nothing has passed yet; what has on the running
// kernel is in host-linux.test.ts.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cnm } from './cnm.ts'
import { type Host, simHost } from './host.ts'

let host: Host
beforeAll(async () => {
  host = await simHost()
  await host.ok('network', 'create', '--subnet', '10.1.0.0/24', 'front')
  await host.ok('network', 'create', '--subnet', '10.2.0.0/24', '--internal', 'back')
  await host.ok('network', 'create', '-d', 'host', 'machine')
  await host.ok('sandbox', 'create', 'web')
  await host.ok('sandbox', 'create', '--netns', 'host', 'proxy')
  await host.ok('sandbox', 'create', '--external', 'waits')
  await host.ok('network', 'connect', 'back', 'web')
  await host.ok('network', 'connect', 'front', 'web')
  await host.ok('network', 'connect', 'machine', 'proxy')
})
afterAll(() => host.remove())

const none = { packets: 0, bytes: 0, errors: 0, dropped: 0 }
const json = async (...names: ReadonlyArray<string>) =>
  JSON.parse(await host.ok('sandbox', 'stats', '--format', 'json', ...names))

describe('cnm sandbox stats', () => {
  test('tells of all sandboxes, by name, with their interfaces, best way out first', async () => {
    expect(await json()).toMatchObject([
      { name: 'proxy', netns: 'host', interfaces: [] },
      { name: 'waits', interfaces: [] },
      {
        ...{ name: 'web', netns: 'cnm-web' },
        interfaces: [
          { interface: 'eth1', network: 'front', rx: none, tx: none },
          { interface: 'eth0', network: 'back', rx: none, tx: none },
        ],
      },
    ])
  })

  test('tells of those that are named, by id too', async () => {
    const [{ id }] = await host.json('sandbox', 'inspect', 'web')
    expect((await json(id, 'waits')).map(({ name }: { name: string }) => name)).toEqual(['web', 'waits'])
  })

  test('prints a table, with a dash for what a sandbox has none of: the host’s own interfaces are not one’s', async () => {
    expect(await host.ok('sandbox', 'stats', 'web', 'proxy')).toBe(
      [
        'SANDBOX  INTERFACE  NETWORK  RX PACKETS  RX BYTES  RX ERRORS  RX DROPPED  TX PACKETS  TX BYTES  TX ERRORS  TX DROPPED',
        'web      eth1       front    0           0         0          0           0           0         0          0',
        'web      eth0       back     0           0         0          0           0           0         0          0',
        'proxy    -          -        -           -         -          -           -           -         -          -',
      ].join('\n'),
    )
  })

  test('complains of one that is not there, and tells of the others', async () => {
    const { exit, out, err } = await host.run('sandbox', 'stats', '--format', 'json', 'web', 'nobody')
    expect([exit, err]).toEqual([
      1,
      'cnm: NotFound: there is no sandbox "nobody"; "cnm sandbox ls" shows what there is\n',
    ])
    expect(JSON.parse(out)).toMatchObject([{ name: 'web' }])
  })

  test('refuses to look on another kernel than the one that the state is on', async () => {
    const env = { CNM_STATE: host.state }
    const { exit, out, err } = await cnm(['sandbox', 'stats', '--kernel', 'linux', 'web'], { env })
    expect([exit === 0, out]).toEqual([false, ''])
    // Without the rights to look at the kernel that is said first.
    expect(err).toMatch(/are on kernel sim, not on kernel linux|may not change the networks|not Linux/)
  })

  test('knows its formats', async () => {
    const { exit, err } = await host.run('sandbox', 'stats', '--format', 'xml')
    expect(exit).toBe(2)
    expect(err).toContain('xml')
  })
})
