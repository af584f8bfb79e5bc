// Frames in tags and in tunnels, and packets in fragments.

import { frame } from '../../../../src/kernel-sim/wire/ethernet.ts'
import { fragment } from '../../../../src/kernel-sim/wire/fragment.ts'
import { packet4 } from '../../../../src/kernel-sim/wire/ip4.ts'
import { packet6 } from '../../../../src/kernel-sim/wire/ip6.ts'
import type { Udp } from '../../../../src/kernel-sim/wire/udp.ts'
import { mac, showMac } from '../../../../src/net/mac.ts'
import { A, four, fromAToB, right } from '../lib.ts'
import { A4, A6, B4, B6, type Kind, over4, over6, tcp, text, udp } from './kind.ts'

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

export const NESTED: ReadonlyArray<Kind> = [
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

export const FRAGMENTS: ReadonlyArray<Kind> = [
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
