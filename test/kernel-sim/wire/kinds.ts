// One frame of every kind that the wire knows, and what tshark calls its fields and their values. Of a field that occurs more
// than once (a tunnel, a quote) all values are given, from the outside inwards.

import { arpAnnouncement, arpProbe } from '../../../src/kernel-sim/wire/arp.ts'
import type { Body4, Body6 } from '../../../src/kernel-sim/wire/body.ts'
import { type Frame, frame } from '../../../src/kernel-sim/wire/ethernet.ts'
import { fragment } from '../../../src/kernel-sim/wire/fragment.ts'
import { EXCEEDED4, PROBLEM4, REDIRECT4, UNREACHABLE4 } from '../../../src/kernel-sim/wire/icmp4.ts'
import { EXCEEDED6, PROBLEM6, UNREACHABLE6 } from '../../../src/kernel-sim/wire/icmp6.ts'
import { type Packet4, packet4 } from '../../../src/kernel-sim/wire/ip4.ts'
import { type Packet6, packet6 } from '../../../src/kernel-sim/wire/ip6.ts'
import type { Discovery } from '../../../src/kernel-sim/wire/nd.ts'
import { quote4, quote6, quoteOfRedirect } from '../../../src/kernel-sim/wire/quote.ts'
import { FLAG, type Tcp } from '../../../src/kernel-sim/wire/tcp.ts'
import { NO_OPTIONS } from '../../../src/kernel-sim/wire/tcp-options.ts'
import type { Udp } from '../../../src/kernel-sim/wire/udp.ts'
import { BROADCAST, mac, macOfGroup6, showMac, ZERO_MAC } from '../../../src/net/mac.ts'
import { A, B, four, fromAToB, right, six } from './lib.ts'

/** Fields by the names of Wireshark's display filters; '' where a field must be absent. */
export type Kind = Readonly<{ what: string; frame: Frame; shows: Readonly<Record<string, string>> }>

const [A4, B4] = [four('10.9.0.1'), four('10.9.0.2')]
const [A6, B6] = [six('fd09::1'), six('fd09::2')]
const data = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i)
const text = (of: string): Uint8Array => new TextEncoder().encode(of)

const over4 = (body: Body4, more: Partial<Packet4> = {}): Frame => fromAToB({ ...packet4(A4, B4, body), ...more })
const over6 = (body: Body6, more: Partial<Packet6> = {}): Frame => fromAToB({ ...packet6(A6, B6, body), ...more })

const udp = (length: number): Udp => ({ proto: 'udp', sport: 5000, dport: 9, checked: true, payload: data(length) })
const tcp: Tcp = {
  proto: 'tcp',
  sport: 40000,
  dport: 80,
  seq: 0xfffffff0,
  ack: 7,
  flags: FLAG.ACK | FLAG.PSH,
  window: 502,
  urgent: 0,
  options: { ...NO_OPTIONS, timestamps: { value: 11, echo: 22 } },
  payload: text('GET'),
}
const syn = { ...tcp, flags: FLAG.SYN | FLAG.ECE | FLAG.CWR, ack: 0, payload: new Uint8Array(0) }
const synOptions = { mss: 1460, sackPermitted: true, timestamps: { value: 11, echo: 0 }, windowScale: 7, sack: [] }

const ARP: ReadonlyArray<Kind> = [
  {
    what: 'ARP request',
    frame: frame(A, BROADCAST, {
      tag: 'arp',
      op: 'request',
      senderMac: A,
      sender: A4,
      targetMac: ZERO_MAC,
      target: B4,
    }),
    shows: { 'arp.opcode': '1', 'arp.src.proto_ipv4': '10.9.0.1', 'arp.dst.proto_ipv4': '10.9.0.2' },
  },
  {
    what: 'ARP reply',
    frame: frame(B, A, { tag: 'arp', op: 'reply', senderMac: B, sender: B4, targetMac: A, target: A4 }),
    shows: { 'arp.opcode': '2', 'arp.src.hw_mac': showMac(B), 'arp.dst.hw_mac': showMac(A) },
  },
  { what: 'ARP probe', frame: frame(A, BROADCAST, arpProbe(A, A4)), shows: { 'arp.isprobe': '1' } },
  {
    what: 'ARP announcement',
    frame: frame(A, BROADCAST, arpAnnouncement(A, A4)),
    shows: { 'arp.isannouncement': '1', 'eth.dst': 'ff:ff:ff:ff:ff:ff' },
  },
]

