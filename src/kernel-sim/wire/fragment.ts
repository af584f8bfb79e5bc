// Packets in pieces. IPv4 is cut by any host on its way, unless it says "don't fragment"; IPv6 by its source only. The first
// piece carries the head of the message, the others its bytes; each but the last is as long as the MTU allows.
// Sources: RFC 791 section 3.2, RFC 8200 section 4.5; net/ipv4/ip_output.c, net/ipv6/ip6_output.c.

import { E, type Either } from '../../prelude.ts'
import { partOf, protocolOf } from './body.ts'
import { lengthOfHeader4, type Packet4 } from './ip4.ts'
import { lengthOfHeader6, lengthOfUnfragmentable6, type Packet6 } from './ip6.ts'
import type { Packet } from './nested.ts'
import { encodePacket, lengthOfPacket } from './wire.ts'

/** `too-small`: not even eight bytes of data fit behind the headers. `is-fragment`: of IPv6, which is cut but once. */
export type FragmentError = Readonly<
  { tag: 'dont-fragment'; length: number; mtu: number } | { tag: 'too-small'; mtu: number } | { tag: 'is-fragment' }
>

/** Header of an IPv6 fragment. */
const FRAGMENT_HEADER = 8

type Piece = Readonly<{ at: number; end: number; isLast: boolean }>

/** Pieces of `length` bytes, each of as many as fit into `room`, a multiple of eight but for the last. */
const piecesOf = (length: number, room: number): ReadonlyArray<Piece> => {
  const size = room - (room % 8)
  return Array.from({ length: Math.ceil(length / size) }, (_, i) => {
    const at = i * size
    return { at, end: Math.min(at + size, length), isLast: at + size >= length }
  })
}

/** What is behind the headers, as bytes. */
export const messageOf = (packet: Packet): Uint8Array =>
  packet.body.proto === 'raw'
    ? packet.body.bytes
    : encodePacket(packet).subarray(packet.tag === 'ip4' ? lengthOfHeader4(packet) : lengthOfHeader6(packet))

const fragment4 = (packet: Packet4, mtu: number): Either<FragmentError, ReadonlyArray<Packet4>> => {
  const length = lengthOfPacket(packet)
  if (length <= mtu) return E.right([packet])
  if (packet.df) return E.left({ tag: 'dont-fragment', length, mtu })
  const room = mtu - lengthOfHeader4(packet)
  if (room < 8) return E.left({ tag: 'too-small', mtu })
  const [message, protocol] = [messageOf(packet), protocolOf(packet.body)]
  return E.right(
    piecesOf(message.length, room).map((piece) => {
      const offset = packet.offset + piece.at
      const body = partOf('icmp', protocol, message, piece.at, piece.end, offset === 0)
      return { ...packet, offset, mf: packet.mf || !piece.isLast, body }
    }),
  )
}

const fragment6 = (packet: Packet6, mtu: number, id: number): Either<FragmentError, ReadonlyArray<Packet6>> => {
  if (lengthOfPacket(packet) <= mtu) return E.right([packet])
  if (packet.fragment !== null) return E.left({ tag: 'is-fragment' })
  const room = mtu - lengthOfUnfragmentable6(packet) - FRAGMENT_HEADER
  if (room < 8) return E.left({ tag: 'too-small', mtu })
  const [message, protocol] = [messageOf(packet), protocolOf(packet.body)]
  return E.right(
    piecesOf(message.length, room).map((piece) => {
      const body = partOf('icmp6', protocol, message, piece.at, piece.end, piece.at === 0)
      return { ...packet, fragment: { id, offset: piece.at, mf: !piece.isLast }, body }
    }),
  )
}

/** Packets of at most `mtu` bytes; the packet itself if it is no longer. `id6`: what its source gives an IPv6 packet. */
export const fragment = (packet: Packet, mtu: number, id6: number): Either<FragmentError, ReadonlyArray<Packet>> =>
  packet.tag === 'ip4' ? fragment4(packet, mtu) : fragment6(packet, mtu, id6)
