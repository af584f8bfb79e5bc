// Who reaches a container of a bridge network, by its options: asked with real packets, on the simulated kernel and on Linux. Outside is a
// machine that routes straight to containers' addresses, as any host on the same layer 2 can.

import { describe, expect, test } from 'vitest'
import type { Kernel, Probe } from '../../src/kernel/kernel.ts'
import type { KernelObject } from '../../src/kernel/object.ts'
import { HOST_ADDRESS, INTERNET, INTERNET_ADDRESS, UPLINK } from '../../src/lab/world.ts'
import type { Command } from '../../src/model/command.ts'
import type { Texts } from '../../src/model/types.ts'
import { cidr } from '../../src/net/cidr.ts'
import { type Family, type Ip, ip } from '../../src/net/ip.ts'
import { HOST, ifName, type Ns, ns } from '../../src/net/name.ts'
import { port } from '../../src/net/port.ts'
import { createEndpoint, createNetwork, createSandbox, join, pool, v4, v6 } from '../lib/model.ts'
import { arrives, build, onBothKernels } from './both.ts'

const WEB = ns('web')
const OTHER = ns('other')
const SUBNET = { 4: '10.10.1.0/24', 6: 'fd00:a1::/64' } as const
const WEB_AT: Readonly<Record<Family, Ip>> = { 4: ip('10.10.1.5'), 6: ip('fd00:a1::5') }
const LOOPBACK: Readonly<Record<Family, Ip>> = { 4: ip('127.0.0.1'), 6: ip('::1') }
const HOST_PORT = port(8080)
const [PUBLISHED, UNPUBLISHED] = [port(80), port(81)]

type Options = Readonly<{ options: Texts; internal?: boolean }>

/** Web is on the network that the options are of, other on a plain one beside it. */
const topology = ({ options, internal = false }: Options): ReadonlyArray<Command> => [
  createNetwork(1, 'front', { options, internal, pools: [pool(SUBNET[4]), pool(SUBNET[6])] }),
  createNetwork(2, 'plain', { pools: [pool('10.10.2.0/24'), pool('fd00:a2::/64')] }),
  createSandbox(1, 'web', {
    ports: [
      { hostIp: null, hostPorts: { from: HOST_PORT, to: HOST_PORT }, containerPort: PUBLISHED, transport: 'tcp' },
    ],
  }),
  createSandbox(2, 'other'),
  createEndpoint(1, 1, 'web', { ipv4: v4('10.10.1.5'), ipv6: v6('fd00:a1::5') }),
  createEndpoint(2, 2, 'other'),
  join(1, 1),
  join(2, 2),
]

const route = (space: Ns, to: string, via: Ip, dev: string): KernelObject => ({
  kind: 'route',
  ns: space,
  to: cidr(to),
  via,
  dev: ifName(dev),
  metric: 0,
})

/** Outside knows the way to the network by the host. */
const STRAIGHT = [
  route(INTERNET, SUBNET[4], HOST_ADDRESS[4], 'eth0'),
  route(INTERNET, SUBNET[6], HOST_ADDRESS[6], 'eth0'),
]

const tcp = (from: Ns, to: Ip, at: typeof HOST_PORT, listensAt: typeof HOST_PORT): Probe => ({
  proto: 'tcp',
  ns: from,
  to,
  port: at,
  listener: { ns: WEB, port: listensAt },
})
const ping = (from: Ns, to: Ip): Probe => ({ proto: 'icmp', ns: from, to })

const QUESTIONS = {
  'outside pings web': (family) => ping(INTERNET, WEB_AT[family]),
  'outside, published port of web': (family) => tcp(INTERNET, WEB_AT[family], PUBLISHED, PUBLISHED),
  'outside, other port of web': (family) => tcp(INTERNET, WEB_AT[family], UNPUBLISHED, UNPUBLISHED),
  'outside, port of the host': (family) => tcp(INTERNET, HOST_ADDRESS[family], HOST_PORT, PUBLISHED),
  'other, published port of web': (family) => tcp(OTHER, WEB_AT[family], PUBLISHED, PUBLISHED),
  'other, other port of web': (family) => tcp(OTHER, WEB_AT[family], UNPUBLISHED, UNPUBLISHED),
  'host, port of its loopback': (family) => tcp(HOST, LOOPBACK[family], HOST_PORT, PUBLISHED),
  'host pings web': (family) => ping(HOST, WEB_AT[family]),
} as const satisfies Readonly<Record<string, (family: Family) => Probe>>
type Question = keyof typeof QUESTIONS
const ALL = Object.keys(QUESTIONS) as ReadonlyArray<Question>

