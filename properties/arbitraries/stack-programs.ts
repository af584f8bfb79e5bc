// Programs of requests to the stacks of three namespaces, with few names, addresses and numbers, so that they meet each other
// often: what Linux accepts and what it refuses. MACs are always given: Linux would draw them at random.

import fc from 'fast-check'
import type { Ask, NewLink, NextHop, Request, RouteRequest, RuleRequest } from '../../src/kernel/rtnl/request.ts'
import { deviceSysctl, FORWARD6 } from '../../src/kernel/sysctl.ts'
import { cidr } from '../../src/net/cidr.ts'
import { type Ip, ip, isIp4 } from '../../src/net/ip.ts'
import { mac } from '../../src/net/mac.ts'
import { type IfName, ifName, LO, type Ns, ns } from '../../src/net/name.ts'
import { maybe, often, present, seldom } from './choices.ts'
import { aboutLinks, C, D, dev, H, macs, names, ROOMS, room } from './stack-links.ts'
import { NETWORKS } from './stack-networks.ts'

const CIDRS = [
  ['10.0.0.1/24', '10.0.0.2/24', 'fd00::1/64', 'fd00::2/64'],
  ['10.0.1.1/24', '10.0.0.1/16', '10.0.0.3/32', 'fd01::1/64', 'fd00::1/80', 'fe80::1/64', '10.0.0.5/31'],
  [
    '0.0.0.0/24',
    '0.5.0.1/16',
    '127.0.0.1/8',
    '127.0.0.2/8',
    '::1/128',
    '::/64',
    'ff02::7/64',
    '224.0.0.9/24',
    '10.0.0.255/24',
  ],
].map((texts) => texts.map(cidr))
const PEERS: ReadonlyArray<Ip> = ['10.0.0.9', '10.7.0.1', 'fd00::9', 'fd07::1'].map(ip)

const ip4s = PEERS.filter(isIp4)
const address: fc.Arbitrary<Ask> = fc
  .record({
    do: often(['add' as const], ['delete' as const, 'replace' as const]),
    dev,
    cidr: often(...CIDRS),
    peer: seldom(fc.constantFrom(...PEERS)),
    broadcast: seldom(fc.constantFrom('+' as const, ...ip4s)),
    scope: seldom(fc.constantFrom('link' as const, 'host' as const, 'global' as const)),
    label: seldom(fc.constantFrom('v0:1', 'x')),
    noprefixroute: seldom(fc.constant(true)),
    metric: seldom(fc.constantFrom(7, 256)),
  })
  .map((one): Ask => ({ on: 'address', nodad: true, ...present(one) }))

const TARGETS = [
  ['0.0.0.0/0', '10.9.0.0/24', '::/0', 'fd09::/64'],
  ['10.0.0.0/24', '10.9.1.0/24', 'fd00::/64', '10.9.0.7/32', '10.0.0.1/32'],
  ['10.9.0.1/24', 'fd09::1/64', 'fd09::1/128', '127.0.0.0/8'],
].map((texts) => texts.map(cidr))
const GATEWAYS = [
  ['10.0.0.9', 'fd00::9'],
  ['10.0.0.1', '10.9.0.7', 'fd00::1', 'fd09::7', 'fe80::9'],
  ['10.77.0.1', '0.0.0.0', '127.0.0.1', '224.0.0.1', '10.0.0.255', 'fd77::1', '::', '::1', 'ff02::1'],
].map((texts) => texts.map(ip))
const gateway = often(...GATEWAYS)

const hop: fc.Arbitrary<NextHop> = fc
  .record({
    via: maybe(gateway, 5),
    dev: maybe(dev, 4),
    weight: seldom(fc.constantFrom(1, 3)),
    onlink: seldom(fc.constant(true)),
  })
  .map(present)

const TYPES = ['blackhole', 'unreachable', 'prohibit', 'throw', 'local', 'broadcast', 'unicast'] as const

/** Of one family, as ip-route(8) would want it. */
const fitting = (route: RouteRequest): RouteRequest => {
  const four = isIp4(route.to.ip)
  const fits = (one: Ip | undefined): Ip | undefined => (one === undefined || isIp4(one) === four ? one : undefined)
  const hops = route.hops?.map((one) => present({ ...one, via: fits(one.via) }) as NextHop)
  return present({ ...route, via: fits(route.via), src: fits(route.src), hops }) as RouteRequest
}

