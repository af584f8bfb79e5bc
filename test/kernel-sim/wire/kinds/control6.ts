// Messages of ICMPv6 with every code, neighbour discovery, and the report of multicast listeners.

import { type Frame, frame } from '../../../../src/kernel-sim/wire/ethernet.ts'
import { EXCEEDED6, PROBLEM6, UNREACHABLE6 } from '../../../../src/kernel-sim/wire/icmp6.ts'
import { packet6 } from '../../../../src/kernel-sim/wire/ip6.ts'
import type { Discovery } from '../../../../src/kernel-sim/wire/nd.ts'
import { quote6, quoteOfRedirect } from '../../../../src/kernel-sim/wire/quote.ts'
import { macOfGroup6, showMac } from '../../../../src/net/mac.ts'
import { A, B, fromAToB, six } from '../lib.ts'
import { A6, B6, data, type Kind, over6, tcp, udp } from './kind.ts'

/** Neighbour discovery is valid with this hop limit only. */
const nd = (dst: string, body: Discovery, src = A6): Frame =>
  frame(A, macOfGroup6(six(dst)), { ...packet6(src, six(dst), body), ttl: 255 })

export const CONTROL6: ReadonlyArray<Kind> = [
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