/** Which questions are answered, per family. ::1 of the host leads nowhere: the kernel cannot route from it. */
type Reached = Readonly<Record<Family, ReadonlyArray<Question>>>
const both = (...reached: ReadonlyArray<Question>): Reached => ({
  4: reached,
  6: reached.filter((each) => each !== 'host, port of its loopback'),
})
const MODES = (mode: string): Texts => ({ gateway_mode_ipv4: mode, gateway_mode_ipv6: mode })
const NAT = ['outside, port of the host', 'host, port of its loopback', 'host pings web'] as const

const CASES: ReadonlyArray<readonly [string, Options, Reached]> = [
  ['nothing said', { options: {} }, both(...NAT)],
  ['trusted', { options: { trusted_host_interfaces: UPLINK } }, both(...NAT, 'outside, published port of web')],
  ['another interface trusted', { options: { trusted_host_interfaces: 'eth9:eth8' } }, both(...NAT)],
  ['nat-unprotected', { options: MODES('nat-unprotected') }, both(...ALL)],
  [
    'routed',
    { options: MODES('routed') },
    both('outside pings web', 'outside, published port of web', 'other, published port of web', 'host pings web'),
  ],
  ['internal', { options: {}, internal: true }, both('host pings web')],
  ['internal and unprotected', { options: MODES('nat-unprotected'), internal: true }, both('host pings web')],
  ['isolated', { options: MODES('isolated'), internal: true }, both()],
  [
    'isolated in IPv4 alone',
    { options: { gateway_mode_ipv4: 'isolated' }, internal: true },
    { 4: [], 6: ['host pings web'] },
  ],
  [
    'routed in IPv6 alone',
    { options: { gateway_mode_ipv6: 'routed' } },
    {
      4: NAT,
      6: ['outside pings web', 'outside, published port of web', 'other, published port of web', 'host pings web'],
    },
  ],
  [
    'no IPv4 address of the host',
    { options: { inhibit_ipv4: 'true' } },
    { 4: [], 6: ['outside, port of the host', 'host pings web'] },
  ],
  [
    'ports bound to the loopback',
    { options: { host_binding_ipv4: '127.0.0.1' } },
    { 4: ['host, port of its loopback', 'host pings web'], 6: ['host pings web'] },
  ],
]

const SNAT = { options: { host_ipv4: '198.51.100.7', host_ipv6: '2001:db8:7::7' } }
const SOURCES = ['198.51.100.7/32', '2001:db8:7::7/128']

const reachedIn = async (kernel: Kernel, family: Family): Promise<ReadonlyArray<Question>> => {
  const answers = await Promise.all(ALL.map((each) => arrives(kernel, QUESTIONS[each](family))))
  return ALL.filter((_, i) => answers[i])
}

const inOrder = (reached: ReadonlyArray<Question>): ReadonlyArray<Question> =>
  ALL.filter((each) => reached.includes(each))

onBothKernels('brmode', (fresh) => {
  describe.each(CASES)('%s', (_, options, expected) => {
    test('lets these pass and no others', { timeout: 60_000 }, async () => {
      const kernel = fresh()
      await build(kernel, STRAIGHT, topology(options))
      for (const family of [4, 6] as const)
        expect([family, await reachedIn(kernel, family)]).toEqual([family, inOrder(expected[family])])
    })
  })

  test.each([
    ['known', true],
    ['unknown', false],
  ])(
    'what leaves carries the address of the host that was chosen: outside it is %s',
    {
      timeout: 60_000,
    },
    async (_, isKnown) => {
      const kernel = fresh()
      const beside = SOURCES.flatMap(
        (source, i): ReadonlyArray<KernelObject> => [
          { kind: 'address', ns: HOST, dev: UPLINK, cidr: cidr(source) },
          ...(isKnown ? [route(INTERNET, source, HOST_ADDRESS[i === 0 ? 4 : 6], 'eth0')] : []),
        ],
      )
      await build(kernel, beside, topology(SNAT))
      for (const family of [4, 6] as const) {
        expect([family, await arrives(kernel, ping(WEB, INTERNET_ADDRESS[family]))]).toEqual([family, isKnown])
        expect([family, await arrives(kernel, ping(OTHER, INTERNET_ADDRESS[family]))]).toEqual([family, true])
      }
    },
  )
})
