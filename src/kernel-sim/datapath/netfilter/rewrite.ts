// A packet with another end: address, port or id. What is whole gets its checksum when it becomes bytes; of what is there in part
// the checksum is that of the whole, so it is adjusted by what has changed.
// Sources: RFC 1624; net/netfilter/nf_nat_proto.c (nf_nat_manip_pkt), net/core/utils.c (inet_proto_csum_replace*).

import { type Ip, isIp4 } from '../../../net/ip.ts'
import type { Body } from '../../wire/body.ts'
import { copyOf, get16, put16 } from '../../wire/bytes.ts'
import type { AnyHead } from '../../wire/head.ts'
import { ICMP } from '../../wire/icmp4.ts'
import { ICMP6 } from '../../wire/icmp6.ts'
import type { Packet } from '../../wire/nested.ts'
import { TCP } from '../../wire/tcp.ts'
import { UDP } from '../../wire/udp.ts'
import { isIcmp, tupleOf } from './tuple.ts'

export type Part = 'source' | 'destination'

/** The 16-bit words of an address, added up. */
const sumOfIp = (ip: Ip): number => {
  if (isIp4(ip)) return (ip >>> 16) + (ip & 0xffff)
  let sum = 0
  for (let rest: bigint = ip; rest > 0n; rest >>= 16n) sum += Number(rest & 0xffffn)
  return sum
}

/** The checksum of what has words that add up to `after` where they added up to `before`. */
export const adjusted = (checksum: number, before: number, after: number): number => {
  let sum = 0xffff - checksum + after - before
  // A difference below zero is borrowed from the ring of 0xffff.
  while (sum < 0) sum += 0xffff
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000)
  return 0xffff - sum
}

type Change = Readonly<{ part: Part; port: number; before: number; after: number }>

const portOf = (of: AnyHead['of'], part: Part): number => {
  if ('id' in of) return of.id
  return part === 'source' ? of.sport : of.dport
}

const withPort = (of: AnyHead['of'], part: Part, port: number): AnyHead['of'] => {
  if ('id' in of) return { ...of, id: port }
  return part === 'source' ? { ...of, sport: port } : { ...of, dport: port }
}

const checksumOf = ({ of, checksum }: AnyHead, { part, port, before, after }: Change): number => {
  // A datagram that has none keeps it so; ICMP for IPv4 does not include the addresses.
  if (of.proto === 'udp' && checksum === 0) return 0
  const isAlone = of.proto === 'icmp'
  const was = portOf(of, part) + (isAlone ? 0 : before)
  const now = port + (isAlone ? 0 : after)
  const sum = adjusted(checksum, was, now)
  return of.proto === 'udp' && sum === 0 ? 0xffff : sum
}

const headWith = (head: AnyHead, change: Change): AnyHead => ({
  proto: 'head',
  of: withPort(head.of, change.part, change.port),
  length: head.length,
  checksum: checksumOf(head, change),
})

/** Where the checksum is, and how long the header that has it. */
const CHECKSUMS: Readonly<Record<number, readonly [at: number, header: number]>> = {
  [TCP]: [16, 20],
  [UDP]: [6, 8],
  [ICMP]: [2, 4],
  [ICMP6]: [2, 4],
}

/** Of what has no value: a header that is not all there, or one that we have no type for. */
const bytesWith = (protocol: number, bytes: Uint8Array, { part, port, before, after }: Change): Uint8Array => {
  const [at, header] = CHECKSUMS[protocol] ?? [0, 0]
  if (header === 0 || bytes.length < 8) return bytes
  const place = isIcmp(protocol) ? 4 : part === 'source' ? 0 : 2
  const copy = copyOf(bytes, 0, bytes.length)
  put16(copy, place, port)
  const checksum = bytes.length < header ? 0 : get16(bytes, at)
  if (bytes.length < header || (protocol === UDP && checksum === 0)) return copy
  const addresses = protocol === ICMP ? 0 : after - before
  put16(copy, at, adjusted(checksum, get16(bytes, place), port + addresses))
  return copy
}

const moved = (body: Body, change: Change): Body | AnyHead => {
  switch (body.proto) {
    case 'tcp':
    case 'udp':
      return withPort(body, change.part, change.port)
    case 'icmp':
    case 'icmp6':
      return 'id' in body ? withPort(body, change.part, change.port) : body
    case 'head':
      return headWith(body, change)
    case 'raw':
      return { ...body, bytes: bytesWith(body.protocol, body.bytes, change) }
    case 'igmp':
      return body
  }
}

// A cast: a body stays what it is, so it stays one of its family.
const bodyWith = <B extends Body>(body: B, change: Change): B => moved(body, change) as B

/** With another end, of the packet's family. `port`: an echo's id; nothing where there are no ports. */
export const withEnd = (packet: Packet, part: Part, ip: Ip, port: number): Packet => {
  const was = part === 'source' ? packet.src : packet.dst
  const change: Change = { part, port, before: sumOfIp(was), after: sumOfIp(ip) }
  if (packet.tag === 'ip4') {
    if (!isIp4(ip)) return packet
    const body = bodyWith(packet.body, change)
    return part === 'source' ? { ...packet, src: ip, body } : { ...packet, dst: ip, body }
  }
  if (isIp4(ip)) return packet
  const body = bodyWith(packet.body, change)
  return part === 'source' ? { ...packet, src: ip, body } : { ...packet, dst: ip, body }
}

/** As `withEnd`, and the same packet where that is its end already. */
export const movedTo = (packet: Packet, part: Part, ip: Ip, port: number): Packet => {
  const tuple = tupleOf(packet, 0)
  const isThere =
    part === 'source'
      ? packet.src === ip && (tuple === null || tuple.sport === port)
      : packet.dst === ip && (tuple === null || (isIcmp(tuple.proto) ? tuple.sport : tuple.dport) === port)
  return isThere ? packet : withEnd(packet, part, ip, port)
}

/** An error that quotes another packet than before. */
export const withQuoted = (packet: Packet, about: Packet): Packet => {
  const { body } = packet
  if (packet.tag === 'ip4' && body.proto === 'icmp' && 'about' in body && about.tag === 'ip4')
    return { ...packet, body: { ...body, about } }
  if (packet.tag === 'ip6' && body.proto === 'icmp6' && 'about' in body && about.tag === 'ip6')
    return { ...packet, body: { ...body, about } }
  return packet
}

/** The packet that an error of ICMP is about. Redirects of IPv6 are no errors. */
export const quotedBy = ({ body }: Packet): Packet | null => ('about' in body ? body.about : null)