const route: fc.Arbitrary<Ask> = fc
  .record({
    do: often(['add' as const], ['delete' as const, 'replace' as const, 'append' as const, 'change' as const]),
    to: often(...TARGETS),
    type: seldom(fc.constantFrom(...TYPES)),
    way: fc.oneof(
      { weight: 4, arbitrary: fc.record({ dev }) },
      { weight: 4, arbitrary: fc.record({ via: gateway, dev: maybe(dev, 2) }) },
      { weight: 1, arbitrary: fc.record({ via: gateway, dev, onlink: fc.constant(true) }) },
      { weight: 2, arbitrary: fc.record({ hops: fc.array(hop, { minLength: 2, maxLength: 3 }) }) },
      { weight: 1, arbitrary: fc.constant({}) },
    ),
    metric: seldom(fc.constantFrom(5, 256, 1024)),
    table: seldom(fc.constantFrom(77, 254, 255)),
    proto: seldom(fc.constantFrom(4, 157)),
    scope: seldom(fc.constantFrom('link' as const, 'host' as const, 'global' as const)),
    src: seldom(fc.constantFrom(...['10.0.0.1', '10.0.0.2', '10.0.1.1', 'fd00::1'].map(ip))),
    mtu: seldom(fc.constant(1400)),
    tos: seldom(fc.constantFrom(0x10, 1)),
  })
  .map(({ way, ...rest }) => fitting({ on: 'route', ...present(rest), ...present(way) } as RouteRequest))

const rule: fc.Arbitrary<Ask> = fc
  .record({
    do: often(['add' as const], ['delete' as const]),
    family: fc.constantFrom(4 as const, 6 as const),
    priority: maybe(fc.constantFrom(0, 9, 32_766, 40_000), 2),
    not: seldom(fc.constant(true)),
    iif: seldom(fc.constantFrom(...names('v0', 'gone'))),
    oif: seldom(fc.constantFrom(...names('v1'))),
    mark: seldom(fc.constantFrom({ value: 3 }, { value: 3, mask: 7 }, { value: 0 })),
    suppressPrefixLength: seldom(fc.constantFrom(0, 16)),
    action: maybe(
      fc.oneof(
        fc.constantFrom(77, 254, 255).map((lookup) => ({ lookup })),
        fc.constantFrom(5, 32_766).map((goto) => ({ goto })),
        fc.constantFrom('blackhole' as const, 'prohibit' as const, 'nop' as const).map((is) => ({ is })),
      ),
      4,
    ),
  })
  .chain((one) => {
    const nets = one.family === 4 ? ['10.0.0.0/24', '10.9.0.1/24'] : ['fd00::/64']
    return seldom(fc.constantFrom(...nets.map(cidr))).map(
      (from): RuleRequest => present({ on: 'rule' as const, ...one, from }) as RuleRequest,
    )
  })

const NEIGHBOURS: ReadonlyArray<Ip> = ['10.0.0.9', '10.0.0.1', 'fd00::9', 'fe80::9'].map(ip)
const neighbour: fc.Arbitrary<Ask> = fc
  .record({
    do: often(['add' as const], ['replace' as const, 'change' as const, 'delete' as const]),
    dev: often(names('v0', 'v1', 'br0'), names('v2', 'e0', 'x0', 'm0'), [LO, ...names('gone')]),
    ip: fc.constantFrom(...NEIGHBOURS),
    mac: maybe(macs, 4),
    state: seldom(fc.constantFrom('permanent' as const, 'noarp' as const, 'failed' as const)),
    proxy: seldom(fc.constant(true)),
  })
  .map((one): Ask => ({ on: 'neighbour', ...present(one) }))

/** Those that answers by proxy wait for are not among them: Linux delays these by chance. */
const KEYS4 = [
  'forwarding',
  'rp_filter',
  'accept_local',
  'route_localnet',
  'send_redirects',
  'arp_ignore',
  'arp_announce',
  'arp_filter',
  'log_martians',
] as const

