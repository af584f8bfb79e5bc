// The driver at work, on both kernels: registered by one line, told of by the commands that any driver has.

import { describe, expect, test } from 'vitest'
import { DRIVERS, type Drivers } from '../../src/drivers/registry.ts'
import { freshEngine } from '../../src/engine/engine.ts'
import { diff } from '../../src/kernel/diff.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { EMPTY_STATE } from '../../src/kernel/state.ts'
import { simKernel } from '../../src/kernel-sim/kernel.ts'
import { EMPTY_WORLD } from '../../src/kernel-sim/state.ts'
import { HOST_ADDRESS, INTERNET, INTERNET_ADDRESS, WORLD } from '../../src/lab/world.ts'
import { freshModel } from '../../src/model/model.ts'
import { type Ip, ip } from '../../src/net/ip.ts'
import { HOST, type Ns, ns } from '../../src/net/name.ts'
import { port } from '../../src/net/port.ts'
import { bundleAgent, labKernel, rightOf } from '../../test/kernel-linux/labs.ts'
import { createEndpoint, createNetwork, createSandbox, join, leave, pool, refusal } from '../../test/lib/model.ts'
import { needs } from '../../test/lib/need.ts'
import { ptp } from './ptp.ts'

/** The line. */
const drivers: Drivers = new Map([...DRIVERS, [ptp.type, ptp]])

const PUBLISHED = { hostIp: null, hostPorts: { from: port(8080), to: port(8080) }, containerPort: port(80) } as const
const STORY = [
  createNetwork(1, 'cables', { driver: 'ptp', pools: [pool('10.44.0.0/24'), pool('fd44::/64')] }),
  createSandbox(1, 'web', { ports: [{ ...PUBLISHED, transport: 'tcp' }] }),
  createSandbox(2, 'db'),
  createEndpoint(1, 1, 'web'),
  createEndpoint(2, 1, 'db'),
  join(1, 1),
  join(2, 2),
]

const [WEB, DB] = [ns('web'), ns('db')]
const LISTENER = { ns: WEB, port: port(80) }

const story = (makeKernel: () => Promise<Readonly<{ kernel: Kernel; close: () => Promise<void> }>>) => async () => {
  const { kernel, close } = await makeKernel()
  try {
    rightOf(await kernel.apply(diff(EMPTY_STATE, WORLD))())
    const engine = freshEngine({ kernel, drivers, check: true })
    for (const answer of await engine.submit(STORY)) rightOf(answer)
    const pings = async (from: Ns, to: Ip) => rightOf(await kernel.probe({ proto: 'icmp', ns: from, to })()).tag
    for (const to of ['10.44.0.2', '10.44.0.1', 'fd44::2', 'fd44::1'].map(ip))
      expect(await pings(DB, to)).toBe('arrived')
    for (const to of [INTERNET_ADDRESS[4], INTERNET_ADDRESS[6]]) expect(await pings(WEB, to)).toBe('arrived')
    expect(await pings(HOST, ip('10.44.0.3'))).toBe('arrived')
    const probe = { proto: 'tcp', ns: INTERNET, to: HOST_ADDRESS[4], port: port(8080), listener: LISTENER } as const
    expect(rightOf(await kernel.probe(probe)()).tag).toBe('died')
    expect(rightOf(await engine.differences())).toEqual([])
    for (const answer of await engine.submit([leave(2, 2)])) rightOf(answer)
    expect(await pings(WEB, ip('10.44.0.3'))).not.toBe('arrived')
    expect(await pings(WEB, ip('10.44.0.1'))).toBe('arrived')
    expect(rightOf(await engine.differences())).toEqual([])
    await engine.close()
  } finally {
    await close()
  }
}

describe('a driver of one’s own: point to point', () => {
  test(
    'joins containers by cables to the host, on the simulated kernel',
    story(async () => ({ kernel: simKernel(EMPTY_WORLD), close: async () => {} })),
  )

  needs.kernel('on Linux', () => {
    test(
      'joins containers by cables to the host',
      story(async () => {
        await bundleAgent()
        return labKernel('ptp', 'netlink')
      }),
      60_000,
    )
  })

  test('has options of its own, which are checked before anything is touched', () => {
    for (const mtu of ['0', '1279', '70000', 'big', '-1'])
      expect(
        refusal(freshModel(), createNetwork(1, 'cables', { driver: 'ptp', options: { mtu } }), drivers),
      ).toMatchObject({ tag: 'BadOption', option: 'mtu', value: mtu })
  })
})
