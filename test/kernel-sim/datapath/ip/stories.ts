// Networks of a few namespaces, and what is tried in them; one after the other, so that what was learned stays. Run on both kernels
// they must give the same account.

import type { Request } from '../../../../src/kernel/rtnl/request.ts'
import type { Try } from '../../../../src/kernel/traffic.ts'
import { cidr } from '../../../../src/net/cidr.ts'
import { ip } from '../../../../src/net/ip.ts'
import { ifName, ns } from '../../../../src/net/name.ts'
import { neighbour, route } from '../../control/story.ts'
import { at, forwards, mtu, on, ping, spaces, sysctl, udp, via, wire } from './lab.ts'

export type Story = Readonly<{
  name: string
  requests: ReadonlyArray<Request>
  tries: ReadonlyArray<Exclude<Try, { send: 'frame' | 'tap' }>>
}>

const dev = (name: string) => ({ dev: ifName(name) })

/** a - r - b: r routes. */
const LINE: ReadonlyArray<Request> = [
  ...spaces('a', 'b', 'r'),
  ...wire('r', 'ra', 'a', 'eth0'),
  ...wire('r', 'rb', 'b', 'eth0'),
  ...on('a', 'eth0', '10.0.1.2/24', 'fd00:1::2/64'),
  ...on('b', 'eth0', '10.0.2.2/24', 'fd00:2::2/64'),
  ...on('r', 'ra', '10.0.1.1/24', 'fd00:1::1/64'),
  ...on('r', 'rb', '10.0.2.1/24', 'fd00:2::1/64'),
  via('a', '0.0.0.0/0', '10.0.1.1'),
  via('a', '::/0', 'fd00:1::1'),
  via('b', '0.0.0.0/0', '10.0.2.1'),
  via('b', '::/0', 'fd00:2::1'),
]
const ROUTED: ReadonlyArray<Request> = [...LINE, ...forwards('r')]

const rule = (space: string, family: 4 | 6, more: object): Request =>
  // Cast: the stories' rules are whole.
  at(space, { on: 'rule', do: 'add', family, ...more } as Request['ask'])

