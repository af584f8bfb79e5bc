// Frames and packets as values: what is on the wire, as far as forwarding decisions look at it. Nobody changes one;
// a translation or a hop makes another. Checksums and payloads are not modelled; `length.ts` says how long a packet would be.
// Sources: RFC 826 (ARP), 791, 792, 768, 9293, 8200, 4443, 4861.

import { type Family, familyOf, type Ip, type Ip4, type Ip6, isIp4 } from '../net/ip.ts'
import type { Mac } from '../net/mac.ts'
/** One direction of a conversation, as conntrack sees it; an echo's `id` serves as both ports. */
export type Tuple = Readonly<{ proto: 'icmp' | 'tcp' | 'udp'; src: Ip; dst: Ip; sport: number; dport: number }>

/** The initial TTL or hop limit of everything Linux sends (net.ipv4.ip_default_ttl). */
export const DEFAULT_TTL = 64

export type Arp = Readonly<{ tag: 'arp'; op: 'request' | 'reply'; sender: Ip4; senderMac: Mac; target: Ip4 }>

/** Neighbour discovery: `mac` is the source (or target) link-layer address option. */
export type Discovery = Readonly<{ tag: 'nd'; op: 'solicit' | 'advertise'; src: Ip6; dst: Ip6; target: Ip6; mac: Mac }>

/** Destination unreachable; `net` is ICMPv6's "no route", `host` its "address unreachable". */
export type UnreachableCode = 'net' | 'host' | 'port' | 'fragmentation-needed'

export type Body = Readonly<
  | { proto: 'icmp'; type: 'echo-request' | 'echo-reply'; id: number }
  | { proto: 'icmp'; type: 'unreachable'; code: UnreachableCode; about: Packet }
  | { proto: 'icmp'; type: 'time-exceeded'; about: Packet }
  | { proto: 'udp'; sport: number; dport: number }
  | { proto: 'tcp'; sport: number; dport: number; flags: 'SYN' | 'SYN-ACK' | 'ACK' | 'RST' }
>

/** An IPv4 or IPv6 packet (the type of its addresses tells which); `icmp` stands for ICMPv6 too. */
export type Packet = Readonly<{ tag: 'ip'; src: Ip; dst: Ip; ttl: number; body: Body }>

export type Payload = Arp | Discovery | Packet
export type Frame = Readonly<{ src: Mac; dst: Mac; payload: Payload }>

export const packet = (src: Ip, dst: Ip, body: Body): Packet => ({ tag: 'ip', src, dst, ttl: DEFAULT_TTL, body })

export const packetFamily = (p: Packet): Family => familyOf(p.src)

/** An ICMP error quotes the packet it is about, and is never answered by another error (RFC 1122 section 3.2.2). */
export const quotedBy = (p: Packet): Packet | null => ('about' in p.body ? p.body.about : null)

/** What conntrack knows a packet by. An echo's `id` is both ports, so a reply is the mirror of its request. */
export const tupleOf = ({ src, dst, body }: Packet): Tuple | null => {
  switch (body.proto) {
    case 'tcp':
    case 'udp':
      return { proto: body.proto, src, dst, sport: body.sport, dport: body.dport }
    case 'icmp':
      return 'id' in body ? { proto: 'icmp', src, dst, sport: body.id, dport: body.id } : null
  }
}

export const mirror = (t: Tuple): Tuple => ({ proto: t.proto, src: t.dst, dst: t.src, sport: t.dport, dport: t.sport })

/** The packet from another source. `port` is ignored by what has none; an echo's id follows it. */
export const withSource = (p: Packet, src: Ip, port: number): Packet => {
  const { body } = p
  if (body.proto !== 'icmp') return { ...p, src, body: { ...body, sport: port } }
  return 'id' in body ? { ...p, src, body: { ...body, id: port } } : { ...p, src }
}

/** The packet to another destination; as `withSource`. */
export const withDestination = (p: Packet, dst: Ip, port: number): Packet => {
  const { body } = p
  if (body.proto !== 'icmp') return { ...p, dst, body: { ...body, dport: port } }
  return 'id' in body ? { ...p, dst, body: { ...body, id: port } } : { ...p, dst }
}

/** An error that quotes another packet than before. */
export const withQuoted = (p: Packet, about: Packet): Packet =>
  'about' in p.body ? { ...p, body: { ...p.body, about } } : p

/** An ICMP type's name in an nft set is the protocol's: `icmp` or `ipv6-icmp`. */
export const protocolName = (p: Packet): string =>
  p.body.proto === 'icmp' && !isIp4(p.src) ? 'ipv6-icmp' : p.body.proto
