// The Internet Protocol, version 6 (RFC 8200). Of extension headers the fragment header is known, and hop-by-hop options that
// are a router alert and nothing else (RFC 2711, which MLD reports carry); others begin a body of bytes.

import type { Ip6 } from '../../net/ip.ts'
import { E } from '../../prelude.ts'
import { type Body6, lengthOfBody, partIn, protocolOf, readBody6, writeBody } from './body.ts'
import { get8, get16, get24, get32, getIp6, put8, put16, put32, putIp6 } from './bytes.ts'
import { sumOf } from './checksum.ts'
import { type Read, wrong } from './error.ts'
import type { Found, Nested, Source } from './nested.ts'

/** `offset` in bytes, a multiple of 8; `mf`: more follow. */
export type Fragment6 = Readonly<{ id: number; offset: number; mf: boolean }>

/** Named as an IPv4 packet where it means the same: `tos` is the traffic class, `ttl` the hop limit. `flow`: 20 bits. */
export type Packet6 = Readonly<{
  tag: 'ip6'
  src: Ip6
  dst: Ip6
  ttl: number
  tos: number
  flow: number
  routerAlert: boolean
  fragment: Fragment6 | null
  body: Body6
}>

/** A packet as a host sends it with everything at its default. */
export const packet6 = (src: Ip6, dst: Ip6, body: Body6): Packet6 => ({
  tag: 'ip6',
  src,
  dst,
  ttl: 64,
  tos: 0,
  flow: 0,
  routerAlert: false,
  fragment: null,
  body,
})

const HEADER = 40
const EXTENSION = 8
const HOP_BY_HOP = 0
const FRAGMENT = 44
/** A router alert for MLD, and two bytes of fill. */
const [ALERT_HIGH, ALERT_LOW] = [0x0502, 0x00000100]

/** The headers that every fragment has. */
export const lengthOfUnfragmentable6 = (packet: Packet6): number => (packet.routerAlert ? HEADER + EXTENSION : HEADER)

export const lengthOfHeader6 = (packet: Packet6): number =>
  lengthOfUnfragmentable6(packet) + (packet.fragment === null ? 0 : EXTENSION)

export const lengthOfPacket6 = (packet: Packet6, nested: Nested): number =>
  lengthOfHeader6(packet) + lengthOfBody(packet.body, nested)

/** `missing`: bytes of the packet that are not there; its length includes them. At most 65535 behind its first header. */
export const writePacket6 = (
  to: Uint8Array,
  start: number,
  end: number,
  packet: Packet6,
  missing: number,
  nested: Nested,
): void => {
  const { fragment } = packet
  const protocol = protocolOf(packet.body)
  const behindAlert = fragment === null ? protocol : FRAGMENT
  let at = start + HEADER
  put32(to, start, 0x60000000 + packet.tos * 2 ** 20 + packet.flow)
  put16(to, start + 4, end - at + missing)
  put8(to, start + 6, packet.routerAlert ? HOP_BY_HOP : behindAlert)
  put8(to, start + 7, packet.ttl)
  putIp6(to, start + 8, packet.src)
  putIp6(to, start + 24, packet.dst)
  if (packet.routerAlert) {
    put8(to, at, behindAlert)
    put16(to, at + 2, ALERT_HIGH)
    put32(to, at + 4, ALERT_LOW)
    at += EXTENSION
  }
  if (fragment !== null) {
    put8(to, at, protocol)
    put16(to, at + 2, fragment.offset | (fragment.mf ? 1 : 0))
    put32(to, at + 4, fragment.id)
    at += EXTENSION
  }
  writeBody(to, at, end, packet.body, sumOf(to, start + 8, start + HEADER), nested)
}

type Extensions = Readonly<{ routerAlert: boolean; fragment: Fragment6 | null; protocol: number; at: number }>

/** The extension headers that we know, as far as they follow each other. */
const readExtensions = (bytes: Uint8Array, start: number, end: number, first: number): Extensions => {
  let [at, protocol] = [start, first]
  const isAlert = (): boolean =>
    get8(bytes, at + 1) === 0 && get16(bytes, at + 2) === ALERT_HIGH && get32(bytes, at + 4) === ALERT_LOW
  const routerAlert = protocol === HOP_BY_HOP && end - at >= EXTENSION && isAlert()
  if (routerAlert) {
    protocol = get8(bytes, at)
    at += EXTENSION
  }
  const place = get16(bytes, at + 2)
  const isFragment = protocol === FRAGMENT && end - at >= EXTENSION && get8(bytes, at + 1) === 0 && (place & 6) === 0
  if (!isFragment) return { routerAlert, fragment: null, protocol, at }
  const fragment: Fragment6 = { id: get32(bytes, at + 4), offset: place & 0xfff8, mf: (place & 1) !== 0 }
  return { routerAlert, fragment, protocol: get8(bytes, at), at: at + EXTENSION }
}

/** A quoted packet may end before its length says, and its message may be anything. */
export const readPacket6 = (
  from: Source,
  at: number,
  limit: number,
  isQuoted: boolean,
  nested: Nested,
): Read<Found<Packet6>> => {
  const { bytes } = from
  if (limit - at < HEADER) return wrong('ip6', 'truncated', at)
  if (get8(bytes, at) >>> 4 !== 6) return wrong('ip6', 'version', at)
  const length = HEADER + get16(bytes, at + 4)
  const missing = Math.max(0, at + length - limit)
  if (missing > 0 && !isQuoted) return wrong('ip6', 'length', at)
  const end = at + length - missing
  const extensions = readExtensions(bytes, at + HEADER, end, get8(bytes, at + 6))
  const { fragment, protocol } = extensions
  const isLater = fragment !== null && fragment.offset > 0
  const kind = {
    protocol,
    pseudo: sumOf(bytes, at + 8, at + HEADER),
    part: partIn(isLater, missing > 0 || fragment?.mf === true, isQuoted),
  }
  const body = readBody6(from, extensions.at, end, kind, nested)
  if (E.isLeft(body)) return body
  const packet: Packet6 = {
    tag: 'ip6',
    src: getIp6(bytes, at + 8),
    dst: getIp6(bytes, at + 24),
    ttl: get8(bytes, at + 7),
    tos: (get16(bytes, at) >>> 4) & 0xff,
    flow: get24(bytes, at + 1) & 0xfffff,
    routerAlert: extensions.routerAlert,
    fragment,
    body: body.right,
  }
  return E.right({ packet, end, missing })
}