export const STORIES: ReadonlyArray<Story> = [
  {
    name: 'a router between two hosts',
    requests: ROUTED,
    tries: [
      ping('a', '10.0.2.2'),
      ping('a', 'fd00:2::2'),
      ping('a', '10.0.1.1'),
      ping('a', '10.0.2.1'),
      ping('a', 'fd00:2::1'),
      ping('a', '10.0.2.9'),
      ping('a', '10.9.9.9'),
      ping('a', 'fd00:9::9'),
      ping('a', '127.0.0.1'),
      ping('a', '10.0.1.2'),
      ping('a', '::1'),
      ping('a', 'fd00:1::2'),
      ping('a', '10.0.2.2', { ttl: 1 }),
      ping('a', 'fd00:2::2', { ttl: 1 }),
      ping('a', '10.0.2.2', { ttl: 2 }),
      ping('a', '10.0.2.2', { size: 4000 }),
      ping('a', 'fd00:2::2', { size: 4000 }),
      ping('a', '10.0.2.2', { size: 4000, df: true }),
      ping('a', 'fd00:2::2', { size: 4000, df: true }),
      udp('a', '10.0.2.2'),
      udp('a', 'fd00:2::2'),
      udp('a', '10.0.2.2', { listener: { ns: ns('b'), port: 7 as never } }),
      udp('a', '10.0.2.2', { size: 3000, listener: { ns: ns('b'), port: 7 as never } }),
      udp('a', '10.9.9.9'),
      ping('a', '10.0.2.255'),
      ping('a', '10.0.1.255'),
      ping('a', '255.255.255.255'),
      udp('a', '10.0.1.255'),
      ping('a', '224.0.0.1'),
      ping('a', 'ff02::1', dev('eth0')),
      ping('a', '10.0.1.0'),
      ping('a', '0.0.0.0'),
      ping('a', '10.0.2.2', { from: ip('127.0.0.1') }),
      ping('a', '240.0.0.1'),
      ping('a', '0.1.2.3'),
      ping('r', '10.0.2.2', { from: ip('10.0.1.1') }),
      ping('a', '10.0.2.2', dev('eth0')),
      ping('a', '10.0.1.1', dev('lo')),
    ],
  },
  {
    name: 'a host that does not forward',
    requests: LINE,
    tries: [
      ping('a', '10.0.2.2'),
      ping('a', 'fd00:2::2'),
      ping('a', '10.9.9.9'),
      ping('a', 'fd00:9::9'),
      ping('a', '10.0.2.1'),
      ping('a', 'fd00:2::1'),
    ],
  },
  {
    name: 'routes that lead nowhere',
    requests: [
      ...ROUTED,
      at('r', route('10.9.1.0/24', { type: 'unreachable' })),
      at('r', route('10.9.2.0/24', { type: 'prohibit' })),
      at('r', route('10.9.3.0/24', { type: 'blackhole' })),
      at('r', route('10.9.4.0/24', { type: 'throw' })),
      at('r', route('fd00:9:1::/64', { type: 'unreachable' })),
      at('r', route('fd00:9:2::/64', { type: 'prohibit' })),
      at('r', route('fd00:9:3::/64', { type: 'blackhole' })),
      at('r', route('fd00:9:4::/64', { type: 'throw' })),
    ],
    tries: ['a', 'r'].flatMap((from) =>
      // No more than five that a router answers: it tells each sender no more at once, whatever the sysctls say (ip_error).
      [1, 2, 3, 4].flatMap((n) => [
        ping(from, `10.9.${n}.1`),
        ping(from, `fd00:9:${n}::1`),
        ...(n < 4 ? [udp(from, `10.9.${n}.1`)] : []),
      ]),
    ),
  },
  {
    name: 'rules',
    requests: [
      ...ROUTED,
      at('r', route('0.0.0.0/0', { via: '10.0.2.2', table: 100 })),
      at('r', route('::/0', { via: 'fd00:2::2', table: 100 })),
      rule('r', 4, { priority: 100, to: cidr('10.9.1.0/24'), action: { lookup: 100 } }),
      rule('r', 4, { priority: 101, to: cidr('10.9.2.0/24'), action: { is: 'unreachable' } }),
      rule('r', 4, { priority: 102, to: cidr('10.9.3.0/24'), action: { is: 'prohibit' } }),
      rule('r', 4, { priority: 103, to: cidr('10.9.4.0/24'), action: { is: 'blackhole' } }),
      rule('r', 4, { priority: 104, iif: ifName('ra'), to: cidr('10.9.5.0/24'), action: { lookup: 100 } }),
      rule('r', 4, { priority: 105, from: cidr('10.0.1.0/24'), to: cidr('10.9.6.0/24'), action: { lookup: 100 } }),
      rule('r', 4, { priority: 106, to: cidr('10.9.7.0/24'), action: { lookup: 100 }, suppressPrefixLength: 0 }),
      rule('r', 4, {
        priority: 107,
        not: true,
        from: cidr('10.0.0.0/8'),
        to: cidr('10.9.8.0/24'),
        action: { lookup: 100 },
      }),
      rule('r', 4, { priority: 108, to: cidr('10.9.9.0/24'), action: { goto: 32766 } }),
      rule('r', 4, { priority: 109, mark: { value: 5 }, action: { lookup: 100 } }),
      rule('r', 6, { priority: 100, to: cidr('fd00:9:1::/64'), action: { lookup: 100 } }),
      rule('r', 6, { priority: 101, to: cidr('fd00:9:2::/64'), action: { is: 'unreachable' } }),
      rule('r', 6, { priority: 102, to: cidr('fd00:9:3::/64'), action: { is: 'prohibit' } }),
      rule('r', 6, { priority: 103, to: cidr('fd00:9:4::/64'), action: { is: 'blackhole' } }),
      rule('r', 6, { priority: 104, from: cidr('fd00:1::/64'), to: cidr('fd00:9:5::/64'), action: { lookup: 100 } }),
    ],
    tries: [
      ...['a', 'r'].flatMap((from) => [
        ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => ping(from, `10.9.${n}.1`)),
        ...[1, 2, 3, 4, 5].map((n) => ping(from, `fd00:9:${n}::1`)),
      ]),
      ping('r', '10.8.8.8', { mark: 5 }),
      ping('r', '10.8.8.8'),
      ping('r', '10.9.6.1', { from: ip('10.0.1.1') }),
    ],
  },
  {
    name: 'what comes from an address that does not fit',
    requests: [
      ...ROUTED,
      ...on('a', 'lo', '172.16.0.1/32'),
      ...on('a', 'lo', '10.0.2.7/32'),
      sysctl('r', 'net.ipv4.conf.ra.rp_filter', 1),
    ],
    tries: [
      ping('a', '10.0.2.2', { from: ip('172.16.0.1') }),
      ping('a', '10.0.2.2', { from: ip('10.0.2.7') }),
      ping('a', '10.0.1.1', { from: ip('10.0.2.7') }),
      ping('a', '10.0.2.2'),
    ],
  },
  {
    name: 'loose reverse paths',
    requests: [
      ...ROUTED,
      ...on('a', 'lo', '172.16.0.1/32', '10.0.2.7/32', '10.0.2.1/32'),
      sysctl('r', 'net.ipv4.conf.all.rp_filter', 2),
    ],
    tries: [
      ping('a', '10.0.2.2', { from: ip('172.16.0.1') }),
      ping('a', '10.0.2.2', { from: ip('10.0.2.7') }),
      ping('a', '10.0.2.2', { from: ip('10.0.2.1') }),
    ],
  },
  {
    name: 'a narrow link behind a router',
    requests: [...ROUTED, mtu('r', 'rb', 1300), mtu('b', 'eth0', 1300)],
    tries: [
      ping('a', '10.0.2.2', { size: 1400, df: true }),
      ping('a', '10.0.2.2', { size: 1400, df: true }),
      ping('a', '10.0.2.2', { size: 1400, df: false }),
      ping('a', '10.0.2.2', { size: 1400 }),
      ping('a', 'fd00:2::2', { size: 1400, df: true }),
      ping('a', 'fd00:2::2', { size: 1400 }),
      udp('a', 'fd00:2::2', { size: 1400 }),
      udp('a', '10.0.2.2', { size: 1272, df: true }),
      udp('a', '10.0.2.2', { size: 1273, df: true }),
    ],
  },
  {
    name: 'a route with an MTU, and a very narrow link',
    requests: [
      ...ROUTED,
      at('a', route('10.0.2.2/32', { via: '10.0.1.1', mtu: 1000 })),
      at('a', route('fd00:2::2/128', { via: 'fd00:1::1', mtu: 1280 })),
      mtu('r', 'rb', 500),
      mtu('b', 'eth0', 500),
    ],
    tries: [
      ping('a', '10.0.2.2', { size: 980, df: true }),
      ping('a', '10.0.2.2', { size: 960, df: true }),
      ping('a', '10.0.2.2', { size: 600, df: true }),
      ping('a', '10.0.2.2', { size: 510, df: true }),
      ping('a', '10.0.2.2', { size: 510 }),
      ping('a', '10.0.2.2', { size: 900 }),
    ],
  },
  {
    name: 'three on one link: redirects',
    requests: [
      ...spaces('a', 'r'),
      ...wire('r', 'ra', 'a', 'eth0'),
      ...on('a', 'eth0', '10.0.1.2/24', 'fd00:1::2/64'),
      ...on('r', 'ra', '10.0.1.1/24', 'fd00:1::1/64'),
      via('a', '10.5.0.0/16', '10.0.1.1'),
      via('a', 'fd00:5::/64', 'fd00:1::1'),
      via('r', '10.5.0.0/16', '10.0.1.9'),
      via('r', 'fd00:5::/64', 'fd00:1::9'),
      at('r', neighbour('ra', '10.0.1.9', { mac: 0x020000000999 as never })),
      at('r', neighbour('ra', 'fd00:1::9', { mac: 0x020000000999 as never })),
      ...forwards('r'),
    ],
    tries: [ping('a', '10.5.0.1'), ping('a', 'fd00:5::1'), ping('a', '10.0.1.9')],
  },
  {
    name: 'sources',
    requests: [
      ...spaces('a', 'b'),
      ...wire('a', 'eth0', 'b', 'eth0'),
      ...wire('a', 'eth1', 'b', 'eth1'),
      ...on('a', 'eth0', '10.0.1.2/24', '10.0.1.3/24', '10.0.3.2/24', 'fd00:1::2/64', '2001:db8:1::2/64'),
      ...on('a', 'eth1', '10.0.2.2/24', 'fd00:2::2/64'),
      ...on('b', 'eth0', '10.0.1.1/24', '10.0.3.1/24', 'fd00:1::1/64', '2001:db8:1::1/64'),
      ...on('b', 'eth1', '10.0.2.1/24', 'fd00:2::1/64'),
      ...on('b', 'lo', '10.7.0.1/32', '10.7.0.2/32', '2001:db8:7::1/128', 'fd00:7::1/128', 'fd00:7::2/128'),
      at('a', route('10.7.0.1/32', { via: '10.0.3.1' })),
      at('a', route('10.7.0.2/32', { via: '10.0.2.1', src: ip('10.0.1.3') })),
      at('a', route('2001:db8:7::/64', { via: 'fd00:2::1' })),
      at('a', route('fd00:7::1/128', { via: 'fd00:1::1' })),
      at('a', route('fd00:7::2/128', { via: 'fd00:2::1', src: ip('fd00:1::2') })),
      via('b', '10.0.0.0/8', '10.0.1.2'),
    ],
    tries: [
      ping('a', '10.0.1.1'),
      ping('a', '10.0.3.1'),
      ping('a', '10.0.2.1'),
      ping('a', '10.7.0.1'),
      ping('a', '10.7.0.2'),
      ping('a', '2001:db8:7::1'),
      ping('a', 'fd00:7::1'),
      ping('a', 'fd00:7::2'),
      ping('a', '2001:db8:1::1'),
      ping('a', '10.0.2.2'),
      ping('a', '10.0.1.3'),
      ping('b', '10.0.2.2', dev('eth0')),
      ping('b', '10.0.2.2', dev('eth1')),
      ping('a', '10.8.8.8', dev('eth0')),
      ping('a', 'fd00:8::8', dev('eth0')),
    ],
  },
  {
    name: 'loopback addresses on a wire',
    requests: [
      ...LINE,
      sysctl('a', 'net.ipv4.conf.eth0.route_localnet', 1),
      at('a', { on: 'route', do: 'add', to: cidr('127.9.0.0/16'), via: ip('10.0.1.1'), table: 100 }),
      rule('a', 4, { priority: 10, to: cidr('127.9.0.0/16'), action: { lookup: 100 } }),
      at('a', { on: 'rule', do: 'delete', family: 4, priority: 0 }),
      rule('a', 4, { priority: 20, action: { lookup: 255 } }),
    ],
    tries: [
      ping('a', '127.9.0.1', { from: ip('10.0.1.2') }),
      ping('a', '127.9.0.1'),
      ping('a', '127.0.0.1'),
      ping('a', '10.0.1.1', { from: ip('127.0.0.1') }),
    ],
  },
  {
    name: 'ARP that is answered for others',
    requests: [
      ...ROUTED,
      at('a', route('10.0.2.0/24', { dev: 'eth0' })),
      at('a', route('10.0.3.0/24', { dev: 'eth0' })),
      at('a', route('10.0.1.128/25', { dev: 'eth0' })),
      at('r', route('10.0.3.0/24', { via: '10.0.2.2' })),
      at('r', neighbour('ra', '10.0.3.5', { proxy: true })),
      ...on('b', 'lo', '10.0.3.5/32', '10.0.3.6/32'),
    ],
    tries: [ping('a', '10.0.3.5'), ping('a', '10.0.3.6'), ping('a', '10.0.2.2'), ping('a', '10.0.2.1')],
  },
  {
    name: 'proxy_arp',
    requests: [
      ...ROUTED,
      at('a', route('10.0.2.0/24', { dev: 'eth0' })),
      at('a', route('10.0.3.0/24', { dev: 'eth0' })),
      sysctl('r', 'net.ipv4.conf.ra.proxy_arp', 1),
    ],
    tries: [ping('a', '10.0.2.2'), ping('a', '10.0.3.6'), ping('a', '10.0.1.77')],
  },
  ...[1, 2, 3, 8].map(
    (n): Story => ({
      name: `arp_ignore ${n}`,
      requests: [
        ...LINE,
        sysctl('r', 'net.ipv4.conf.ra.arp_ignore', n),
        at('a', route('10.0.2.0/24', { dev: 'eth0' })),
        at('a', route('10.0.4.0/24', { dev: 'eth0' })),
        ...on('a', 'lo', '10.6.0.1/32'),
        at('r', { on: 'address', do: 'add', dev: ifName('ra'), cidr: cidr('10.0.4.1/24'), scope: 'host' }),
        at('r', route('10.6.0.1/32', { dev: 'ra' })),
      ],
      tries: [
        ping('a', '10.0.1.1'),
        ping('a', '10.0.2.1'),
        ping('a', '10.0.4.1'),
        ping('a', '10.0.4.1', { from: ip('10.6.0.1') }),
      ],
    }),
  ),
  ...[0, 1, 2].map(
    (n): Story => ({
      name: `arp_announce ${n}, and an answerer that filters`,
      requests: [
        ...LINE,
        sysctl('a', 'net.ipv4.conf.eth0.arp_announce', n),
        sysctl('r', 'net.ipv4.conf.ra.arp_ignore', 2),
        ...on('a', 'lo', '10.6.0.1/32'),
        at('r', route('10.6.0.1/32', { via: '10.0.1.2' })),
      ],
      tries: [ping('a', '10.0.1.1', { from: ip('10.6.0.1') }), ping('a', '10.0.1.1')],
    }),
  ),
  {
    name: 'neighbour discovery by proxy',
    requests: [
      ...ROUTED,
      at('a', route('fd00:2::/64', { dev: 'eth0' })),
      sysctl('r', 'net.ipv6.conf.ra.proxy_ndp', 1),
      at('r', neighbour('ra', 'fd00:2::2', { proxy: true })),
    ],
    tries: [ping('a', 'fd00:2::2'), ping('a', 'fd00:2::3'), ping('a', 'fd00:2::1')],
  },
  {
    name: 'a router of a subnet by its anycast address, and groups',
    requests: ROUTED,
    tries: [
      ping('a', 'fd00:1::'),
      ping('a', 'ff02::2', dev('eth0')),
      ping('a', 'ff02::5', dev('eth0')),
      ping('a', '224.0.0.5', dev('eth0')),
      ping('a', 'ff02::1:ff00:1', dev('eth0')),
      ping('r', '224.0.0.1', dev('ra')),
      ping('a', 'ff05::2', dev('eth0')),
    ],
  },
  {
    name: 'a type of service that has a route of its own',
    requests: [
      ...ROUTED,
      at('a', route('10.0.2.0/24', { type: 'unreachable', tos: 0x10 })),
      at('a', route('10.0.2.0/24', { type: 'prohibit', tos: 0x04 })),
    ],
    tries: [
      ping('a', '10.0.2.2'),
      ping('a', '10.0.2.2', { tos: 0x10 }),
      ping('a', '10.0.2.2', { tos: 0xb0 }),
      ping('a', '10.0.2.2', { tos: 0x05 }),
      ping('a', '10.0.2.2', { tos: 0x08 }),
    ],
  },
  {
    name: 'no address at all, and neighbours that are fixed',
    requests: [
      ...spaces('a', 'b'),
      ...wire('a', 'eth0', 'b', 'eth0'),
      at('a', route('10.0.1.0/24', { dev: 'eth0' })),
      at('a', route('fd00:1::/64', { dev: 'eth0' })),
      ...on('b', 'eth0', '10.0.1.1/24', 'fd00:1::1/64'),
    ],
    tries: [ping('a', '10.0.1.1'), ping('a', 'fd00:1::1'), udp('a', '10.0.1.1')],
  },
  {
    name: 'a neighbour that is at a wrong MAC',
    requests: [
      ...LINE,
      at('a', neighbour('eth0', '10.0.1.1', { mac: 0x020000000777 as never })),
      at('r', neighbour('ra', '10.0.1.2', { mac: 0x020000000777 as never })),
    ],
    tries: [ping('a', '10.0.1.1'), ping('r', '10.0.1.2')],
  },
]
