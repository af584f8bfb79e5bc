// The Internet Protocol, version 4 (RFC 791; RFC 2474 and RFC 3168 for its type of service). Of options the router alert is
// known (RFC 2113, which IGMP reports carry); a packet with others stays bytes.

import type { Ip4 } from '../../net/ip.ts'
import { E } from '../../prelude.ts'
import { type Body4, lengthOfBody, partIn, protocolOf, readBody4, writeBody } from './body.ts'
import { get8, get16, get32, getIp4, put8, put16, put32 } from './bytes.ts'
import { checksum, sumOf, verdictOf } from './checksum.ts'
import { type Read, unknown, wrong } from './error.ts'
import type { Found, Nested, Source } from './nested.ts'

/** `tos`: DSCP and, in its low two bits, ECN. `offset`: of a fragment, in bytes, a multiple of 8; `mf`: more follow. */
export type Packet4 = Readonly<{
  tag: 'ip4'
  src: Ip4
  dst: Ip4
  ttl: number
  tos: number
  id: number
  df: boolean
  mf: boolean
  offset: number
  routerAlert: boolean
  body: Body4
}>

/** A packet as a host sends it with everything at its default; `df` as for TCP, which finds out the path's MTU. */
export const packet4 = (src: Ip4, dst: Ip4, body: Body4): Packet4 => ({
  tag: 'ip4',
  src,
  dst,
  ttl: 64,
  tos: 0,
  id: 0,
  df: true,
  mf: false,
  offset: 0,
  routerAlert: false,
  body,
})

const HEADER = 20
const ALERT = 0x94040000
const DF = 0x4000
const MF = 0x2000
const RESERVED = 0x8000
const MAX_OFFSET = 0x1fff

export const lengthOfHeader4 = (packet: Packet4): number => (packet.routerAlert ? HEADER + 4 : HEADER)

export const lengthOfPacket4 = (packet: Packet4, nested: Nested): number =>
  lengthOfHeader4(packet) + lengthOfBody(packet.body, nested)

/** `missing`: bytes of the packet that are not there; its length includes them. At most 65535 with them. */
export const writePacket4 = (
  to: Uint8Array,
  at: number,
  end: number,
  packet: Packet4,
  missing: number,
  nested: Nested,
): void => {
  const header = lengthOfHeader4(packet)
  put8(to, at, 0x40 | (header / 4))
  put8(to, at + 1, packet.tos)
  put16(to, at + 2, end - at + missing)
  put16(to, at + 4, packet.id)
  put16(to, at + 6, (packet.df ? DF : 0) | (packet.mf ? MF : 0) | (packet.offset / 8))
  put8(to, at + 8, packet.ttl)
  put8(to, at + 9, protocolOf(packet.body))
  put32(to, at + 12, packet.src)
  put32(to, at + 16, packet.dst)
  if (packet.routerAlert) put32(to, at + HEADER, ALERT)
  put16(to, at + 10, checksum(to, at, at + header))
  writeBody(to, at + header, end, packet.body, sumOf(to, at + 12, at + HEADER), nested)
}

/** A quoted packet may end before its length says, and its message may be anything. */
export const readPacket4 = (
  from: Source,
  at: number,
  limit: number,
  isQuoted: boolean,
  nested: Nested,
): Read<Found<Packet4>> => {
  const { bytes } = from
  if (limit - at < HEADER) return wrong('ip4', 'truncated', at)
  if (get8(bytes, at) >>> 4 !== 4) return wrong('ip4', 'version', at)
  const header = (get8(bytes, at) & 0xf) * 4
  if (header < HEADER) return wrong('ip4', 'length', at)
  if (limit - at < header) return wrong('ip4', 'truncated', at)
  const length = get16(bytes, at + 2)
  const missing = Math.max(0, at + length - limit)
  if (length < header || (missing > 0 && !isQuoted)) return wrong('ip4', 'length', at)
  const found = verdictOf(bytes, at, at + header, at + 10)
  if (found === 'wrong') return wrong('ip4', 'checksum', at)
  const place = get16(bytes, at + 6)
  const routerAlert = header === HEADER + 4 && get32(bytes, at + HEADER) === ALERT
  if (found !== 'right' || (place & RESERVED) !== 0 || (header > HEADER && !routerAlert)) return unknown
  const [offset, mf] = [(place & MAX_OFFSET) * 8, (place & MF) !== 0]
  const kind = {
    protocol: get8(bytes, at + 9),
    pseudo: sumOf(bytes, at + 12, at + HEADER),
    part: partIn(offset > 0, mf || missing > 0, isQuoted),
  }
  const end = at + length - missing
  const body = readBody4(from, at + header, end, kind, nested)
  if (E.isLeft(body)) return body
  const packet: Packet4 = {
    tag: 'ip4',
    src: getIp4(bytes, at + 12),
    dst: getIp4(bytes, at + 16),
    ttl: get8(bytes, at + 8),
    tos: get8(bytes, at + 1),
    id: get16(bytes, at + 4),
    df: (place & DF) !== 0,
    mf,
    offset,
    routerAlert,
    body: body.right,
  }
  return E.right({ packet, end, missing })
}
