// Frames of ARP, and datagrams and segments over both families.

import { arpAnnouncement, arpProbe } from '../../../../src/kernel-sim/wire/arp.ts'
import { frame } from '../../../../src/kernel-sim/wire/ethernet.ts'
import { FLAG } from '../../../../src/kernel-sim/wire/tcp.ts'
import { NO_OPTIONS } from '../../../../src/kernel-sim/wire/tcp-options.ts'
import { BROADCAST, showMac, ZERO_MAC } from '../../../../src/net/mac.ts'
import { A, B } from '../lib.ts'
import { A4, B4, type Kind, over4, over6, tcp, udp } from './kind.ts'

export const ARP: ReadonlyArray<Kind> = [
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

const syn = { ...tcp, flags: FLAG.SYN | FLAG.ECE | FLAG.CWR, ack: 0, payload: new Uint8Array(0) }
const synOptions = { mss: 1460, sackPermitted: true, timestamps: { value: 11, echo: 0 }, windowScale: 7, sack: [] }

export const TRANSPORT: ReadonlyArray<Kind> = [
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