const TRANSPORT: ReadonlyArray<Kind> = [
  {
    what: 'UDP over IPv4',
    frame: over4(udp(5), { ttl: 7, tos: 0xb9, id: 0x1234 }),
    shows: {
      'ip.ttl': '7',
      'ip.dsfield.dscp': '46',
      'ip.dsfield.ecn': '1',
      'ip.id': '0x1234',
      'ip.flags.df': '1',
      'udp.srcport': '5000',
      'udp.length': '13',
      'udp.checksum.status': '1',
    },
  },
  {
    what: 'UDP over IPv6',
    frame: over6(udp(6), { ttl: 9, tos: 0xb8, flow: 0xabcde }),
    shows: {
      'ipv6.hlim': '9',
      'ipv6.tclass': '0x000000b8',
      'ipv6.flow': '0x0abcde',
      'ipv6.src': 'fd09::1',
      'udp.dstport': '9',
      'udp.checksum.status': '1',
    },
  },
  {
    what: 'UDP without a checksum',
    frame: over4({ ...udp(5), checked: false }),
    shows: { 'udp.checksum': '0x0000', 'udp.checksum.status': '3' },
  },
  {
    what: 'TCP SYN',
    frame: over4({ ...syn, options: synOptions }),
    shows: {
      'tcp.flags': '0x00c2',
      'tcp.options.mss_val': '1460',
      'tcp.options.wscale.shift': '7',
      'tcp.option_kind': '2,4,8,1,3',
      'tcp.options.timestamp.tsval': '11',
      'tcp.checksum.status': '1',
    },
  },
  {
    what: 'TCP over IPv6 with data',
    frame: over6({ ...tcp, flags: tcp.flags | FLAG.NS }),
    shows: {
      'tcp.flags': '0x0118',
      'tcp.seq_raw': '4294967280',
      'tcp.ack_raw': '7',
      'tcp.window_size_value': '502',
      'tcp.options.timestamp.tsecr': '22',
      'tcp.len': '3',
      'tcp.checksum.status': '1',
    },
  },
  {
    what: 'TCP with SACK blocks',
    frame: over4({ ...tcp, options: { ...NO_OPTIONS, sack: [{ from: 100, to: 200 }] } }),
    shows: { 'tcp.options.sack_le': '100', 'tcp.options.sack_re': '200', 'tcp.checksum.status': '1' },
  },
]

