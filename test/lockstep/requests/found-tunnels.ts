// As found-traffic.ts, of packets in VXLANs: what does not fit there, what its senders know of that, and pieces of packets.

import type { Ask } from '../../../src/kernel/rtnl/request.ts'
import type { SysctlName } from '../../../src/kernel/sysctl.ts'
import { ip } from '../../../src/net/ip.ts'
import { type IfName, ifName } from '../../../src/net/name.ts'
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

const HERE = { listen: 'h' }
const THERE = { listen: 'c' }
const size = (bytes: number) => ({ size: bytes })

const vxlan = (name: string, n: number, remote: string, more: Readonly<{ dev?: IfName }> = {}): Ask => ({
  on: 'link',
  do: 'add',
  name: ifName(name),
  up: true,
  mac: macOf(n),
  kind: { kind: 'vxlan', vni: 5, remote: ip(remote), port: 8472, ...more },
})

/** A cable to there, and over it one half of a tunnel, whose MTU says 1500: over IPv4 there is room for 1450 bytes, over IPv6 for 1430. */
const half = (family: 4 | 6): ReadonlyArray<Ask> => [
  pair('v0', 'e0', { up: true, kind: { kind: 'veth', peer: { name: ifName('e0'), mac: macOf(3), ns: C } } }),
  family === 4 ? has('v0', '10.0.0.1/24') : has('v0', 'fd00::1/64', { nodad: true }),
  vxlan('x0', 6, family === 4 ? '10.0.0.2' : 'fd00::2'),
]
/** The other one, and who is there. */
const otherHalf = (family: 4 | 6): ReadonlyArray<Ask> => [
  up('e0'),
  family === 4 ? has('e0', '10.0.0.2/24') : has('e0', 'fd00::2/64', { nodad: true }),
  vxlan('x0', 7, family === 4 ? '10.0.0.1' : 'fd00::1'),
  has('x0', '10.9.0.1/24'),
  has('x0', 'fd09::1/64', { nodad: true }),
]
const at = (dev: string): ReadonlyArray<Ask> => [has(dev, '10.9.0.2/24'), has(dev, 'fd09::2/64', { nodad: true })]
/** The tunnel is a bridge's port. */
const BRIDGED: ReadonlyArray<Ask> = [
  ...half(6),
  bridge('br0', { up: true, mac: macOf(1) }),
  set('x0', { master: ifName('br0') }),
  ...at('br0'),
]

/** TCP by a tunnel that is narrower than its device says. */
export const narrowTunnel = (bytes: number): Omit<FoundTry, 'says' | 'ends'> => ({
  asks: [...half(6), ...at('x0')],
  there: otherHalf(6),
  attempt: ask('tcp', 'h', 'fd09::1', 7000, THERE, size(bytes)),
})

/** Behind a bridge with the tunnel. */
const BEHIND: ReadonlyArray<Ask> = [
  ...BRIDGED,
  pair('v1', 'e0', { up: true, kind: { kind: 'veth', peer: { name: ifName('e0'), mac: macOf(5), ns: D } } }),
  set('v1', { master: ifName('br0') }),
]
const BEYOND: ReadonlyArray<Ask> = [up('e0'), has('e0', '10.9.0.7/24'), has('e0', 'fd09::7/64', { nodad: true })]

/** TCP from the bridge itself, which is told nothing of it. */
export const narrowBridge = (bytes: number): Omit<FoundTry, 'says' | 'ends'> => ({
  asks: BRIDGED,
  there: otherHalf(6),
  attempt: ask('tcp', 'h', 'fd09::1', 7000, THERE, size(bytes)),
})

/** Of a packet too long for the tunnel. */
const toLinkLocal = (send: 'udp' | 'tcp' | 'ping', by: 'c' | 'd', to: string, name: string) => {
  const options = { dev: ifName(name), ...size(send === 'tcp' ? 1441 : 1448) }
  return send === 'ping' ? ping(by, to, options) : ask(send, by, to, 7000, { listen: by === 'c' ? 'd' : 'c' }, options)
}
/** A tunnel to its own host, by which who it is for has its own MAC. */
const toItself = (kind: Readonly<{ dev?: IfName }>): ReadonlyArray<Ask> => [
  LOOPBACK,
  ...WIRE,
  has('v0', '10.0.0.1/24'),
  vxlan('x0', 6, '10.0.0.1', kind),
  has('x0', '10.9.0.1/24'),
  neighbour('x0', '10.9.0.7', { mac: macOf(6) }),
]

