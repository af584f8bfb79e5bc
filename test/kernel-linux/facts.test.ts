// What kernels say of a host. The simulated one says the same of the same host.

import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freshEngine } from '../../src/engine/engine.ts'
import { freshLoopback } from '../../src/kernel/cascade.ts'
import { diff } from '../../src/kernel/diff.ts'
import { skeletonTable } from '../../src/kernel/firewall/elements.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import type { KernelObject, LinkSpec } from '../../src/kernel/object.ts'
import { EMPTY_STATE, objectsOf, stateOf } from '../../src/kernel/state.ts'
import { deviceSysctl, PORT_RANGE, RESERVED_PORTS, type SysctlName } from '../../src/kernel/sysctl.ts'
import { socketsIn } from '../../src/kernel-linux/facts/tools.ts'
import { labNames } from '../../src/kernel-linux/names.ts'
import { spaceOf } from '../../src/kernel-sim/datapath/plane.ts'
import { openUdp } from '../../src/kernel-sim/datapath/socket/datagram.ts'
import { DEFAULTS } from '../../src/kernel-sim/datapath/socket/entry.ts'
import { listenTcp } from '../../src/kernel-sim/datapath/socket/tcp.ts'
import { PARTS } from '../../src/kernel-sim/datapath/wired.ts'
import { onWorld } from '../../src/kernel-sim/datapath/world.ts'
import { simKernel } from '../../src/kernel-sim/kernel.ts'
import { EMPTY_WORLD, type World } from '../../src/kernel-sim/state.ts'
import { explain } from '../../src/model/error.ts'
import { cidr } from '../../src/net/cidr.ts'
import type { HostFacts } from '../../src/net/host-facts.ts'
import { ip, isIp4, showIp } from '../../src/net/ip.ts'
import { mac } from '../../src/net/mac.ts'
import { HOST, type IfName, ifName, type Ns, ns } from '../../src/net/name.ts'
import { valuesOf } from '../../src/net/pmap.ts'
import { port } from '../../src/net/port.ts'
import { E } from '../../src/prelude.ts'
import { box, createSandbox } from '../lib/model.ts'
import { needs } from '../lib/need.ts'
import { labKernel, rightOf, TRANSPORTS, type TransportName } from './labs.ts'
import { type Waiting, waitAt } from './programs.ts'

test('sockets are read as ss(8) tells them', () => {
  const told = [
    'tcp   LISTEN 0      128    0.0.0.0:2024  0.0.0.0:*',
    'udp   UNCONN 0      0      127.0.0.53%lo:53  0.0.0.0:*',
    'tcp   LISTEN 0      511    *:8080  *:*',
    'tcp   LISTEN 0      511    [::1]:631  [::]:*',
    'sctp  LISTEN 0      128    10.0.0.1:38412  0.0.0.0:*',
    'tcp   LISTEN 0      50     [::ffff:127.0.0.1]:8005  *:*',
    'icmp6 UNCONN 0      0      *:58  *:*',
    '',
  ]
  expect(socketsIn(told.join('\n'))).toEqual([
    { ip: ip('0.0.0.0'), port: 2024, transport: 'tcp' },
    { ip: ip('127.0.0.53'), port: 53, transport: 'udp' },
    { ip: ip('0.0.0.0'), port: 8080, transport: 'tcp' },
    { ip: ip('::'), port: 8080, transport: 'tcp' },
    { ip: ip('::1'), port: 631, transport: 'tcp' },
    { ip: ip('10.0.0.1'), port: 38412, transport: 'sctp' },
    { ip: ip('127.0.0.1'), port: 8005, transport: 'tcp' },
  ])
})

const PEER = ns('peer')
const BRIDGE = ifName('br0')
const PORT = ifName('p0')
const link = (of: Ns, name: IfName, n: number, spec: LinkSpec, alias: string | null): KernelObject => ({
  kind: 'link',
  ns: of,
  name,
  spec,
  mac: mac(0x02_42_00_00_00_00 + n),
  mtu: 1500,
  up: true,
  alias,
})
const veth = (of: Ns): LinkSpec => ({ type: 'veth', peer: { ns: of, name: PORT } })
const sysctl = (name: SysctlName, value: string): KernelObject => ({
  kind: 'sysctl',
  ns: HOST,
  name,
  value,
  otherwise: value,
})