const CONTROL4: ReadonlyArray<Kind> = [
  ...(['echo-request', 'echo-reply'] as const).map((type) => ({
    what: `ICMP ${type}`,
    frame: over4({ proto: 'icmp', type, id: 77, seq: 3, payload: data(56) }),
    shows: { 'icmp.type': type === 'echo-request' ? '8' : '0', 'icmp.ident': '77', 'icmp.checksum.status': '1' },
  })),
  ...UNREACHABLE4.map((code, n) => ({
    what: `ICMP unreachable: ${code}`,
    frame: over4({
      proto: 'icmp',
      type: 'unreachable',
      code,
      mtu: code === 'fragmentation-needed' ? 1400 : 0,
      ...quote4(packet4(B4, A4, udp(4))),
    }),
    shows: {
      'icmp.type': '3',
      'icmp.code': `${n}`,
      'icmp.mtu': code === 'fragmentation-needed' ? '1400' : '',
      'icmp.checksum.status': '1',
      'ip.src': '10.9.0.1,10.9.0.2',
      'udp.srcport': '5000',
    },
  })),
  ...EXCEEDED4.map((code, n) => ({
    what: `ICMP time exceeded: ${code}`,
    frame: over4({ proto: 'icmp', type: 'time-exceeded', code, ...quote4(packet4(B4, A4, tcp)) }),
    shows: { 'icmp.type': '11', 'icmp.code': `${n}`, 'icmp.checksum.status': '1', 'tcp.dstport': '80' },
  })),
  ...REDIRECT4.map((code, n) => ({
    what: `ICMP redirect: ${code}`,
    frame: over4({
      proto: 'icmp',
      type: 'redirect',
      code,
      gateway: four('10.9.0.254'),
      ...quote4(packet4(B4, A4, udp(4))),
    }),
    shows: { 'icmp.type': '5', 'icmp.code': `${n}`, 'icmp.redir_gw': '10.9.0.254', 'icmp.checksum.status': '1' },
  })),
  ...PROBLEM4.map((code, n) => ({
    what: `ICMP parameter problem: ${code}`,
    frame: over4({ proto: 'icmp', type: 'parameter-problem', code, pointer: 20, ...quote4(packet4(B4, A4, udp(4))) }),
    shows: { 'icmp.type': '12', 'icmp.code': `${n}`, 'icmp.checksum.status': '1' },
  })),
  {
    what: 'ICMP error about a long packet',
    frame: over4({ proto: 'icmp', type: 'unreachable', code: 'port', mtu: 0, ...quote4(packet4(B4, A4, udp(900))) }),
    shows: { 'ip.len': '576,928', 'udp.length': '908', 'icmp.checksum.status': '1' },
  },
  {
    what: 'IGMPv3 report',
    frame: frame(A, mac(0x01005e000016), {
      ...packet4(A4, four('224.0.0.22'), {
        proto: 'igmp',
        type: 'report3',
        records: [
          { kind: 'to-exclude', group: four('239.1.2.3'), sources: [] },
          { kind: 'is-include', group: four('239.1.2.4'), sources: [A4, B4] },
        ],
      }),
      ttl: 1,
      routerAlert: true,
    }),
    shows: {
      'igmp.type': '0x22',
      'igmp.record_type': '4,1',
      'igmp.maddr': '239.1.2.3,239.1.2.4',
      'igmp.checksum.status': '1',
      'ip.opt.ra': '0',
    },
  },
]

/** Neighbour discovery is valid with this hop limit only. */
const nd = (dst: string, body: Discovery, src = A6): Frame =>
  frame(A, macOfGroup6(six(dst)), { ...packet6(src, six(dst), body), ttl: 255 })

