// Packets in which the kernels once differed, shrunk, each with what Linux does in words: they stay in agreement. Requests are to `h`,
// those of `there` to `c`, those of `beyond` to `d`, and come after them.

import type { Ask, Request } from '../../../src/kernel/rtnl/request.ts'
import type { SysctlName } from '../../../src/kernel/sysctl.ts'
import type { Try } from '../../../src/kernel/traffic.ts'
import { cidr } from '../../../src/net/cidr.ts'
import { ip } from '../../../src/net/ip.ts'
import { ifName, LO, ns } from '../../../src/net/name.ts'
import {
  bridge,
  C,
  H,
  has,
  LOOPBACK,
  macOf,
  neighbour,
  pair,
  route,
  set,
  up,
  WIRE,
} from '../../kernel-sim/control/story.ts'
import { ask, ping } from '../../scenarios/scenario.ts'
import type { Case } from './both.ts'

/** `before`: what was sent already. `ends`: how it does that the packet is sent. */
export type FoundTry = Readonly<{
  says: string
  asks: ReadonlyArray<Ask>
  there?: ReadonlyArray<Ask>
  beyond?: ReadonlyArray<Ask>
  before?: Try
  attempt: Try
  ends: string
}>

export const D = ns('d')
const V0 = { dev: ifName('v0') }
const BY_LOOPBACK = { dev: LO }
const from = (text: string) => ({ from: ip(text) })
const HERE = { listen: 'h' }
/** v0 here and e0 there, both up. */
const CABLE: ReadonlyArray<Ask> = [
  pair('v0', 'e0', { up: true, kind: { kind: 'veth', peer: { name: ifName('e0'), mac: macOf(2), ns: C } } }),
]

/** A bridge here, of a cable to there and a VXLAN, into which fit packets of 1450 bytes. */
const TUNNEL: ReadonlyArray<Ask> = [
  ...CABLE,
  pair('v1', 'v2', { up: true }),
  up('v2'),
  has('v1', '10.0.0.1/24'),
  bridge('br0', { up: true, mac: macOf(3) }),
  {
    on: 'link',
    do: 'add',
    name: ifName('x0'),
    up: true,
    mac: macOf(4),
    kind: { kind: 'vxlan', vni: 5, remote: ip('10.0.0.2'), port: 8472 },
  },
  ...['v0', 'x0'].map((name) => set(name, { master: ifName('br0') })),
]
/** Who sends there, to a host that is never heard. */
const sendsTo = (to: string): ReadonlyArray<Ask> => [
  up('e0'),
  ...['10.9.0.7/24', 'fd09::7/16'].map((own) => has('e0', own, { nodad: true })),
  neighbour('e0', to, { mac: macOf(5) }),
]

const SENDING: Ask = {
  on: 'link',
  do: 'add',
  name: ifName('x0'),
  mac: macOf(6),
  up: true,
  kind: { kind: 'vxlan', vni: 5, remote: ip('10.0.0.9'), port: 8472 },
}
const sysctl = (name: string, value: string): Ask => ({ on: 'sysctl', do: 'write', name: name as SysctlName, value })
const FORWARD = sysctl('net.ipv4.ip_forward', '1')
/** v0 is a router that has all on the link of those who send by it: ROUTED, of another subnet. */
const ROUTER: ReadonlyArray<Ask> = [
  ...CABLE,
  has('v0', '10.0.1.1/24'),
  has('v0', '10.0.1.3/32'),
  has('v0', '10.0.0.2/24'),
  FORWARD,
]
const ROUTED: ReadonlyArray<Ask> = [up('e0'), has('e0', '10.0.1.2/24'), route('0.0.0.0/0', { via: '10.0.1.1' })]

/** What is sent in pieces by who thinks that it fits, through the tunnel. */
const inPieces = (says: string, to: string, ends: string): FoundTry => ({
  says,
  asks: TUNNEL,
  there: sendsTo(to),
  attempt: ping('c', to, { size: 2952 }),
  ends,
})