const SET_UP: ReadonlyArray<KernelObject> = [
  { kind: 'netns', ns: HOST, at: null },
  { ...freshLoopback(HOST), up: true },
  link(HOST, BRIDGE, 1, { type: 'bridge' }, 'cnm:n1'),
  // A bridge has a carrier, and with it a link-local prefix, while a port has one.
  { kind: 'netns', ns: PEER, at: null },
  { ...freshLoopback(PEER), up: true },
  link(HOST, PORT, 2, veth(PEER), 'cnm:e1'),
  link(PEER, PORT, 3, veth(HOST), null),
  { kind: 'port', ns: HOST, dev: PORT, bridge: BRIDGE, isolated: false, hairpin: false },
  { kind: 'sysctl', ns: HOST, name: deviceSysctl(6, PORT, 'disable_ipv6'), value: '1', otherwise: '0' },
  { kind: 'address', ns: HOST, dev: BRIDGE, cidr: cidr('10.7.0.1/16') },
  { kind: 'address', ns: HOST, dev: BRIDGE, cidr: cidr('fd07::1/64') },
  { kind: 'route', ns: HOST, to: cidr('10.8.0.0/24'), via: null, dev: BRIDGE, metric: 0 },
  { kind: 'route', ns: HOST, to: cidr('10.9.0.0/24'), via: ip('10.7.0.9'), dev: BRIDGE, metric: 0 },
  { kind: 'route', ns: HOST, to: cidr('fd08::/64'), via: null, dev: BRIDGE, metric: 0 },
  { kind: 'route', ns: HOST, to: cidr('128.0.0.0/1'), via: null, dev: BRIDGE, metric: 0 },
  skeletonTable(HOST),
  sysctl(PORT_RANGE, '41000 41002'),
  sysctl(RESERVED_PORTS, '0-79,41000,41100-41110,41111'),
]

const PROGRAMS: ReadonlyArray<Waiting> = [
  { transport: 'tcp', address: '0.0.0.0', port: 2001 },
  { transport: 'tcp', address: '127.0.0.1', port: 2002 },
  { transport: 'tcp', address: '::', port: 2003 },
  { transport: 'tcp', address: '::', port: 2004, only6: true },
  { transport: 'tcp', address: '::1', port: 2005 },
  { transport: 'udp', address: '0.0.0.0', port: 2006 },
  { transport: 'udp', address: '10.7.0.1', port: 2007 },
  { transport: 'udp', address: '::', port: 2008 },
  { transport: 'udp', address: '::1', port: 2009, only6: true },
]

/** The same programs in the simulated host. */
const withPrograms = (world: World): World =>
  onWorld(PARTS, world, (plane, host) => {
    const space = spaceOf(plane, host, HOST)
    if (space === null) throw new Error('the host is not there')
    for (const { transport, address, port: at, only6 = false } of PROGRAMS) {
      const asked = ip(address)
      const isAny = address === '0.0.0.0' || address === '::'
      const family = isIp4(asked) ? 4 : only6 || !isAny ? 6 : null
      const binding = { family, ip: isAny ? null : asked, port: at, options: DEFAULTS } as const
      const open = transport === 'tcp' ? listenTcp(space, binding, null) : openUdp(space, binding, null)
      if (typeof open === 'string') throw new Error(`${transport} ${address} ${at}: ${open}`)
    }
  }).world

const QUESTION = { devices: ['lo', 'br0', 'gone'].map(ifName), prefixes: true, ports: true }

/** Without an order. */
const shown = ({ devices, prefixes, ports }: HostFacts) => ({
  devices,
  prefixes: prefixes.map(({ ip: at, bits }) => `${showIp(at)}/${bits}`).sort(),
  automatic: ports?.automatic,
  reserved: ports?.reserved,
  taken: ports?.taken.map((each) => `${each.transport} ${showIp(each.ip)} ${each.port}`).sort(),
})