const CONTROL6: ReadonlyArray<Kind> = [
  ...(['echo-request', 'echo-reply'] as const).map((type) => ({
    what: `ICMPv6 ${type}`,
    frame: over6({ proto: 'icmp6', type, id: 77, seq: 3, payload: data(57) }),
    shows: {
      'icmpv6.type': type === 'echo-request' ? '128' : '129',
      'icmpv6.echo.identifier': '0x004d',
      'icmpv6.checksum.status': '1',
    },
  })),
  ...UNREACHABLE6.map((code, n) => ({
    what: `ICMPv6 unreachable: ${code}`,
    frame: over6({ proto: 'icmp6', type: 'unreachable', code, ...quote6(packet6(B6, A6, udp(4))) }),
    shows: {
      'icmpv6.type': '1',
      'icmpv6.code': `${n}`,
      'icmpv6.checksum.status': '1',
      'ipv6.src': 'fd09::1,fd09::2',
      'udp.srcport': '5000',
    },
  })),
  {
    what: 'ICMPv6 packet too big',
    frame: over6({ proto: 'icmp6', type: 'packet-too-big', mtu: 1400, ...quote6(packet6(B6, A6, udp(1460))) }),
    shows: { 'icmpv6.type': '2', 'icmpv6.mtu': '1400', 'ipv6.plen': '1240,1468', 'icmpv6.checksum.status': '1' },
  },
  ...EXCEEDED6.map((code, n) => ({
    what: `ICMPv6 time exceeded: ${code}`,
    frame: over6({ proto: 'icmp6', type: 'time-exceeded', code, ...quote6(packet6(B6, A6, tcp)) }),
    shows: { 'icmpv6.type': '3', 'icmpv6.code': `${n}`, 'icmpv6.checksum.status': '1', 'tcp.dstport': '80' },
  })),
  ...PROBLEM6.map((code, n) => ({
    what: `ICMPv6 parameter problem: ${code}`,
    frame: over6({ proto: 'icmp6', type: 'parameter-problem', code, pointer: 6, ...quote6(packet6(B6, A6, udp(4))) }),
    shows: { 'icmpv6.type': '4', 'icmpv6.code': `${n}`, 'icmpv6.pointer': '6', 'icmpv6.checksum.status': '1' },
  })),
  {
    what: 'neighbour solicitation',
    frame: nd('ff02::1:ff00:2', {
      proto: 'icmp6',
      type: 'neighbour-solicitation',
      target: B6,
      options: [{ tag: 'source', mac: A }],
    }),
    shows: {
      'icmpv6.type': '135',
      'icmpv6.nd.ns.target_address': 'fd09::2',
      'icmpv6.opt.linkaddr': showMac(A),
      'icmpv6.checksum.status': '1',
      'eth.dst': '33:33:ff:00:00:02',
    },
  },
  {
    what: 'duplicate address detection',
    frame: nd(
      'ff02::1:ff00:1',
      {
        proto: 'icmp6',
        type: 'neighbour-solicitation',
        target: A6,
        options: [{ tag: 'nonce', nonce: 0x0102030405 }],
      },
      six('::'),
    ),
    shows: { 'ipv6.src': '::', 'icmpv6.opt.nonce': '000102030405', 'icmpv6.checksum.status': '1' },
  },
  {
    what: 'neighbour advertisement',
    frame: fromAToB({
      ...packet6(A6, B6, {
        proto: 'icmp6',
        type: 'neighbour-advertisement',
        target: A6,
        router: true,
        solicited: false,
        override: true,
        options: [{ tag: 'target', mac: A }],
      }),
      ttl: 255,
    }),
    shows: {
      'icmpv6.nd.na.flag.r': '1',
      'icmpv6.nd.na.flag.s': '0',
      'icmpv6.nd.na.flag.o': '1',
      'icmpv6.checksum.status': '1',
    },
  },
  {
    what: 'router solicitation',
    frame: nd('ff02::2', { proto: 'icmp6', type: 'router-solicitation', options: [{ tag: 'source', mac: A }] }),
    shows: { 'icmpv6.type': '133', 'icmpv6.opt.linkaddr': showMac(A), 'icmpv6.checksum.status': '1' },
  },
  {
    what: 'router advertisement',
    frame: nd(
      'ff02::1',
      {
        proto: 'icmp6',
        type: 'router-advertisement',
        hopLimit: 64,
        managed: false,
        other: true,
        defaultS: 1800,
        reachableMs: 30_000,
        retransMs: 1000,
        options: [
          { tag: 'prefix', ip: six('fd09::'), bits: 64, onLink: true, autonomous: true, validS: 900, preferredS: 600 },
          { tag: 'mtu', mtu: 1450 },
          { tag: 'source', mac: A },
        ],
      },
      six('fe80::1'),
    ),
    shows: {
      'icmpv6.nd.ra.cur_hop_limit': '64',
      'icmpv6.nd.ra.flag.o': '1',
      'icmpv6.nd.ra.router_lifetime': '1800',
      'icmpv6.opt.prefix': 'fd09::',
      'icmpv6.opt.prefix.length': '64',
      'icmpv6.opt.prefix.preferred_lifetime': '600',
      'icmpv6.opt.mtu': '1450',
      'icmpv6.checksum.status': '1',
    },
  },
  {
    what: 'ICMPv6 redirect',
    frame: fromAToB({
      ...packet6(six('fe80::1'), B6, {
        proto: 'icmp6',
        type: 'redirect',
        target: six('fe80::2'),
        destination: six('fd07::1'),
        options: [
          { tag: 'target', mac: B },
          { tag: 'redirected', ...quoteOfRedirect(packet6(B6, six('fd07::1'), udp(3)), 8) },
        ],
      }),
      ttl: 255,
    }),
    shows: {
      'icmpv6.type': '137',
      'icmpv6.nd.rd.target_address': 'fe80::2',
      'icmpv6.rd.na.destination_address': 'fd07::1',
      'icmpv6.opt.linkaddr': showMac(B),
      'icmpv6.checksum.status': '1',
    },
  },
  {
    what: 'MLDv2 report',
    frame: frame(A, macOfGroup6(six('ff02::16')), {
      ...packet6(six('fe80::1'), six('ff02::16'), {
        proto: 'icmp6',
        type: 'mld2-report',
        records: [
          { kind: 'to-exclude', group: six('ff02::1:ff00:1'), sources: [] },
          { kind: 'allow', group: six('ff05::2'), sources: [A6] },
        ],
      }),
      ttl: 1,
      routerAlert: true,
    }),
    shows: {
      'icmpv6.type': '143',
      'icmpv6.mldr.mar.multicast_address': 'ff02::1:ff00:1,ff05::2',
      'icmpv6.mldr.mar.record_type': '4,5',
      'ipv6.opt.router_alert': '0',
      'icmpv6.checksum.status': '1',
    },
  },
]