/** `all` and `default` are names, where sysctls are written. */
const sysctl: fc.Arbitrary<Ask> = fc
  .oneof(
    fc.record({
      name: fc.oneof(
        fc.constant(FORWARD6),
        dev.map((name) => deviceSysctl(6, name, 'disable_ipv6')),
        dev.map((name) => deviceSysctl(6, name, 'forwarding')),
      ),
      value: fc.constantFrom('0', '1'),
    }),
    fc.record({
      name: fc
        .tuple(fc.oneof(dev, fc.constantFrom(...names('all', 'default'))), fc.constantFrom(...KEYS4))
        .map(([name, key]) => deviceSysctl(4, name, key)),
      value: often(['1', '2'], ['0', '8']),
    }),
  )
  .map((one): Ask => ({ on: 'sysctl', do: 'write', ...one }))

const asked: fc.Arbitrary<Ask> = fc.oneof(
  ...aboutLinks,
  { weight: 28, arbitrary: address },
  { weight: 32, arbitrary: route },
  { weight: 8, arbitrary: rule },
  { weight: 8, arbitrary: neighbour },
  { weight: 8, arbitrary: sysctl },
)

const netns: fc.Arbitrary<Request> = fc.record({
  ns: often([D], [C], [H, ns('nowhere')]),
  ask: fc.record({ on: fc.constant('netns' as const), do: fc.constantFrom('add' as const, 'delete' as const) }),
})

const request: fc.Arbitrary<Request> = fc.oneof(
  { weight: 80, arbitrary: fc.record({ ns: room, ask: asked }) },
  { weight: 1, arbitrary: netns },
)

const link = (name: string, n: number, rest: Omit<NewLink, 'on' | 'do' | 'name' | 'mac'>): Request => ({
  ns: H,
  ask: { on: 'link', do: 'add', name: ifName(name), mac: mac(0x020000000000 + n), ...rest },
})
const up = (where: Ns, name: IfName): Request => ({ ns: where, ask: { on: 'link', do: 'set', dev: name, up: true } })
const end = (name: string, n: number) => ({ name: ifName(name), mac: mac(0x020000000000 + n) })

const FURNITURE: ReadonlyArray<ReadonlyArray<Request>> = [
  ROOMS.map((where) => up(where, LO)),
  [link('br0', 1, { up: true, kind: { kind: 'bridge' } })],
  [link('v0', 2, { up: true, kind: { kind: 'veth', peer: { ...end('e0', 3), ns: C } } }), up(C, ifName('e0'))],
  [link('v1', 4, { up: true, kind: { kind: 'veth', peer: end('v2', 5) } }), up(H, ifName('v2'))],
  [link('x0', 6, { kind: { kind: 'vxlan', vni: 5, remote: ip('10.0.0.9') } })],
  [link('m0', 7, { dev: ifName('v1'), kind: { kind: 'macvlan', mode: 'bridge' } })],
]

/** What a program begins with: some devices that most need, or a network that works, which is then broken. */
const beginning: fc.Arbitrary<ReadonlyArray<Request>> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(FURNITURE.flat()) },
  { weight: 1, arbitrary: fc.subarray([...FURNITURE]).map((some) => some.flat()) },
  { weight: 4, arbitrary: fc.constantFrom(...NETWORKS) },
)

const upTo = (maxLength: number): fc.Arbitrary<ReadonlyArray<Request>> =>
  fc.array(request, { minLength: 1, maxLength, size: 'max' })

/** Programs of up to `maxLength` requests, most of them short: the namespaces, a beginning, then anything. */
export const requests = (maxLength: number): fc.Arbitrary<ReadonlyArray<Request>> =>
  fc
    .tuple(
      beginning,
      fc.oneof(
        { weight: 6, arbitrary: upTo(Math.ceil(maxLength / 6)) },
        { weight: 3, arbitrary: upTo(Math.ceil(maxLength / 3)) },
        { weight: 1, arbitrary: upTo(maxLength) },
      ),
    )
    .map(([begun, some]) =>
      [...ROOMS.map((ns): Request => ({ ns, ask: { on: 'netns', do: 'add' } })), ...begun, ...some].slice(0, maxLength),
    )