const askedOf = async (kernel: Kernel) => shown(rightOf(await kernel.facts(QUESTION)()))

const EXPECTED = {
  devices: [
    { name: 'lo', type: 'loopback', ours: false },
    { name: 'br0', type: 'bridge', ours: true },
  ],
  prefixes: ['10.7.0.0/16', '10.8.0.0/24', 'fd07::/64', 'fd08::/64', 'fe80::/64'],
  automatic: { from: 41_000, to: 41_002 },
  reserved: [
    { from: 1, to: 79 },
    { from: 41_000, to: 41_000 },
    { from: 41_100, to: 41_111 },
  ],
  taken: [
    'tcp 0.0.0.0 2001',
    'tcp 0.0.0.0 2003',
    'tcp 127.0.0.1 2002',
    'tcp :: 2003',
    'tcp :: 2004',
    'tcp ::1 2005',
    'udp 0.0.0.0 2006',
    'udp 0.0.0.0 2008',
    'udp 10.7.0.1 2007',
    'udp :: 2008',
    'udp ::1 2009',
  ],
}

const publish = (from: number | null, hostIp: string | null = null) => ({
  hostIp: hostIp === null ? null : ip(hostIp),
  hostPorts: from === null ? null : { from: port(from), to: port(from) },
  containerPort: port(80),
  transport: 'tcp' as const,
})

/** What an engine over a host that was set up so gives and refuses. */
const publishing = async (kernel: Kernel) => {
  const engine = freshEngine({ kernel })
  const ask = async (n: number, ...ports: ReadonlyArray<ReturnType<typeof publish>>) => {
    const [answer] = await engine.submit([createSandbox(n, `box${n}`, { ports })])
    if (answer !== undefined && E.isLeft(answer)) return explain(answer.left)
    const made = valuesOf(engine.model().sandboxes).find(({ id }) => id === box(n))
    return made?.ports.map(({ hostPort }) => hostPort)
  }
  const answers = [
    await ask(1, publish(2001)),
    await ask(1, publish(2004, '0.0.0.0')),
    await ask(2, publish(2002, '10.7.0.1')),
    await ask(3, publish(2005, '::')),
    await ask(3, publish(null), publish(null)),
    await ask(4, publish(null)),
    await ask(4, publish(41_000)),
  ]
  await engine.submit([1, 2, 3, 4].map((n) => ({ tag: 'DeleteSandbox', id: box(n) }) as const))
  await engine.close()
  return answers
}

const PUBLISHED = [
  'port 2001/tcp of the host is in use by another program',
  [2004],
  [2002],
  'port [::]:2005/tcp of the host is in use by another program',
  [41_001, 41_002],
  'no host port is free for port 80/tcp of "box4"',
  [41_000],
]

/** What is written to a sysctl of ports one after the other, and what it is then, or the errno. */
const WRITES: ReadonlyArray<readonly [SysctlName, string, string]> = [
  [PORT_RANGE, '2000 3000', '2000 3000'],
  [PORT_RANGE, '2500', '2500 3000'],
  [PORT_RANGE, '3500', 'EINVAL'],
  [PORT_RANGE, '3000 2000', 'EINVAL'],
  [PORT_RANGE, '1023 2000', 'EINVAL'],
  [PORT_RANGE, '2000 65536', 'EINVAL'],
  [PORT_RANGE, '2000-3000', 'EINVAL'],
  [PORT_RANGE, 'many', 'EINVAL'],
  [PORT_RANGE, '2500 2500', '2500 2500'],
  [PORT_RANGE, '41000 41002', '41000 41002'],
  [RESERVED_PORTS, '9,7,8,20-30,25-40', '7-9,20-40'],
  [RESERVED_PORTS, '40-20', 'EINVAL'],
  [RESERVED_PORTS, '65536', 'EINVAL'],
  [RESERVED_PORTS, 'many', 'EINVAL'],
  [RESERVED_PORTS, '80,', '80'],
  [RESERVED_PORTS, '41000', '41000'],
]

