// Programs in which the kernels once differed, shrunk, each with what Linux does in words: they stay in agreement. All of it is
// asked in `h`, or elsewhere where that is said. Those of routes alone are in found-routes.ts, of rules in found-rules.ts, of
// addresses in found-addresses.ts.

import type { Ask, NewLink, Request, RuleRequest } from '../../../src/kernel/rtnl/request.ts'
import { cidr } from '../../../src/net/cidr.ts'
import { ip, ip4 } from '../../../src/net/ip.ts'
import { ZERO_MAC } from '../../../src/net/mac.ts'
import { ifName, LO } from '../../../src/net/name.ts'
import { bridge, C, H, has, macOf, neighbour, pair, route, set, up } from '../../kernel-sim/control/story.ts'
import { FOUND_ADDRESSES } from './found-addresses.ts'
import { FOUND_ROUTES } from './found-routes.ts'
import { FOUND_RULES } from './found-rules.ts'

/** `elsewhere`: what comes then, said where. `errno`: how the last request is answered. */
export type FoundCase = Readonly<{
  says: string
  asks: ReadonlyArray<Ask>
  elsewhere?: ReadonlyArray<Request>
  errno: string | null
}>

const rule = (more: Partial<RuleRequest>): Ask => ({ on: 'rule', do: 'add', family: 4, ...more })
const PAIR = pair('v0', 'v1')
const PAIR_UP = [PAIR, up('v0')]
const br = (name: string, n: number): Ask => bridge(name, { mac: macOf(n) })
const DEFAULT6 = '::/0'
const hops = (...devs: ReadonlyArray<string>) => devs.map((dev) => ({ dev: ifName(dev) }))

const tap = (verb: 'add' | 'delete', name = 't0'): Ask => ({ on: 'tap', do: verb, dev: ifName(name) })
const TAP = [tap('add')]

const macvlan = (name: string, n: number): Ask => ({
  on: 'link',
  do: 'add',
  name: ifName(name),
  mac: macOf(n),
  dev: ifName('v0'),
  kind: { kind: 'macvlan', mode: 'bridge' },
})

const vxlan = (name: string, vni: number): NewLink => ({
  on: 'link',
  do: 'add',
  name: ifName(name),
  mac: macOf(vni),
  kind: { kind: 'vxlan', vni, port: 8472 },
})

