// A network on a bridge that somebody else made: it works, and the bridge is theirs, before, meanwhile and afterwards.

import { expect, test } from 'vitest'
import { openEngine } from '../../src/engine/engine.ts'
import type { Kernel, Probe } from '../../src/kernel/kernel.ts'
import type { KernelObject } from '../../src/kernel/object.ts'
import { objectsOf } from '../../src/kernel/state.ts'
import { deviceSysctl } from '../../src/kernel/sysctl.ts'
import { HOST_ADDRESS, INTERNET, INTERNET_ADDRESS, UPLINK } from '../../src/lab/world.ts'
import type { Command } from '../../src/model/command.ts'
import { explain } from '../../src/model/error.ts'
import { cidr } from '../../src/net/cidr.ts'
import { ip } from '../../src/net/ip.ts'
import { mac } from '../../src/net/mac.ts'
import { HOST, ifName, ns } from '../../src/net/name.ts'
import { port } from '../../src/net/port.ts'
import { memoryStore } from '../../src/store/memory.ts'
import { leftOf, rightOf } from '../kernel-linux/labs.ts'
import { createEndpoint, createNetwork, createSandbox, end, join, net, networkIn, pool } from '../lib/model.ts'
import { arrives, build, make, onBothKernels } from './both.ts'

const OWN = ifName('own0')
const THEIRS: ReadonlyArray<KernelObject> = [
  {
    kind: 'link',
    ns: HOST,
    name: OWN,
    spec: { type: 'bridge' },
    mac: mac(0x020000000a01),
    mtu: 1500,
    up: true,
    alias: null,
  },
  { kind: 'address', ns: HOST, dev: OWN, cidr: cidr('10.10.1.1/24') },
]

const front = createNetwork(1, 'front', { options: { name: OWN }, pools: [pool('10.10.1.0/24')] })
const published = { hostIp: null, hostPorts: { from: port(8080), to: port(8080) }, containerPort: port(80) }
const containers: ReadonlyArray<Command> = [
  createSandbox(1, 'web', { ports: [{ ...published, transport: 'tcp' }] }),
  createSandbox(2, 'api'),
  createEndpoint(1, 1, 'web'),
  createEndpoint(2, 1, 'api'),
  join(1, 1),
  join(2, 2),
]
const WEB = ns('web')
const PROBES: ReadonlyArray<Probe> = [
  { proto: 'icmp', ns: ns('api'), to: ip('10.10.1.2') },
  { proto: 'icmp', ns: WEB, to: INTERNET_ADDRESS[4] },
  { proto: 'tcp', ns: INTERNET, to: HOST_ADDRESS[4], port: port(8080), listener: { ns: WEB, port: port(80) } },
]

/** The bridge and what is on it. */
const theirsIn = async (kernel: Kernel): Promise<ReadonlyArray<KernelObject>> => {
  const names = (['accept_ra', 'disable_ipv6'] as const).map((key) => deviceSysctl(6, OWN, key))
  const sysctls = [...names, deviceSysctl(4, OWN, 'route_localnet')].map((name) => ({ ns: HOST, name }))
  const seen = rightOf(await kernel.observe({ namespaces: [HOST], sysctls })())
  return objectsOf(seen).filter(
    (object) =>
      (object.kind === 'link' && object.name === OWN) ||
      (object.kind === 'address' && object.dev === OWN) ||
      (object.kind === 'sysctl' && object.name.includes(OWN)),
  )
}

onBothKernels('foreign', (fresh) => {
  test('is used as it is, and left as it was', { timeout: 60_000 }, async () => {
    const kernel = fresh()
    const store = memoryStore()
    const engine = await build(kernel, THEIRS, [], store)
    const before = await theirsIn(kernel)
    expect(before.map(({ kind }) => kind)).toEqual(['address', 'link', 'sysctl', 'sysctl', 'sysctl'])
    for (const answer of await engine.submit([front, ...containers])) rightOf(answer)
    expect(networkIn(engine.model(), 1).config).toMatchObject({ name: OWN, foreign: true })
    expect(await Promise.all(PROBES.map((probe) => arrives(kernel, probe)))).toEqual([true, true, true])
    expect(await theirsIn(kernel)).toEqual(before)

    const again = rightOf(await openEngine({ kernel, store, check: true }))
    expect(rightOf(await again.differences())).toEqual([])
    const gone: ReadonlyArray<Command> = [
      ...[1, 2].map((n) => ({ tag: 'DeleteEndpoint', id: end(n), force: true }) as const),
      { tag: 'DeleteNetwork', id: net(1) },
    ]
    for (const answer of await again.submit(gone)) rightOf(answer)
    expect(await theirsIn(kernel)).toEqual(before)
  })

  test('has its containers again once somebody made it anew', { timeout: 60_000 }, async () => {
    const kernel = fresh()
    const engine = await build(kernel, THEIRS, [front, ...containers])
    const [bridge] = THEIRS
    if (bridge === undefined) throw new Error('there is a bridge')
    rightOf(await kernel.apply([{ verb: 'delete', object: bridge }])())
    await make(kernel, THEIRS)
    expect(rightOf(await engine.sweep())).toBe(2)
    expect(await Promise.all(PROBES.map((probe) => arrives(kernel, probe)))).toEqual([true, true, true])
  })

  test('is none if it is not a bridge', { timeout: 60_000 }, async () => {
    const engine = await build(fresh(), [], [])
    const [answer] = await engine.submit([{ ...front, options: { name: UPLINK } }])
    if (answer === undefined) throw new Error('each command has an answer')
    expect(explain(leftOf(answer) as Parameters<typeof explain>[0])).toBe(
      `driver bridge cannot use "${UPLINK}" of the host: it is no bridge but of type veth`,
    )
  })
})