const afterWrites = async (kernel: Kernel) => {
  const answers: string[] = []
  for (const [name, value] of WRITES) {
    const done = await kernel.apply([{ verb: 'create', object: sysctl(name, value) }])()
    if (E.isLeft(done)) {
      answers.push('tag' in done.left ? done.left.tag : (done.left[0]?.errno ?? ''))
      continue
    }
    const there = rightOf(await kernel.observe({ namespaces: [HOST], sysctls: [{ ns: HOST, name }] })())
    answers.push(...objectsOf(there).flatMap((object) => (object.kind === 'sysctl' ? [object.value] : [])))
  }
  return answers
}

describe('a simulated host', () => {
  const kernel = simKernel(EMPTY_WORLD)
  beforeAll(async () => {
    rightOf(await kernel.apply(diff(EMPTY_STATE, stateOf(SET_UP)))())
    kernel.reset(withPrograms(kernel.world()))
  })

  test('is what it was set up as', async () => {
    expect(await askedOf(kernel)).toEqual(EXPECTED)
  })

  test('gives ports of its range, and none that is reserved or in use', async () => {
    expect(await publishing(kernel)).toEqual(PUBLISHED)
  })

  test('has sysctls of ports as Linux reads them', async () => {
    expect(await afterWrites(kernel)).toEqual(WRITES.map(([, , then]) => then))
  })

  test('gives sockets ports of its range that are not reserved', () => {
    const { result } = onWorld(PARTS, kernel.world(), (plane, host) => {
      const space = spaceOf(plane, host, HOST)
      if (space === null) throw new Error('the host is not there')
      const open = () => openUdp(space, { family: null, ip: null, port: null, options: DEFAULTS }, null)
      return [open(), open(), open()].map((socket) => (typeof socket === 'string' ? socket : socket.local.port))
    })
    expect(result).toEqual([41_001, 41_002, 'EADDRINUSE'])
  })
})

const onLinux = (transport: TransportName) => (): void => {
  const { lab, kernel, close } = labKernel(`facts-${transport}`, transport)
  const real = labNames(lab)(HOST) ?? ''
  let end: () => Promise<void> = async () => {}
  beforeAll(async () => {
    rightOf(await kernel.apply(diff(EMPTY_STATE, stateOf(SET_UP)))())
    end = await waitAt(real, [...PROGRAMS, { transport: 'tcp', address: '::ffff:127.0.0.1', port: 2010 }])
  })
  afterAll(async () => {
    await end()
    await close()
  })

  test('is what it was set up as, and has a socket of IPv6 that waits for IPv4', async () => {
    const taken = [...EXPECTED.taken, 'tcp 127.0.0.1 2010'].sort()
    await expect.poll(() => askedOf(kernel)).toEqual({ ...EXPECTED, taken })
  })

  test('has no way by a gateway of the other family, by several, or for what is thrown away', async () => {
    for (const words of ['10.20.0.0/16 via inet6 fe80::1 dev br0', 'blackhole 10.21.0.0/16'])
      execFileSync('ip', ['-n', real, 'route', 'add', ...words.split(' ')])
    const hops = ['nexthop', 'via', '10.7.0.2', 'nexthop', 'via', '10.7.0.3']
    execFileSync('ip', ['-n', real, 'route', 'add', '10.22.0.0/16', ...hops])
    expect((await askedOf(kernel)).prefixes).toEqual(EXPECTED.prefixes)
  })

  test('gives ports of its range, and none that is reserved or in use', async () => {
    expect(await publishing(kernel)).toEqual(PUBLISHED)
  })

  test('has sysctls of ports as Linux reads them', async () => {
    expect(await afterWrites(kernel)).toEqual(WRITES.map(([, , then]) => then))
  })
}

for (const transport of TRANSPORTS) needs.kernel(`a host of Linux, through ${transport}`, onLinux(transport))