export const FOUND: ReadonlyArray<FoundCase> = [
  ...FOUND_ROUTES,
  ...FOUND_RULES,
  ...FOUND_ADDRESSES,
  {
    says: 'who was looked for in vain at what has become a broadcast address is forgotten',
    asks: [
      ...PAIR_UP,
      neighbour('v0', '10.0.0.9', { state: 'failed' }),
      {
        on: 'address',
        do: 'add',
        dev: ifName('v0'),
        cidr: cidr('10.0.0.2/24'),
        broadcast: ip4(0x0a000009),
        nodad: true,
      },
    ],
    errno: null,
  },
  {
    says: 'a device without IPv6 can have the name of a directory of sysctls',
    asks: [PAIR, set('v0', { name: ifName('all'), mtu: 1279 })],
    errno: null,
  },
  {
    says: 'a device with IPv6 can not',
    asks: [PAIR, set('v0', { name: ifName('all'), mtu: 1280 })],
    errno: 'EINVAL',
  },
  {
    says: 'a bridge that is renamed in the same message is still itself as a master',
    asks: [br('br0', 1), set('br0', { name: ifName('br1'), master: ifName('br0') })],
    errno: 'ELOOP',
  },
  {
    says: 'a master is looked for by its index where the device has been moved to',
    asks: [PAIR, pair('v2', 'v3'), set('v0', { to: C, master: ifName('v3') })],
    errno: 'EINVAL',
  },
  {
    says: 'a device that is moved has another index there than who goes for its sake',
    asks: [
      vxlan('x0', 5),
      { ...vxlan('x1', 6), to: C, kind: { kind: 'vxlan', vni: 6, port: 8472, dev: ifName('x0') } },
      set('x0', { to: C }),
    ],
    errno: null,
  },
  {
    says: 'a master is looked for by its index where the device is made',
    asks: [PAIR, bridge('br0', { mac: macOf(3), to: C, master: ifName('v0') })],
    errno: 'EINVAL',
  },
  {
    says: 'a device that has lost IPv6 earlier in a message has no way to make addresses',
    asks: [PAIR, set('v0', { mtu: 1279, addrGenMode: 'none' })],
    errno: 'EAFNOSUPPORT',
  },
  {
    says: 'and keeps none for when it has it back, though it comes up',
    asks: [br('br0', 3), set('br0', { mtu: 1279, up: true, addrGenMode: 'none' })],
    errno: 'EAFNOSUPPORT',
  },
  {
    says: 'how a device makes addresses is not looked at where the message is refused before that',
    asks: [br('br0', 3), set('br0', { up: true, addrGenMode: 'none', master: ifName('br0') })],
    errno: 'ELOOP',
  },
  {
    says: 'so it makes one',
    asks: [PAIR, up('v1'), set('v0', { up: true, addrGenMode: 'none', master: ifName('v1') })],
    errno: 'EOPNOTSUPP',
  },
  {
    says: 'nor where it is told of a kind that it is not',
    asks: [PAIR, set('v0', { mtu: 1279 }), set('v0', { addrGenMode: 'eui64', kind: { kind: 'bridge' } })],
    errno: 'EOPNOTSUPP',
  },
  {
    says: 'what it is told of its own kind is done before that',
    asks: [
      br('br0', 3),
      set('br0', { mtu: 1279 }),
      set('br0', { addrGenMode: 'eui64', kind: { kind: 'bridge', priority: 9 } }),
    ],
    errno: 'EAFNOSUPPORT',
  },
  {
    says: 'of which nobody hears',
    asks: [
      bridge('br0', { mac: macOf(1), up: true, mtu: 1279 }),
      neighbour('br0', '10.0.0.9', { mac: macOf(3), state: 'noarp' }),
      set('br0', { addrGenMode: 'eui64', kind: { kind: 'bridge', priority: 9 } }),
    ],
    errno: 'EAFNOSUPPORT',
  },
  {
    says: 'nor where it may not move then',
    asks: [
      bridge('br0', { mac: macOf(1), up: true }),
      neighbour('br0', '10.0.0.9', { mac: macOf(3), state: 'noarp' }),
      set('br0', { to: C, kind: { kind: 'bridge', priority: 9 } }),
    ],
    errno: 'EINVAL',
  },
  {
    says: 'a device that loses IPv6 forgets how it makes addresses',
    asks: [PAIR, set('v0', { addrGenMode: 'none' }), set('v0', { mtu: 1279 })],
    errno: null,
  },
  {
    says: 'a device without carrier loses neighbours when anything is told of it',
    asks: [
      bridge('br0', { mac: macOf(1), up: true }),
      neighbour('br0', '10.0.0.9', { mac: macOf(3), state: 'noarp' }),
      neighbour('br0', '10.0.0.8', { mac: macOf(3) }),
      set('br0', { group: 7 }),
    ],
    errno: null,
  },
  {
    says: 'a proxy that is not permanent goes with the carrier',
    asks: [
      ...PAIR_UP,
      up('v1'),
      neighbour('v0', '10.0.0.1', { proxy: true, state: 'noarp' }),
      neighbour('v0', '10.0.0.2', { proxy: true }),
      set('v1', { to: C }),
    ],
    errno: null,
  },
  {
    says: 'an address of a group brings its own route and no other, for none may prefer it',
    asks: [...PAIR_UP, has('v0', '224.0.0.9/24', { broadcast: '+' })],
    errno: null,
  },
  {
    says: 'until there is a table local, every address is a broadcast address, and has the MAC of all',
    asks: [PAIR, neighbour('v0', '10.0.0.9')],
    errno: null,
  },
  {
    says: 'and once there is one, no address has a MAC before it is told',
    asks: [up(LO), PAIR, neighbour('v0', '10.0.0.9')],
    errno: 'EINVAL',
  },
  {
    says: 'ARP has one entry for all of a loopback device',
    asks: [
      up(LO),
      neighbour('lo', '10.0.0.9', { mac: macOf(3) }),
      neighbour('lo', '10.0.0.8', { mac: macOf(4) }),
      neighbour('lo', '10.0.0.9', { do: 'delete' }),
    ],
    errno: 'ENOENT',
  },
  {
    says: 'a broadcast address has the MAC of all',
    asks: [
      ...PAIR_UP,
      has('v0', '10.0.0.1/24', { broadcast: ip4(0x0a000009) }),
      neighbour('v0', '10.0.0.9', { state: 'permanent' }),
    ],
    errno: null,
  },
  {
    says: 'the rules of a device are those of a gateway that is looked for by it',
    asks: [
      ...PAIR_UP,
      rule({ oif: ifName('v0'), action: { is: 'prohibit' } }),
      route('0.0.0.0/0', { via: '10.0.0.9', dev: 'v0' }),
    ],
    errno: 'EACCES',
  },
  {
    says: 'a gateway of IPv4 is looked for as from the loopback device',
    asks: [
      ...PAIR_UP,
      rule({ iif: LO, action: { is: 'prohibit' } }),
      route('0.0.0.0/0', { via: '10.0.0.9', dev: 'v0' }),
    ],
    errno: 'EACCES',
  },
  {
    says: 'a gateway of IPv6 is looked for as from nowhere',
    asks: [
      ...PAIR_UP,
      rule({ family: 6, iif: LO, action: { is: 'prohibit' } }),
      has('v0', 'fd00::1/64', { nodad: true }),
      route('fd09::/64', { via: 'fd00::9' }),
    ],
    errno: null,
  },
  {
    says: 'IPv6 has a default route in every table, which nobody can delete',
    asks: [route(DEFAULT6, { do: 'delete' })],
    errno: 'ENOENT',
  },
  {
    says: 'but not that of a device',
    asks: [PAIR, route(DEFAULT6, { do: 'delete', dev: 'v0' })],
    errno: 'ESRCH',
  },
  {
    says: 'a table of IPv6 stays when it is empty',
    asks: [
      up(LO),
      route(DEFAULT6, { type: 'blackhole', table: 77 }),
      route(DEFAULT6, { do: 'delete', table: 77 }),
      route(DEFAULT6, { do: 'delete', table: 77 }),
    ],
    errno: 'ENOENT',
  },
  {
    says: 'a route of IPv6 through the loopback device leads to no gateway',
    asks: [up(LO), route(DEFAULT6, { dev: 'lo' }), route('fd09::/64', { via: 'fd00::9' })],
    errno: 'EHOSTUNREACH',
  },
  {
    says: 'our own address is no gateway where nothing leads to it',
    asks: [route(DEFAULT6, { via: '::1' })],
    errno: 'EHOSTUNREACH',
  },
  {
    says: 'and a wrong one where the loopback device does',
    asks: [up(LO), route(DEFAULT6, { via: '::1' })],
    errno: 'EINVAL',
  },
  {
    says: 'a route of IPv6 to nowhere can be on a link',
    asks: [...PAIR_UP, route('fd09::/64', { type: 'prohibit', dev: 'v0', onlink: true })],
    errno: null,
  },
  {
    says: 'the other end of an address that came while its device was down has no route when it comes up',
    asks: [PAIR, has('v0', 'fd00::1/64', { peer: ip('fd07::1'), nodad: true }), up('v0')],
    errno: null,
  },
  {
    says: 'an address that is given another end has a route to its subnet',
    asks: [
      ...PAIR_UP,
      has('v0', 'fd00::1/64', { nodad: true }),
      has('v0', 'fd00::1/64', { do: 'replace', peer: ip('fd07::1'), nodad: true }),
    ],
    errno: null,
  },
  {
    says: 'a gateway of 0.0.0.0 is none, also where there can be none',
    asks: [route('10.9.0.0/24', { type: 'prohibit', via: '0.0.0.0' })],
    errno: null,
  },
  {
    says: 'an address with bits behind its prefix is told before a table that is not there',
    asks: [route('10.9.0.1/24', { do: 'delete', table: 77 })],
    errno: 'EINVAL',
  },
  {
    says: 'an index that is taken is told before a name that no device may have',
    asks: [pair('all', 'v0', { index: 2 })],
    errno: 'EBUSY',
  },
  {
    says: 'the MAC that a device has is not looked at',
    asks: [set('lo', { mac: ZERO_MAC })],
    errno: null,
  },
  {
    says: 'a route of several hops goes with the first device that does',
    asks: [
      bridge('br0', { mac: macOf(3), up: true }),
      ...PAIR_UP,
      up('v1'),
      route('10.9.1.0/24', { hops: hops('br0', 'v0') }),
      { on: 'link', do: 'delete', dev: ifName('v0') },
    ],
    errno: null,
  },
  {
    says: 'a tap that nobody holds has no carrier, be it up, and IPv6 waits for it',
    asks: [...TAP, up('t0'), has('t0', '10.0.0.1/24'), has('t0', 'fd00::1/64')],
    errno: null,
  },
  { says: 'there is one tap of a name', asks: [...TAP, tap('add')], errno: 'EBUSY' },
  { says: 'who deletes a tap that is not there uses up an index', asks: [tap('delete'), PAIR], errno: null },
  { says: 'nothing but a tap goes as one', asks: [PAIR, tap('delete', 'v0')], errno: 'EINVAL' },
  {
    says: 'a tap is a port without carrier, and no longer one when it goes',
    asks: [
      bridge('b0', { mac: macOf(9) }),
      up('b0'),
      ...TAP,
      set('t0', { master: ifName('b0') }),
      up('t0'),
      { on: 'link', do: 'delete', dev: ifName('t0') },
    ],
    errno: null,
  },
  {
    says: 'the MTU of a tap counts its header',
    asks: [...TAP, set('t0', { mtu: 65521 }), set('t0', { mtu: 65522 })],
    errno: 'EINVAL',
  },
  {
    says: 'a device that stands on one still has its carrier when linkwatch takes it for what that is on',
    // The index of v0's other end is that of m1, here.
    asks: [],
    elsewhere: [
      { ns: C, ask: PAIR },
      {
        ns: H,
        ask: pair('v0', 'e0', { up: true, kind: { kind: 'veth', peer: { name: ifName('e0'), mac: macOf(2), ns: C } } }),
      },
      ...['m0', 'm1'].map((name, n): Request => ({ ns: H, ask: macvlan(name, 8 + n) })),
      { ns: C, ask: up('e0') },
      { ns: C, ask: set('e0', { up: false }) },
    ],
    errno: null,
  },
  {
    says: 'a bridge still has its carrier when linkwatch takes it for what its port is on',
    // The index of v0's other end is that of the bridge, here.
    asks: [bridge('b0', { mac: macOf(9), up: true })],
    elsewhere: [
      {
        ns: H,
        ask: pair('v0', 'e0', { up: true, kind: { kind: 'veth', peer: { name: ifName('e0'), mac: macOf(2), ns: C } } }),
      },
      { ns: C, ask: up('e0') },
      { ns: H, ask: set('v0', { master: ifName('b0') }) },
      { ns: C, ask: set('e0', { up: false }) },
    ],
    errno: null,
  },
  {
    says: 'who comes up without link-local addresses gets none when linkwatch finds its carrier',
    asks: [PAIR, up('v1'), set('v0', { up: true, addrGenMode: 'none' })],
    errno: null,
  },
  {
    says: 'what leads nowhere over IPv6 is of the loopback device, whatever that is called',
    asks: [set('lo', { name: ifName('l0') }), route('fd09::/64', { type: 'blackhole' })],
    errno: null,
  },
]

export const programOf = ({ asks, elsewhere = [] }: FoundCase): ReadonlyArray<Request> => [
  ...[H, C].map((ns): Request => ({ ns, ask: { on: 'netns', do: 'add' } })),
  ...asks.map((ask): Request => ({ ns: H, ask })),
  ...elsewhere,
]