export const FOUND_IN_TUNNELS: ReadonlyArray<FoundTry> = [
  {
    says: 'what a tunnel over IPv6 has no room for is lost, and nobody is told',
    asks: [...half(6), ...at('x0')],
    there: otherHalf(6),
    attempt: ask('udp', 'h', 'fd09::1', 7000, THERE, size(1452)),
    ends: 'silence',
  },
  {
    says: 'but whoever sends by it knows then how long packets may be, and cuts them',
    asks: [...half(6), ...at('x0')],
    there: otherHalf(6),
    before: ask('udp', 'h', 'fd09::1', 7000, {}, size(1452)),
    attempt: ask('udp', 'h', 'fd09::1', 7001, {}, size(1452)),
    ends: 'ECONNREFUSED',
  },
  {
    says: 'be they of IPv4',
    asks: [...half(6), ...at('x0')],
    there: otherHalf(6),
    before: ask('udp', 'h', '10.9.0.1', 7000, {}, size(1472)),
    attempt: ask('udp', 'h', '10.9.0.1', 7001, {}, size(1472)),
    ends: 'ECONNREFUSED',
  },
  {
    says: 'a tunnel over IPv4 is sent in pieces once, and then what is in it',
    asks: [...half(4), ...at('x0')],
    there: otherHalf(4),
    before: ask('udp', 'h', '10.9.0.1', 7000, THERE, size(1472)),
    attempt: ask('udp', 'h', '10.9.0.1', 7001, THERE, size(1472)),
    ends: 'answered',
  },
  {
    says: 'nobody may send more than what is known to fit',
    asks: [...half(4), ...at('x0')],
    there: otherHalf(4),
    before: ask('udp', 'h', '10.9.0.1', 7000, THERE, size(1472)),
    attempt: ask('udp', 'h', '10.9.0.1', 7001, THERE, { ...size(1472), df: true }),
    ends: 'EMSGSIZE',
  },
  {
    says: 'what a tunnel that is a port tells of packets of our own has still their way, and does not arrive',
    asks: BRIDGED,
    there: otherHalf(6),
    attempt: ask('udp', 'h', 'fd09::1', 7000, THERE, size(1452)),
    ends: 'silence',
  },
  {
    says: 'nor does it of IPv4',
    asks: BRIDGED,
    there: otherHalf(6),
    attempt: ask('udp', 'h', '10.9.0.1', 7000, THERE, size(1472)),
    ends: 'silence',
  },
  {
    says: 'a router sends it out again that way',
    asks: [
      ...BRIDGED,
      { on: 'sysctl', do: 'write', name: 'net.ipv6.conf.all.forwarding' as SysctlName, value: '1' },
      route('fd77::/16', { via: 'fd09::1' }),
    ],
    there: otherHalf(6),
    attempt: ask('udp', 'h', 'fd77::1', 7000, {}, size(1452)),
    ends: 'silence',
  },
  {
    says: 'a tunnel whose remote is its own host leads back to itself',
    asks: toItself({}),
    attempt: ping('h', '10.9.0.7'),
    ends: 'silence',
  },
  {
    says: 'but not one that names a device to send by',
    asks: toItself({ dev: ifName('v0') }),
    attempt: ping('h', '10.9.0.7'),
    ends: 'silence',
  },
  {
    says: 'and by another device the remote is somebody else',
    asks: toItself({ dev: ifName('v1') }),
    attempt: ping('h', '10.9.0.7'),
    ends: 'silence',
  },
  {
    says: 'of a datagram in pieces a tunnel knows the port by the first one',
    asks: [...half(4), ...at('x0')],
    there: otherHalf(4),
    attempt: ask('udp', 'h', 'fd09::1', 7001, {}, size(2952)),
    ends: 'ECONNREFUSED',
  },
  {
    says: 'TCP hears of what is behind a lost segment that it is lost, and makes those shorter that it sends again',
    ...narrowTunnel(1461),
    ends: 'answered',
  },
  {
    says: 'and over IPv4',
    asks: [...half(6), ...at('x0')],
    there: otherHalf(6),
    attempt: ask('tcp', 'h', '10.9.0.1', 7000, THERE, size(1461)),
    ends: 'answered',
  },
  {
    says: 'of a segment that was alone it hears nothing',
    ...narrowTunnel(1428),
    ends: 'silence',
  },
  {
    says: 'who sends TCP from behind a bridge is told, and sends all of it again',
    asks: BEHIND,
    there: otherHalf(6),
    beyond: BEYOND,
    attempt: ask('tcp', 'd', 'fd09::1', 7000, THERE, size(2952)),
    ends: 'answered',
  },
  {
    says: 'and so does who answers from there',
    asks: BEHIND,
    there: otherHalf(6),
    beyond: BEYOND,
    attempt: ask('tcp', 'c', '10.9.0.7', 7000, { listen: 'd' }, size(1461)),
    ends: 'answered',
  },
  {
    says: 'segments that were too long are sent in pieces of the tunnel, all of them, though the first has found that out',
    asks: [...half(4), ...at('x0')],
    there: otherHalf(4),
    attempt: ask('tcp', 'h', 'fd09::1', 7000, THERE, size(2940)),
    ends: 'answered',
  },
  {
    says: 'segments go as one by devices that have no room for each of them',
    asks: [...half(4), ...at('x0'), set('v0', { mtu: 1000 })],
    there: otherHalf(4),
    attempt: ask('tcp', 'h', '10.9.0.1', 7000, THERE, size(1460)),
    ends: 'answered',
  },
  {
    says: 'one that is alone does not',
    asks: [...half(4), ...at('x0'), set('v0', { mtu: 1000 })],
    there: otherHalf(4),
    attempt: ask('tcp', 'h', '10.9.0.1', 7000, THERE, size(1300)),
    ends: 'silence',
  },
  {
    says: 'a server reads at once what was sent again in two segments, and its answer is one that is too long',
    asks: BEHIND,
    there: otherHalf(6),
    beyond: BEYOND,
    attempt: ask('tcp', 'd', '10.9.0.1', 7000, THERE, size(1422)),
    ends: 'silence',
  },
  {
    says: 'a server that has gone does not answer what is sent again then, and so learns nothing of the path',
    asks: [...half(6), ...at('x0')],
    there: otherHalf(6),
    before: ask('tcp', 'c', '10.9.0.2', 7000, HERE, size(1402)),
    attempt: ask('udp', 'h', '10.9.0.1', 7001, {}, size(1410)),
    ends: 'silence',
  },
  {
    says: 'a question for a neighbour that a tunnel brings back to its own bridge is heard there, and answered',
    asks: [
      bridge('br0', { up: true, mac: macOf(1) }),
      vxlan('x0', 6, 'fd00::2'),
      set('x0', { master: ifName('br0') }),
      pair('v1', 'v2'),
      has('v1', 'fd00::2/64', { nodad: true }),
    ],
    attempt: ping('h', 'fe80::ff:fe00:1', { dev: ifName('x0') }),
    ends: 'silence',
  },
  ...([null, 'udp', 'tcp', 'ping'] as const).map((first) => ({
    says: `who has sent too long a packet to a link-local address knows that afterwards (${first ?? 'of nothing'})`,
    asks: BEHIND,
    there: otherHalf(6),
    beyond: [up('e0')],
    ...(first === null ? {} : { before: toLinkLocal(first, 'd', 'fe80::ff:fe00:7', 'e0') }),
    attempt: toLinkLocal('tcp', 'c', 'fe80::ff:fe00:5', 'x0'),
    ends: 'answered',
  })),
  ...(['udp', 'tcp', 'ping'] as const).map((first) => ({
    says: `and cuts them then (${first})`,
    asks: BEHIND,
    there: otherHalf(6),
    beyond: [up('e0')],
    before: toLinkLocal(first, 'd', 'fe80::ff:fe00:7', 'e0'),
    attempt: toLinkLocal('udp', 'd', 'fe80::ff:fe00:7', 'e0'),
    ends: first === 'tcp' ? 'answered' : 'silence',
  })),
  {
    says: 'who sends what does not fit from ::1 is told so, too',
    asks: BEHIND,
    there: otherHalf(6),
    beyond: [LOOPBACK, ...BEYOND, neighbour('e0', 'fd09::1', { mac: macOf(7) })],
    attempt: ping('d', 'fd09::1', { from: ip('::1'), size: 1392 }),
    ends: 'silence',
  },
  ...[{ local: ip('fd00::1') }, {}].map((own) => ({
    says: `a tunnel of IPv6 leaves by another device than its own where that has no way, ${'local' in own ? 'from an address that it names' : 'but not from any'}`,
    asks: [
      pair('v0', 'v1'),
      bridge('br0', { up: true, mac: macOf(1) }),
      has('br0', 'fd00::2/64', { nodad: true }),
      vxlan('x0', 3, 'fd00::9', { dev: ifName('v0'), ...own }),
    ],
    attempt: ping('h', 'fe80::9', { dev: ifName('x0') }),
    ends: 'silence',
  })),
]
