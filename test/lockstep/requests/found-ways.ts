// Packets in which the kernels once differed by where they went, or by what their frames said, shrunk (found-traffic.ts has the others,
// and says how they are told).

import type { Ask, NewLink } from '../../../src/kernel/rtnl/request.ts'
import { FORWARD4 as FORWARD_IP4, FORWARD6 as FORWARD_IP6, type SysctlName } from '../../../src/kernel/sysctl.ts'
import { cidr } from '../../../src/net/cidr.ts'
import { type Family, ip } from '../../../src/net/ip.ts'
import { mac } from '../../../src/net/mac.ts'
import { ifName, LO } from '../../../src/net/name.ts'
import {
  bridge,
  C,
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
import { D, type FoundTry } from './found-traffic.ts'

const DEFAULT = '0.0.0.0/0'
const HERE = { listen: 'h' }
const THERE = { listen: 'c' }
/** v0 here and e0 there, both up. */
const CABLE: ReadonlyArray<Ask> = [
  pair('v0', 'e0', { up: true, kind: { kind: 'veth', peer: { name: ifName('e0'), mac: macOf(2), ns: C } } }),
]
const turnOn = (name: SysctlName): Ask => ({ on: 'sysctl', do: 'write', name, value: '1' })
const [FORWARD, FORWARD6] = [turnOn(FORWARD_IP4), turnOn(FORWARD_IP6)]
const VXLAN: NewLink = {
  on: 'link',
  do: 'add',
  name: ifName('x0'),
  mac: macOf(6),
  up: true,
  kind: { kind: 'vxlan', vni: 5, remote: ip('10.0.1.9'), port: 8472 },
}

const refuse = (family: Family, from: string): Ask => ({
  on: 'rule',
  do: 'add',
  family,
  from: cidr(from),
  action: { is: 'prohibit' },
})

const GROUP_MAC = mac(0x030000000001)
/** Its neighbour there, of both families, has the MAC of a group. */
const GROUPED: ReadonlyArray<Ask> = [
  ...CABLE,
  has('v0', '10.0.0.1/24'),
  has('v0', 'fd00::1/64', { nodad: true }),
  ...['10.0.0.2', 'fd00::2'].map((to) => neighbour('v0', to, { mac: GROUP_MAC })),
]
const NEAR: ReadonlyArray<Ask> = [up('e0'), has('e0', '10.0.0.2/24'), has('e0', 'fd00::2/64', { nodad: true })]

/** What is longer than 1418 bytes is lost on its way here. */
const NARROW = [...CABLE, set('v0', { mtu: 1400 })]
const ROUTER_OF = { 4: '10.0.0.1/24', 6: 'fd00::1/64' }
const ALL = { 4: DEFAULT, 6: '::/0' }
const LOCALNET = 'net.ipv4.conf.all.route_localnet' as SysctlName
const dropLocal = (family: Family): Ask => ({ on: 'rule', do: 'delete', family, action: { lookup: 255 } })
const RP_FILTER = turnOn('net.ipv4.conf.all.rp_filter' as SysctlName)
const refuseFrom = (dev: string): Ask => ({
  on: 'rule',
  do: 'add',
  family: 4,
  iif: ifName(dev),
  action: { is: 'prohibit' },
})

const macvlan = (name: string, n: number): NewLink => ({
  on: 'link',
  do: 'add',
  name: ifName(name),
  mac: macOf(n),
  dev: ifName('v0'),
  to: D,
  kind: { kind: 'macvlan', mode: 'bridge' },
})

const br0 = bridge('br0', { mac: macOf(3) })
const fromLoopback = (from: string) => ask('udp', 'h', '224.0.0.9', 7000, HERE, { from: ip(from) })

const TO_MANY = { from: ip('10.0.0.255') }

export const FOUND_WAYS: ReadonlyArray<FoundTry> = [
  {
    says: 'a gateway is one though it has become an own address since the route was made',
    asks: [
      ...WIRE,
      has('v0', '10.0.0.2/24'),
      route(DEFAULT, { via: '10.0.0.1' }),
      pair('v2', 'v3'),
      has('v2', '10.0.0.1/24'),
    ],
    attempt: ping('h', '10.0.1.1'),
    ends: 'silence',
  },
  {
    says: 'and is none that was an own address then',
    asks: [
      ...WIRE,
      has('v0', '10.0.0.2/24'),
      has('v0', '10.0.0.1/32'),
      route(DEFAULT, { via: '10.0.0.1' }),
      has('v0', '10.0.0.1/32', { do: 'delete' }),
    ],
    attempt: ping('h', '10.0.1.1'),
    ends: 'silence',
  },
  {
    says: 'nor one that is reached by a route of scope host',
    asks: [
      ...WIRE,
      has('v0', '10.0.0.2/24'),
      route('10.9.0.0/24', { dev: 'v0', scope: 'host' }),
      route(DEFAULT, { via: '10.9.0.1' }),
    ],
    attempt: ping('h', '10.0.1.1'),
    ends: 'silence',
  },
  {
    says: 'over loopback, too, TCP does not hear what came to the MAC of a group',
    asks: [LOOPBACK, pair('v1', 'v2'), has('v1', '10.0.0.2/24'), neighbour('lo', '10.0.0.9', { mac: GROUP_MAC })],
    attempt: ask('tcp', 'h', '10.0.0.2', 7000, HERE),
    ends: 'silence',
  },
  {
    says: 'nor by a cable, of either family',
    asks: GROUPED,
    there: NEAR,
    attempt: ask('tcp', 'h', 'fd00::2', 7000, THERE),
    ends: 'silence',
  },
  {
    says: 'UDP does',
    asks: GROUPED,
    there: NEAR,
    attempt: ask('udp', 'h', '10.0.0.2', 7000, THERE),
    ends: 'answered',
  },
  ...['10.0.0.2', 'fd00::2'].map((to) => ({
    says: `but nobody is told that no socket has its port (${to})`,
    asks: GROUPED,
    there: NEAR,
    attempt: ask('udp', 'h', to, 7000),
    ends: 'silence',
  })),
  {
    says: 'what goes nowhere by a link-local subnet of loopback is an error there',
    asks: [LOOPBACK, has('lo', 'fe80::1/64', { nodad: true })],
    attempt: ping('h', 'fe80::2', { dev: LO }),
    ends: 'ENETUNREACH',
  },
  {
    says: 'whatever it calls itself',
    asks: [LOOPBACK, route('::/0', { dev: 'lo', type: 'broadcast' })],
    attempt: ping('h', 'fd09::1'),
    ends: 'ENETUNREACH',
  },
  {
    says: 'but nobody is told so of an answer, for ICMP says one thing at a time',
    asks: [LOOPBACK, ...CABLE, has('v0', 'fd00::1/64', { nodad: true }), has('lo', 'fd00::9/80', { nodad: true })],
    there: [up('e0'), has('e0', 'fd00::3/64', { nodad: true })],
    attempt: ping('c', 'fd00::1'),
    ends: 'silence',
  },
  {
    says: 'a tunnel that is redirected has the MAC of the other router asked for',
    asks: [...CABLE, has('v0', '10.0.0.1/24'), FORWARD, route(DEFAULT, { dev: 'v0' })],
    there: [up('e0'), has('e0', '10.0.0.2/24'), route(DEFAULT, { via: '10.0.0.1' }), VXLAN],
    attempt: ping('c', 'fe80::7', { dev: ifName('x0') }),
    ends: 'silence',
  },
  {
    says: 'an answer to ::1 leaves by loopback, whosever address was asked',
    asks: [LOOPBACK, ...WIRE, has('v0', 'fd00::3/64', { nodad: true })],
    attempt: ping('h', 'fd00::3', { from: ip('::1') }),
    ends: 'answered',
  },
  {
    says: 'a connection of IPv4 goes by what rules say of the source that it was given',
    asks: [...CABLE, has('v0', '10.0.0.1/24'), refuse(4, '10.0.0.0/24')],
    there: NEAR,
    attempt: ask('tcp', 'h', '10.0.0.2', 7000, THERE),
    ends: 'EACCES',
  },
  ...(['tcp', 'udp'] as const).map((protocol) => ({
    says: `one of IPv6 keeps the way that it has found before it had a source (${protocol})`,
    asks: [...CABLE, has('v0', 'fd00::1/64', { nodad: true }), refuse(6, 'fd00::/64')],
    there: NEAR,
    attempt: ask(protocol, 'h', 'fd00::2', 7000, THERE),
    ends: 'answered',
  })),
  {
    says: 'of macvlans of one host the first to hear a broadcast is the first by a hash of its MAC',
    asks: [...CABLE, macvlan('m0', 8), macvlan('m1', 9)],
    there: [up('e0'), has('e0', '10.0.0.2/24')],
    beyond: [up('m0'), up('m1'), has('m0', '10.0.0.3/24')],
    attempt: ping('c', '10.0.0.3'),
    ends: 'answered',
  },
  {
    says: 'the way back to who asks us is looked for as one of our own packets, whatever rules say of what comes in there',
    asks: [...CABLE, has('v0', '10.0.0.1/24'), RP_FILTER, refuseFrom('v0')],
    there: NEAR,
    attempt: ping('c', '10.0.0.1'),
    ends: 'answered',
  },
  {
    says: 'and through us as one that comes in where it is to leave',
    asks: [
      ...CABLE,
      has('v0', '10.0.0.1/24'),
      pair('v1', 'v2', { up: true }),
      up('v2'),
      has('v1', '10.0.1.1/24'),
      neighbour('v1', '10.0.1.9', { mac: macOf(9) }),
      FORWARD,
      RP_FILTER,
      refuseFrom('v1'),
    ],
    there: [...NEAR, route(DEFAULT, { via: '10.0.0.1' })],
    attempt: ping('c', '10.0.1.9'),
    ends: 'silence',
  },
  {
    says: 'where addresses of loopback may leave, one may be the source of what is sent by its device',
    asks: [LOOPBACK, turnOn('net.ipv4.conf.all.route_localnet' as SysctlName)],
    attempt: ask('tcp', 'h', '10.0.0.9', 7001, HERE, { dev: LO }),
    ends: 'silence',
  },
  {
    says: 'what is sent to a group by loopback arrives only if that takes part',
    asks: [LOOPBACK],
    attempt: ask('udp', 'h', '224.0.0.9', 7000, HERE, { from: ip('127.0.0.1') }),
    ends: 'silence',
  },
  {
    says: 'as it does in the group of all',
    asks: [LOOPBACK],
    attempt: ask('udp', 'h', '224.0.0.1', 7000, HERE, { from: ip('127.0.0.1') }),
    ends: 'silence',
  },
  {
    says: 'to a group one sends by the device that got the address last',
    asks: [LOOPBACK, br0, has('br0', '127.0.0.1/8')],
    attempt: fromLoopback('127.0.0.1'),
    ends: 'EINVAL',
  },
  {
    says: 'whatever their indexes',
    asks: [br0, has('br0', '127.0.0.1/8'), LOOPBACK],
    attempt: fromLoopback('127.0.0.1'),
    ends: 'silence',
  },
  {
    says: 'and from what no device has by that of the table local, be there a route elsewhere, or no rule that asks the table',
    asks: [LOOPBACK, ...WIRE, route(DEFAULT, { dev: 'v0' }), dropLocal(4)],
    attempt: fromLoopback('127.0.0.5'),
    ends: 'silence',
  },
  {
    says: 'what is forwarded by loopback goes round there until its hops are used up',
    asks: [...CABLE, LOOPBACK, has('v0', '10.0.0.1/24'), FORWARD, route(DEFAULT, { dev: 'lo' })],
    there: [up('e0'), has('e0', '10.0.0.2/24'), route(DEFAULT, { via: '10.0.0.1' })],
    attempt: ask('tcp', 'c', '10.9.0.7', 7000),
    ends: 'EHOSTUNREACH',
  },
  ...(['tcp', 'udp'] as const).map((protocol) => ({
    says: `who connects asks for a way of its type of service (${protocol})`,
    asks: [...CABLE, has('v0', '10.0.0.1/24'), route('10.9.0.0/24', { dev: 'v0', tos: 0x10 })],
    there: [...NEAR, has('e0', '10.9.0.2/24')],
    attempt: ask(protocol, 'h', '10.9.0.2', 7000, THERE, { tos: 0x10 }),
    ends: 'answered',
  })),
  ...[ping('h', '10.0.0.2', TO_MANY), ask('udp', 'h', '10.0.0.2', 7000, THERE, TO_MANY)].map((attempt) => ({
    says: `who is bound to the address of many hears only what comes to that (${attempt.send})`,
    asks: [...CABLE, has('v0', '10.0.0.1/24')],
    there: NEAR,
    attempt,
    ends: 'silence',
  })),
  {
    says: 'but TCP, what comes to the source that it was given',
    asks: [...CABLE, has('v0', '10.0.0.1/24')],
    there: NEAR,
    attempt: ask('tcp', 'h', '10.0.0.2', 7000, THERE, TO_MANY),
    ends: 'answered',
  },
  {
    says: 'what is for nobody is not sent by a route to all that is in the way of ourselves',
    asks: [pair('v0', 'v1'), has('v0', '10.0.0.1/24'), up('v0'), route(DEFAULT, { dev: 'v0', scope: 'host' })],
    attempt: ask('udp', 'h', '0.0.0.0', 7000, HERE),
    ends: 'ENETUNREACH',
  },
  ...(['tcp', 'udp'] as const).map((protocol) => ({
    says: `who is bound to a device without an address is itself only by loopback (${protocol})`,
    asks: [LOOPBACK, ...WIRE],
    attempt: ask(protocol, 'h', '0.0.0.0', 7000, HERE, { dev: ifName('v0') }),
    ends: 'EINVAL',
  })),
  {
    says: 'and by the device, if that may carry loopback addresses',
    asks: [LOOPBACK, ...WIRE, turnOn('net.ipv4.conf.all.route_localnet' as SysctlName)],
    attempt: ask('udp', 'h', '0.0.0.0', 7000, HERE, { dev: ifName('v0') }),
    ends: 'silence',
  },
  {
    says: 'a bridge takes what a neighbour answers to the MAC of a port for an answer',
    asks: [br0, up('br0'), ...CABLE, set('v0', { master: ifName('br0') }), has('br0', '10.0.0.1/24')],
    there: NEAR,
    before: ping('c', '10.0.0.1'),
    attempt: ping('h', '10.0.0.2', { dev: ifName('v0') }),
    ends: 'silence',
  },
  {
    says: 'what a route of the table main refuses, the table default does not allow',
    asks: [
      ...CABLE,
      has('v0', '10.0.0.1/24'),
      route('10.9.0.0/16', { type: 'prohibit' }),
      route('10.9.0.0/24', { dev: 'v0', table: 253 }),
    ],
    attempt: ping('h', '10.9.0.2'),
    ends: 'EACCES',
  },
  {
    says: 'who was looked for in vain on loopback is everybody there, and does not hear his own question',
    asks: [LOOPBACK, ...WIRE, has('v0', '10.0.1.1/24'), neighbour('lo', '10.0.0.1', { state: 'failed' })],
    attempt: ping('h', '10.0.1.1'),
    ends: 'silence',
  },
  {
    says: 'a router that hears from itself redirects itself over loopback, and asks nobody for its own MAC',
    asks: [
      bridge('br0', { mac: macOf(3), up: true }),
      pair('v0', 'v1'),
      has('v0', 'fd00::2/64', { nodad: true }),
      { ...VXLAN, master: ifName('br0'), kind: { kind: 'vxlan', vni: 5, remote: ip('fd00::2'), port: 8472 } },
      FORWARD6,
      neighbour('br0', 'fe80::7', { mac: macOf(6) }),
    ],
    attempt: ping('h', 'fe80::7', { dev: ifName('br0') }),
    ends: 'silence',
  },
  ...[
    { what: 'whose pieces are lost by the device is told so', size: 2952, ends: 'ENOBUFS' },
    { what: 'is not, of a piece that waited for a MAC', size: 2000, ends: 'silence' },
  ].flatMap(({ what, size, ends }) =>
    ([4, 6] as const).map((family) => ({
      says: `who sends a packet ${what} (IPv${family})`,
      asks: [...NARROW, has('v0', ROUTER_OF[family], { nodad: true })],
      there: [...NEAR, route(ALL[family], { via: ROUTER_OF[family].replace('/24', '').replace('/64', '') })],
      attempt: ping('c', family === 4 ? '10.9.0.1' : 'fd09::1', { size }),
      ends,
    })),
  ),
  ...(['tcp', 'udp'] as const).flatMap((protocol) =>
    ([4, 6] as const).map((family) => ({
      says: `what a socket expects is not forwarded, and nobody redirected, where the host has no table local (${protocol}, IPv${family})`,
      asks: [
        ...CABLE,
        has('v0', ROUTER_OF[family], { nodad: true }),
        family === 4 ? FORWARD : FORWARD6,
        neighbour('v0', family === 4 ? '10.0.0.2' : 'fd00::2', { mac: macOf(2) }),
        dropLocal(family),
        { on: 'rule', do: 'add', family, action: { is: 'nop' } } as const,
      ],
      there: [...NEAR, neighbour('e0', family === 4 ? '10.0.0.1' : 'fd00::1', { mac: macOf(1) })],
      attempt: ask(protocol, 'h', family === 4 ? '10.0.0.2' : 'fd00::2', 7000, THERE),
      ends: 'silence',
    })),
  ),
  {
    says: 'but a ping is',
    asks: [...CABLE, has('v0', '10.0.0.1/24'), FORWARD, dropLocal(4)],
    there: NEAR,
    attempt: ping('h', '10.0.0.2'),
    ends: 'silence',
  },
  {
    says: 'a route to all is none to groups: who has that instead of a table local is not found',
    asks: [
      ...CABLE,
      has('v0', 'fd00::1/64', { nodad: true }),
      dropLocal(6),
      route('::/0', { via: 'fd00::9' }),
      { on: 'rule', do: 'add', family: 6, action: { is: 'nop' } },
    ],
    there: NEAR,
    attempt: ask('tcp', 'c', 'fd00::1', 7000, { listen: 'h' }),
    ends: 'silence',
  },
  {
    says: 'a route to groups is',
    asks: [
      ...CABLE,
      has('v0', 'fd00::1/64', { nodad: true }),
      dropLocal(6),
      route('ff00::/8', { dev: 'v0' }),
      { on: 'rule', do: 'add', family: 6, action: { is: 'nop' } },
    ],
    there: NEAR,
    attempt: ask('tcp', 'c', 'fd00::1', 7000, { listen: 'h' }),
    ends: 'silence',
  },
  {
    says: 'who may send from 127.0.0.1 does by loopback, where nothing has a way',
    asks: [LOOPBACK, turnOn(LOCALNET)],
    attempt: ask('udp', 'h', '10.0.0.9', 7002, HERE, { dev: LO }),
    ends: 'silence',
  },
  ...(['ping', 'udp', 'tcp'] as const).flatMap((send) =>
    [LO, null].map((dev) => ({
      says: `without IPv4 on loopback nobody reaches himself (${send}, by ${dev ?? 'any device'})`,
      asks: [LOOPBACK, pair('v0', 'v1'), has('v0', '10.0.0.3/32'), set('lo', { mtu: 67 })],
      attempt:
        send === 'ping'
          ? ping('h', '10.0.0.3', dev === null ? {} : { dev })
          : ask(send, 'h', '10.0.0.3', 7000, HERE, dev === null ? {} : { dev }),
      ends: dev === null ? 'EINVAL' : 'ENETUNREACH',
    })),
  ),
]
