// What an IP packet carries, by its protocol number. A packet that is whole carries a message; a first fragment, and what an
// ICMP error quotes, may carry the head of one; later fragments, and protocols without a type here, carry bytes.

import { absurd, E, type Either } from '../../prelude.ts'
import { copyOf } from './bytes.ts'
import { type Read, unknown, type WireError } from './error.ts'
import { type Head, lengthOfHead, readHead, writeHead } from './head.ts'
import { ICMP, type Icmp4, lengthOfIcmp4, readIcmp4, writeIcmp4 } from './icmp4.ts'
import { ICMP6, type Icmp6, lengthOfIcmp6, readIcmp6, writeIcmp6 } from './icmp6.ts'
import { IGMP, type Igmp, lengthOfIgmp, readIgmp, writeIgmp } from './igmp.ts'
import type { Nested, Source } from './nested.ts'
import { lengthOfTcp, readTcp, TCP, type Tcp, writeTcp } from './tcp.ts'
import { lengthOfUdp, readUdp, UDP, type Udp, writeUdp } from './udp.ts'

/** `protocol`: the number of IPv4's protocol field, or of IPv6's next header (an extension header we do not know, too). */
export type Raw = Readonly<{ proto: 'raw'; protocol: number; bytes: Uint8Array }>

export type Body4 = Tcp | Udp | Icmp4 | Igmp | Raw | Head<'icmp'>
export type Body6 = Tcp | Udp | Icmp6 | Raw | Head<'icmp6'>
export type Body = Body4 | Body6

const NUMBERS = { tcp: TCP, udp: UDP, icmp: ICMP, icmp6: ICMP6, igmp: IGMP } as const

/** The number that IP knows it by. */
export const protocolOf = (body: Body): number => {
  if (body.proto === 'raw') return body.protocol
  return NUMBERS[body.proto === 'head' ? body.of.proto : body.proto]
}

export const lengthOfBody = (body: Body, nested: Nested): number => {
  switch (body.proto) {
    case 'tcp':
      return lengthOfTcp(body)
    case 'udp':
      return lengthOfUdp(body, nested)
    case 'icmp':
      return lengthOfIcmp4(body, nested)
    case 'icmp6':
      return lengthOfIcmp6(body, nested)
    case 'igmp':
      return lengthOfIgmp(body)
    case 'raw':
      return body.bytes.length
    case 'head':
      return lengthOfHead(body, nested)
    default:
      return absurd(body, 'lengthOfBody')
  }
}

/** `pseudo`: the sum of the packet's addresses. */
export const writeBody = (to: Uint8Array, at: number, end: number, body: Body, pseudo: number, nested: Nested) => {
  switch (body.proto) {
    case 'tcp':
      return writeTcp(to, at, end, body, pseudo)
    case 'udp':
      return writeUdp(to, at, end, body, pseudo, nested)
    case 'icmp':
      return writeIcmp4(to, at, end, body, nested)
    case 'icmp6':
      return writeIcmp6(to, at, end, body, pseudo, nested)
    case 'igmp':
      return writeIgmp(to, at, end, body)
    case 'raw':
      return to.set(body.bytes, at)
    case 'head':
      return writeHead(to, at, end, body, nested)
  }
}

type Part = 'whole' | 'quoted' | 'beginning' | 'later'

/** `isCut`: something of the message is behind the packet's end. */
export const partIn = (isLater: boolean, isCut: boolean, isQuoted: boolean): Part => {
  if (isLater) return 'later'
  if (isCut) return 'beginning'
  return isQuoted ? 'quoted' : 'whole'
}

/** Which body is read: the family's protocol that is named like it, and the part of it that the packet holds. */
type Kind = Readonly<{ protocol: number; pseudo: number; part: Part }>

const rawOf = (protocol: number, bytes: Uint8Array, at: number, end: number): Raw => ({
  proto: 'raw',
  protocol,
  bytes: copyOf(bytes, at, end),
})

/** What a packet carries that holds a part of a message: the first one may be its head. */
export const partOf = <Proto extends 'icmp' | 'icmp6'>(
  proto: Proto,
  protocol: number,
  bytes: Uint8Array,
  at: number,
  end: number,
  isFirst: boolean,
): Head<Proto> | Raw => (isFirst ? readHead(proto, protocol, bytes, at, end) : null) ?? rawOf(protocol, bytes, at, end)

const readWhole4 = (from: Source, at: number, end: number, { protocol, pseudo }: Kind, nested: Nested): Read<Body4> => {
  switch (protocol) {
    case TCP:
      return readTcp(from, at, end, pseudo)
    case UDP:
      return readUdp(from, at, end, pseudo, nested)
    case ICMP:
      return readIcmp4(from, at, end, nested)
    case IGMP:
      return readIgmp(from, at, end)
    default:
      return unknown
  }
}

const readWhole6 = (from: Source, at: number, end: number, { protocol, pseudo }: Kind, nested: Nested): Read<Body6> => {
  switch (protocol) {
    case TCP:
      return readTcp(from, at, end, pseudo)
    case UDP:
      return readUdp(from, at, end, pseudo, nested)
    case ICMP6:
      return readIcmp6(from, at, end, pseudo, nested)
    default:
      return unknown
  }
}

/** In a quote nothing is an error: what is wrong with it is for its sender to know. */
const read = <B, Proto extends 'icmp' | 'icmp6'>(
  whole: () => Read<B>,
  proto: Proto,
  { bytes }: Source,
  at: number,
  end: number,
  { protocol, part }: Kind,
): Either<WireError, B | Head<Proto> | Raw> => {
  if (part === 'beginning' || part === 'later')
    return E.right(partOf(proto, protocol, bytes, at, end, part === 'beginning'))
  const message = whole()
  if (E.isLeft(message)) return part === 'whole' ? message : E.right(partOf(proto, protocol, bytes, at, end, true))
  return E.right(message.right ?? rawOf(protocol, bytes, at, end))
}

export const readBody4 = (
  from: Source,
  at: number,
  end: number,
  kind: Kind,
  nested: Nested,
): Either<WireError, Body4> => read(() => readWhole4(from, at, end, kind, nested), 'icmp', from, at, end, kind)

export const readBody6 = (
  from: Source,
  at: number,
  end: number,
  kind: Kind,
  nested: Nested,
): Either<WireError, Body6> => read(() => readWhole6(from, at, end, kind, nested), 'icmp6', from, at, end, kind)