export const FOUND_TRIES: ReadonlyArray<FoundTry> = [
  {
    says: 'what a host sends to itself arrives by the device of the address, where a bound socket hears it',
    asks: [LOOPBACK, ...WIRE, has('v0', '10.0.0.1/24')],
    attempt: ping('h', '10.0.0.1', V0),
    ends: 'answered',
  },
  {
    says: 'and so it does of IPv6, by a device that is down',
    asks: [LOOPBACK, pair('v0', 'v1'), has('v0', 'fd00::1/64', { nodad: true })],
    attempt: ping('h', 'fd00::1', V0),
    ends: 'answered',
  },
  {
    says: 'a link-local address of our own answers',
    asks: [LOOPBACK, ...WIRE],
    attempt: ask('udp', 'h', 'fe80::ff:fe00:1', 7000, HERE, V0),
    ends: 'answered',
  },
  {
    says: 'a link-local address is that of the device that a socket is bound to',
    asks: [LOOPBACK, ...WIRE],
    attempt: ping('h', 'fe80::ff:fe00:1', { ...from('fe80::9'), ...V0 }),
    ends: 'EADDRNOTAVAIL',
  },
  {
    says: 'and cannot be had without one',
    asks: [LOOPBACK, ...WIRE],
    attempt: ping('h', 'fd01::2', from('fe80::ff:fe00:1')),
    ends: 'EINVAL',
  },
  {
    says: '::1 is no address of another device',
    asks: [LOOPBACK, ...WIRE],
    attempt: ask('udp', 'h', 'fd00::2', 7000, HERE, { ...from('::1'), ...V0 }),
    ends: 'EADDRNOTAVAIL',
  },
  {
    says: 'until there is a table local, every address is a broadcast address, which a socket may have and not send from',
    asks: [],
    attempt: ask('udp', 'h', '0.0.0.0', 7000, HERE, from('127.0.0.1')),
    ends: 'ENETUNREACH',
  },
  {
    says: 'whom a socket talks to that was told nobody is itself, of whose errors it hears',
    asks: [LOOPBACK],
    attempt: ask('udp', 'h', '0.0.0.0', 7000),
    ends: 'ECONNREFUSED',
  },
  {
    says: 'but not while the loopback device is down',
    asks: [],
    attempt: ask('tcp', 'h', '0.0.0.0', 7000),
    ends: 'ENETUNREACH',
  },
  {
    says: 'what is sent by loopback arrives, whosever address it is, and nobody is told that no socket has its port',
    asks: [LOOPBACK],
    attempt: ask('udp', 'h', '10.0.0.2', 7000, {}, BY_LOOPBACK),
    ends: 'silence',
  },
  {
    says: 'nor is TCP, be the address ours by another device',
    asks: [LOOPBACK, pair('v0', 'v1'), has('v0', '10.0.0.3/32')],
    attempt: ask('tcp', 'h', '10.0.0.3', 7000, {}, BY_LOOPBACK),
    ends: 'silence',
  },
  {
    says: 'who has no address to send from is answered over loopback, by no device of an address',
    asks: [LOOPBACK, pair('v0', 'v1'), has('v0', '10.0.0.2/24', { scope: 'host' })],
    attempt: ping('h', '10.0.0.2', BY_LOOPBACK),
    ends: 'answered',
  },
  {
    says: 'the loopback device is known by its index',
    asks: [pair('v0', 'v1'), has('v0', '10.0.0.1/24'), set('lo', { name: ifName('v2') })],
    attempt: ask('udp', 'h', '10.0.0.1', 7000, HERE),
    ends: 'silence',
  },
  {
    says: 'a host of IPv6 that does not forward says that it has no route all the same',
    asks: [...CABLE, has('v0', 'fd00::1/64', { nodad: true })],
    there: [up('e0'), has('e0', 'fd00::2/64', { nodad: true }), route('::/0', { via: 'fd00::1' })],
    attempt: ask('tcp', 'c', 'fd09::1', 7000),
    ends: 'ENETUNREACH',
  },
  {
    says: 'rules of IPv6 that were only deleted are not looked at',
    asks: [...CABLE, { on: 'rule', do: 'delete', family: 6, priority: 32_766 }],
    there: [up('e0')],
    attempt: ask('udp', 'c', 'fe80::ff:fe00:1', 7000, HERE, { dev: ifName('e0') }),
    ends: 'answered',
  },
  {
    says: 'ARP has one entry for all of a loopback device, and with another MAC nothing arrives there',
    asks: [LOOPBACK, pair('v0', 'v1'), has('v0', '10.0.0.5/24'), neighbour('lo', '10.0.0.9', { mac: macOf(5) })],
    attempt: ping('h', '10.0.0.5'),
    ends: 'silence',
  },
  {
    says: 'a subnet of IPv6 on loopback leads nowhere: its packets are errors when they leave',
    asks: [LOOPBACK, has('lo', 'fd00::2/64', { nodad: true })],
    attempt: ping('h', 'fd00::a'),
    ends: 'ENETUNREACH',
  },
  {
    says: 'a bound UDP socket hears of no error over loopback',
    asks: [LOOPBACK, ...WIRE, has('v0', '10.0.0.2/24')],
    attempt: ask('udp', 'h', '10.0.0.2', 7000, {}, V0),
    ends: 'silence',
  },
  {
    says: 'of IPv6 it does',
    asks: [LOOPBACK, ...WIRE, has('v0', 'fd00::2/64', { nodad: true })],
    attempt: ask('udp', 'h', 'fd00::2', 7000, {}, V0),
    ends: 'ECONNREFUSED',
  },
  {
    says: 'a UDP socket is told that a packet was too long for a tunnel on its way',
    asks: TUNNEL,
    there: sendsTo('fd09::1'),
    attempt: ask('udp', 'c', 'fd09::1', 7000, {}, { size: 1452 }),
    ends: 'EMSGSIZE',
  },
  {
    says: 'of IPv4, too',
    asks: TUNNEL,
    there: sendsTo('10.9.0.1'),
    attempt: ask('udp', 'c', '10.9.0.1', 7000, {}, { size: 1472 }),
    ends: 'EMSGSIZE',
  },
  {
    says: 'but not one that has its packets cut on their way',
    asks: TUNNEL,
    there: sendsTo('fd09::1'),
    attempt: ask('udp', 'c', 'fd09::1', 7000, {}, { size: 1452, df: false }),
    ends: 'silence',
  },
  {
    says: 'nor is it told a second time: its packets are cut here then',
    asks: TUNNEL,
    there: sendsTo('fd09::1'),
    before: ask('udp', 'c', 'fd09::1', 7000, {}, { size: 1452 }),
    attempt: ask('udp', 'c', 'fd09::1', 7001, {}, { size: 1452 }),
    ends: 'silence',
  },
  inPieces(
    'of a piece that is too long for the tunnel nobody is told, if the destination looks like options',
    'fd09::1',
    'silence',
  ),
  inPieces('nor if it looks like a later piece', 'fd09:203:8::1', 'silence'),
  inPieces('but the sender is, if it looks like any protocol', 'fd09:203::1', 'EMSGSIZE'),
  {
    says: 'from what is said of a later piece nobody learns how long packets may be',
    asks: TUNNEL,
    there: sendsTo('fd09::1'),
    before: ping('c', 'fd09::1', { size: 2952 }),
    attempt: ping('c', 'fd09::1', { size: 1452 }),
    ends: 'EMSGSIZE',
  },
  {
    says: 'nobody resets who comes from ::1 and asks by another device than loopback',
    asks: [LOOPBACK, ...WIRE, has('v0', 'fd00::1/64', { nodad: true })],
    attempt: ask('tcp', 'h', 'fd00::1', 7001, {}, from('::1')),
    ends: 'silence',
  },
  {
    says: 'a tunnel whose remote is behind loopback sends to itself',
    asks: [
      LOOPBACK,
      {
        on: 'link',
        do: 'add',
        name: ifName('x0'),
        mac: macOf(6),
        kind: { kind: 'vxlan', vni: 5, remote: ip('10.0.0.9') },
      },
      route('0.0.0.0/0', { dev: 'lo' }),
      up('x0'),
      has('x0', '10.7.0.1/24'),
    ],
    attempt: ping('h', '10.7.0.2'),
    ends: 'silence',
  },
  {
    says: 'a server that was asked at a link-local address answers by the device of that only',
    asks: [LOOPBACK, ...WIRE, has('lo', 'fd00::1/128', { nodad: true })],
    attempt: ask('udp', 'h', 'fe80::ff:fe00:1', 7000, HERE, { ...V0, ...from('fd00::1') }),
    ends: 'silence',
  },
  {
    says: 'a VXLAN without an address to send from sends from none, and looks for its remote',
    asks: [LOOPBACK, pair('v0', 'v1'), up('v0'), route('0.0.0.0/0', { dev: 'v0' }), SENDING],
    attempt: ask('udp', 'h', 'fe80::1', 7000, {}, { dev: ifName('x0') }),
    ends: 'silence',
  },
  {
    says: 'who is redirected asks for the MAC of the other router',
    asks: ROUTER,
    there: ROUTED,
    attempt: ping('c', '10.0.0.9'),
    ends: 'silence',
  },
  {
    says: 'be it for a datagram',
    asks: ROUTER,
    there: ROUTED,
    attempt: ask('udp', 'c', '10.0.0.9', 7000),
    ends: 'silence',
  },
  {
    says: 'or a connection',
    asks: ROUTER,
    there: ROUTED,
    attempt: ask('tcp', 'c', '10.0.0.9', 7000),
    ends: 'silence',
  },
  {
    says: 'but not where it forwards itself',
    asks: ROUTER,
    there: [...ROUTED, FORWARD],
    attempt: ping('c', '10.0.0.9'),
    ends: 'silence',
  },
  {
    says: 'unless by another device only',
    asks: ROUTER,
    there: [...ROUTED, FORWARD, sysctl('net.ipv4.conf.e0.forwarding', '0')],
    attempt: ping('c', '10.0.0.9'),
    ends: 'silence',
  },
  {
    says: 'nor of one that is not the router of its route',
    asks: ROUTER,
    there: [up('e0'), has('e0', '10.0.1.2/24'), route('0.0.0.0/0', { via: '10.0.1.3' })],
    attempt: ping('c', '10.0.0.9'),
    ends: 'silence',
  },
  {
    says: 'of a loopback device with a MAC the one neighbour has that, and nobody has learned it',
    asks: [set('lo', { mac: macOf(3), up: true })],
    attempt: ask('tcp', 'h', '10.0.0.1', 7000, {}, BY_LOOPBACK),
    ends: 'silence',
  },
  {
    says: 'a gateway that is oneself is none',
    asks: [...WIRE, has('v0', '10.0.0.1/24'), route('0.0.0.0/0', { via: '10.0.0.1' })],
    attempt: ask('tcp', 'h', '10.0.1.1', 7000),
    ends: 'silence',
  },
  {
    says: 'where there is no way yet, the rules for the address that would be had say why',
    asks: [
      ...WIRE,
      has('v0', 'fd00::1/64', { nodad: true }),
      { on: 'rule', do: 'add', family: 6, from: cidr('fd00::/64'), action: { is: 'prohibit' } },
    ],
    attempt: ask('udp', 'h', 'fd09::1', 7000),
    ends: 'EACCES',
  },
  {
    says: 'an answer over IPv6 had better go by the device that was asked, whoever else has the address',
    asks: [
      LOOPBACK,
      ...WIRE,
      pair('v2', 'v3', { up: true }),
      ...['v0', 'v2'].map((dev) => has(dev, 'fd00::1/64', { nodad: true })),
    ],
    attempt: ping('h', 'fd00::1', { dev: ifName('v2') }),
    ends: 'answered',
  },
  {
    says: 'and what is forwarded, by the device that it came in by',
    asks: [
      ...CABLE,
      pair('v1', 'v2', { up: true }),
      up('v2'),
      has('v0', 'fd00::1/64', { nodad: true }),
      ...['v1', 'v0'].map((dev) => has(dev, 'fd01::1/64', { nodad: true })),
      sysctl('net.ipv6.conf.all.forwarding', '1'),
    ],
    there: [up('e0'), has('e0', 'fd00::2/64', { nodad: true }), route('::/0', { via: 'fd00::1' })],
    attempt: ping('c', 'fd01::9'),
    ends: 'silence',
  },
  {
    says: 'without the table local nobody is heard who asks a group over IPv6',
    asks: [
      ...CABLE,
      has('v0', 'fd00::1/64', { nodad: true }),
      { on: 'rule', do: 'delete', family: 6, action: { lookup: 255 } },
      { on: 'rule', do: 'add', family: 6, action: { goto: 5 } },
    ],
    there: [up('e0'), has('e0', 'fd00::2/64', { nodad: true })],
    attempt: ping('c', 'fd00::1'),
    ends: 'silence',
  },
  {
    says: 'a tunnel keeps the way that it has found before it had a source',
    asks: [
      ...CABLE,
      has('v0', 'fd00::1/64', { nodad: true }),
      { ...SENDING, kind: { kind: 'vxlan', vni: 5, remote: ip('fd00::2'), port: 8472 } },
      has('x0', '10.9.0.1/24'),
      neighbour('x0', '10.9.0.7', { mac: macOf(5) }),
      { on: 'rule', do: 'add', family: 6, from: cidr('fd00::/64'), action: { is: 'blackhole' } },
    ],
    there: [up('e0'), has('e0', 'fd00::2/64', { nodad: true })],
    attempt: ping('h', '10.9.0.7'),
    ends: 'silence',
  },
]

export const caseOfFound = ({
  asks,
  there = [],
  beyond = [],
  before,
  attempt,
}: Omit<FoundTry, 'says' | 'ends'>): Case => ({
  program: [
    ...(beyond.length === 0 ? [H, C] : [H, C, D]).map((ns): Request => ({ ns, ask: { on: 'netns', do: 'add' } })),
    ...asks.map((one): Request => ({ ns: H, ask: one })),
    ...there.map((one): Request => ({ ns: C, ask: one })),
    ...beyond.map((one): Request => ({ ns: D, ask: one })),
  ],
  rules: [],
  tries: before === undefined ? [attempt] : [before, attempt],
})