const inner = frame(mac(0x0242ac120002), mac(0x0242ac120003), {
  ...packet4(four('172.18.0.2'), four('172.18.0.3'), { ...tcp, payload: text('x') }),
})
const vxlan = (checked: boolean): Udp => ({
  proto: 'udp',
  sport: 50000,
  dport: 4789,
  checked,
  payload: { tag: 'vxlan', vni: 0x100001, frame: inner },
})

const NESTED: ReadonlyArray<Kind> = [
  {
    what: 'one tag',
    frame: { ...over4(udp(1)), tags: [{ protocol: '802.1Q', vid: 42, priority: 5, dei: false }] },
    shows: { 'vlan.id': '42', 'vlan.priority': '5', 'udp.checksum.status': '1' },
  },
  {
    what: 'two tags',
    frame: {
      ...over6(udp(1)),
      tags: [
        { protocol: '802.1ad', vid: 100, priority: 0, dei: true },
        { protocol: '802.1Q', vid: 4094, priority: 0, dei: false },
      ],
    },
    shows: { 'vlan.id': '4094', 'ieee8021ad.id': '100', 'udp.checksum.status': '1' },
  },
  {
    what: 'VXLAN over IPv4',
    frame: over4(vxlan(true), { df: false }),
    shows: {
      'vxlan.vni': '1048577',
      'ip.src': '10.9.0.1,172.18.0.2',
      'eth.src': `${showMac(A)},02:42:ac:12:00:02`,
      'udp.checksum.status': '1',
      'tcp.checksum.status': '1',
    },
  },
  {
    what: 'VXLAN over IPv6',
    frame: over6(vxlan(true)),
    shows: {
      'vxlan.vni': '1048577',
      'ipv6.src': 'fd09::1',
      'ip.src': '172.18.0.2',
      'udp.checksum.status': '1',
      'tcp.checksum.status': '1',
    },
  },
  {
    what: 'VXLAN over IPv4 without a checksum',
    frame: over4(vxlan(false)),
    shows: { 'vxlan.vni': '1048577', 'udp.checksum.status': '3', 'tcp.checksum.status': '1' },
  },
]

const whole4 = { ...packet4(A4, B4, udp(3000)), df: false, id: 0x4321 }
const whole6 = packet6(A6, B6, udp(3000))
const last = (i: number): boolean => i === 2

const FRAGMENTS: ReadonlyArray<Kind> = [
  ...right(fragment(whole4, 1500, 0)).map((packet, i) => ({
    what: `fragment ${i} of IPv4`,
    frame: fromAToB(packet),
    shows: {
      'ip.flags.mf': last(i) ? '0' : '1',
      'udp.length': last(i) ? '3008' : '',
      'udp.checksum.status': last(i) ? '1' : '',
    },
  })),
  ...right(fragment(whole6, 1500, 0xcafe)).map((packet, i) => ({
    what: `fragment ${i} of IPv6`,
    frame: fromAToB(packet),
    shows: {
      'ipv6.fraghdr.ident': '0x0000cafe',
      'ipv6.fraghdr.more': last(i) ? '0' : '1',
      'udp.length': last(i) ? '3008' : '',
      'udp.checksum.status': last(i) ? '1' : '',
    },
  })),
]

export const KINDS: ReadonlyArray<Kind> = [...ARP, ...TRANSPORT, ...CONTROL4, ...CONTROL6, ...NESTED, ...FRAGMENTS]
