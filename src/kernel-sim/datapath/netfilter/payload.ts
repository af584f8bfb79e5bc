// Header fields of a packet by nft's names: from its values where there is one, else from the bytes that it is. What is set in a
// header is set in the bytes, with the checksums that follow from it.
// Sources: net/netfilter/nft_payload.c; the headers: RFC 791, 8200, 9293, 768, 792, 4443; nftables src/proto.c.

import type { Datum } from '../../nft/datatype.ts'
import type { PayloadProtocol } from '../../nft/expression.ts'
import { TRANSPORT } from '../../nft/field.ts'
import { type Body, protocolOf } from '../../wire/body.ts'
import { get16, get32 } from '../../wire/bytes.ts'
import type { Frame } from '../../wire/ethernet.ts'
import { lengthOfHeader4, type Packet4 } from '../../wire/ip4.ts'
import { lengthOfHeader6, type Packet6 } from '../../wire/ip6.ts'
import type { Packet } from '../../wire/nested.ts'
import { encodePacket, lengthOfPacket } from '../../wire/wire.ts'

export const ETHER_TYPES = { ip4: 0x0800, ip6: 0x86dd, arp: 0x0806 } as const
const VLAN = { '802.1Q': 0x8100, '802.1ad': 0x88a8 } as const
const DSCP_SHIFT = 2
const [DF, MF] = [0x4000, 0x2000]
const [HOP_BY_HOP, FRAGMENT] = [0, 44]

const etherField = ({ dst, src, tags, payload }: Frame, field: string): Datum | null => {
  switch (field) {
    case 'saddr':
      return src
    case 'daddr':
      return dst
    case 'type': {
      const [tag] = tags
      if (tag !== undefined) return VLAN[tag.protocol]
      return payload.tag === 'raw' ? payload.etherType : ETHER_TYPES[payload.tag]
    }
    default:
      return null
  }
}

const ETHERNET_HARDWARE = 1

const arpField = ({ payload }: Frame, field: string): Datum | null => {
  if (payload.tag !== 'arp') return null
  switch (field) {
    case 'operation':
      return payload.op === 'request' ? 1 : 2
    case 'htype':
      return ETHERNET_HARDWARE
    case 'ptype':
      return ETHER_TYPES.ip4
    case 'hlen':
      return 6
    case 'plen':
      return 4
    case 'saddr ip':
      return payload.sender
    case 'daddr ip':
      return payload.target
    case 'saddr ether':
      return payload.senderMac
    case 'daddr ether':
      return payload.targetMac
    default:
      return null
  }
}

const ip4Field = (packet: Packet4, field: string): Datum | null => {
  switch (field) {
    case 'saddr':
      return packet.src
    case 'daddr':
      return packet.dst
    case 'protocol':
      return protocolOf(packet.body)
    case 'ttl':
      return packet.ttl
    case 'length':
      return lengthOfPacket(packet)
    case 'id':
      return packet.id
    case 'dscp':
      return packet.tos >>> DSCP_SHIFT
    case 'version':
      return 4
    case 'frag-off':
      return (packet.df ? DF : 0) | (packet.mf ? MF : 0) | (packet.offset / 8)
    default:
      return null
  }
}

const nextHeader = ({ routerAlert, fragment, body }: Packet6): number =>
  routerAlert ? HOP_BY_HOP : fragment === null ? protocolOf(body) : FRAGMENT

const HEADER6 = 40

const ip6Field = (packet: Packet6, field: string): Datum | null => {
  switch (field) {
    case 'saddr':
      return packet.src
    case 'daddr':
      return packet.dst
    case 'nexthdr':
      return nextHeader(packet)
    case 'hoplimit':
      return packet.ttl
    case 'length':
      return lengthOfPacket(packet) - HEADER6
    case 'dscp':
      return packet.tos >>> DSCP_SHIFT
    case 'version':
      return 6
    case 'flowlabel':
      return packet.flow
    default:
      return null
  }
}

/** Where a field is in its header, in bytes. */
type Spot = readonly [at: number, bytes: 1 | 2 | 4]
const PORTS: Readonly<Record<string, Spot>> = { sport: [0, 2], dport: [2, 2] }
const ICMP: Readonly<Record<string, Spot>> = { type: [0, 1], code: [1, 1], checksum: [2, 2] }
export const SPOTS: Readonly<Partial<Record<PayloadProtocol, Readonly<Record<string, Spot>>>>> = {
  tcp: { ...PORTS, sequence: [4, 4], ackseq: [8, 4], flags: [13, 1], window: [14, 2] },
  udp: { ...PORTS, length: [4, 2] },
  udplite: PORTS,
  sctp: PORTS,
  dccp: PORTS,
  th: PORTS,
  icmp: ICMP,
  icmpv6: ICMP,
}

let lastPacket: Packet | null = null
let lastBytes = new Uint8Array(0)

/** The bytes behind the headers of IP. Who asks of a packet asks again. */
const transportOf = (packet: Packet): Uint8Array => {
  if (packet !== lastPacket) {
    const header = packet.tag === 'ip4' ? lengthOfHeader4(packet) : lengthOfHeader6(packet)
    lastBytes = encodePacket(packet).slice(header)
    lastPacket = packet
  }
  return lastBytes
}

const readAt = (bytes: Uint8Array, [at, width]: Spot): number | null => {
  if (at + width > bytes.length) return null
  return width === 1 ? (bytes[at] ?? 0) : width === 2 ? get16(bytes, at) : get32(bytes, at)
}

/** The field, if the message's value has it as it is. */
const ofValue = (body: Body, field: string): number | null => {
  if (body.proto !== 'tcp' && body.proto !== 'udp') return null
  if (field === 'dport') return body.dport
  if (field === 'sport') return body.sport
  return field === 'flags' && body.proto === 'tcp' ? body.flags & 0xff : null
}

/** Only the first of several fragments has the header. */
export const isLaterFragment = (packet: Packet): boolean =>
  packet.tag === 'ip4' ? packet.offset > 0 : packet.fragment !== null && packet.fragment.offset > 0

const transportField = (packet: Packet, protocol: PayloadProtocol, field: string): Datum | null => {
  const { body } = packet
  if (isLaterFragment(packet) || (protocol !== 'th' && protocolOf(body) !== TRANSPORT[protocol])) return null
  const known = ofValue(body, field)
  const spot = SPOTS[protocol]?.[field]
  return known ?? (spot === undefined ? null : readAt(transportOf(packet), spot))
}

/** Null: there is no such header, or the packet ends before it does. */
export const payloadField = (
  packet: Packet | null,
  frame: Frame | null,
  protocol: PayloadProtocol,
  field: string,
): Datum | null => {
  switch (protocol) {
    case 'ip':
      return packet?.tag === 'ip4' ? ip4Field(packet, field) : null
    case 'ip6':
      return packet?.tag === 'ip6' ? ip6Field(packet, field) : null
    case 'ether':
      return frame === null ? null : etherField(frame, field)
    case 'vlan':
      return frame?.tags[0]?.vid ?? null
    case 'arp':
      return frame === null ? null : arpField(frame, field)
    default:
      return packet === null ? null : transportField(packet, protocol, field)
  }
}
