// What rules set in headers. A packet with another field has the checksums that it would have had from the beginning, as with
// translation. The fields that no value of ours could have otherwise (lengths, versions, types) are refused by the language
// (nft/field.ts, isSettable).
// Source: net/netfilter/nft_payload.c (nft_payload_set_eval).

import { ip4, ip6 } from '../../../net/ip.ts'
import { mac } from '../../../net/mac.ts'
import type { Datum } from '../../nft/datatype.ts'
import type { PayloadProtocol } from '../../nft/expression.ts'
import type { Frame } from '../../wire/ethernet.ts'
import type { Packet4 } from '../../wire/ip4.ts'
import type { Packet6 } from '../../wire/ip6.ts'
import type { Packet } from '../../wire/nested.ts'
import type { Tcp } from '../../wire/tcp.ts'
import { type Part, withEnd } from './rewrite.ts'
import { isIcmp, tupleOf } from './tuple.ts'

const ECN = 3
const DSCP_SHIFT = 2
const [DF, MF, OFFSET] = [0x4000, 0x2000, 0x1fff]

const portOf = (packet: Packet, part: Part): number => {
  const tuple = tupleOf(packet, 0)
  if (tuple === null) return 0
  return part === 'source' || isIcmp(tuple.proto) ? tuple.sport : tuple.dport
}

const withAddress = (packet: Packet, part: Part, value: Datum): Packet => {
  const ip = typeof value === 'bigint' ? ip6(value) : ip4(Number(value))
  return withEnd(packet, part, ip, portOf(packet, part))
}

const withPort = (packet: Packet, part: Part, port: number): Packet =>
  withEnd(packet, part, part === 'source' ? packet.src : packet.dst, port)

const withHeader4 = (packet: Packet4, field: string, value: number): Packet4 => {
  switch (field) {
    case 'ttl':
      return { ...packet, ttl: value }
    case 'dscp':
      return { ...packet, tos: (value << DSCP_SHIFT) | (packet.tos & ECN) }
    case 'id':
      return { ...packet, id: value }
    case 'frag-off':
      return { ...packet, df: (value & DF) !== 0, mf: (value & MF) !== 0, offset: (value & OFFSET) * 8 }
    default:
      return packet
  }
}

const withHeader6 = (packet: Packet6, field: string, value: number): Packet6 => {
  switch (field) {
    case 'hoplimit':
      return { ...packet, ttl: value }
    case 'dscp':
      return { ...packet, tos: (value << DSCP_SHIFT) | (packet.tos & ECN) }
    case 'flowlabel':
      return { ...packet, flow: value }
    default:
      return packet
  }
}

const withSegment = (tcp: Tcp, field: string, value: number): Tcp => {
  switch (field) {
    case 'sequence':
      return { ...tcp, seq: value }
    case 'ackseq':
      return { ...tcp, ack: value }
    case 'window':
      return { ...tcp, window: value }
    case 'flags':
      return { ...tcp, flags: (tcp.flags & ~0xff) | value }
    default:
      return tcp
  }
}

const withTransport = (packet: Packet, field: string, value: number): Packet => {
  if (field === 'sport') return withPort(packet, 'source', value)
  if (field === 'dport') return withPort(packet, 'destination', value)
  const { body } = packet
  if (body.proto !== 'tcp') return packet
  const next = withSegment(body, field, value)
  return packet.tag === 'ip4' ? { ...packet, body: next } : { ...packet, body: next }
}

/** The packet with another header field; the same one where it has no such header. */
export const withField = (packet: Packet, protocol: PayloadProtocol, field: string, value: Datum): Packet => {
  if (protocol === 'ip' || protocol === 'ip6') {
    if ((packet.tag === 'ip4') !== (protocol === 'ip')) return packet
    if (field === 'saddr' || field === 'daddr')
      return withAddress(packet, field === 'saddr' ? 'source' : 'destination', value)
    return packet.tag === 'ip4' ? withHeader4(packet, field, Number(value)) : withHeader6(packet, field, Number(value))
  }
  return withTransport(packet, field, Number(value))
}

const withArp = (frame: Frame, field: string, value: number): Frame => {
  const { payload } = frame
  if (payload.tag !== 'arp') return frame
  switch (field) {
    case 'saddr ip':
      return { ...frame, payload: { ...payload, sender: ip4(value) } }
    case 'daddr ip':
      return { ...frame, payload: { ...payload, target: ip4(value) } }
    case 'saddr ether':
      return { ...frame, payload: { ...payload, senderMac: mac(value) } }
    case 'daddr ether':
      return { ...frame, payload: { ...payload, targetMac: mac(value) } }
    default:
      return frame
  }
}

/** As `withField`, of what is around a packet, and of messages that are no packets. */
export const withFrameField = (
  frame: Frame,
  protocol: 'ether' | 'vlan' | 'arp',
  field: string,
  value: Datum,
): Frame => {
  if (protocol === 'arp') return withArp(frame, field, Number(value))
  if (protocol === 'vlan') {
    const [tag, ...inner] = frame.tags
    return tag === undefined ? frame : { ...frame, tags: [{ ...tag, vid: Number(value) }, ...inner] }
  }
  if (field === 'saddr') return { ...frame, src: mac(Number(value)) }
  return field === 'daddr' ? { ...frame, dst: mac(Number(value)) } : frame
}
