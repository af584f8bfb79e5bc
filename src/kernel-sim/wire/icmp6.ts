// ICMPv6: echo, errors (RFC 4443), and by their files neighbour discovery and multicast listener reports. All share the
// checksum over the pseudo header.

import { E } from '../../prelude.ts'
import { get8, get32, put8, put16, put32 } from './bytes.ts'
import { checksum, verdictOf } from './checksum.ts'
import { type Echo, lengthOfEcho, parseEcho, writeEcho } from './echo.ts'
import { type Read, unknown, wrong } from './error.ts'
import { type CodeOf, ICMP_HEADER, putHead } from './icmp-head.ts'
import type { Packet6 } from './ip6.ts'
import { lengthOfMld, type Mld, readMld, writeMld } from './mld.ts'
import { type Discovery, lengthOfDiscovery, readDiscovery, writeDiscovery } from './nd.ts'
import type { Nested, Quote, Source } from './nested.ts'

/** In the order of their numbers. */
export const UNREACHABLE6 = [
  'no-route',
  'admin-prohibited',
  'beyond-scope',
  'address',
  'port',
  'policy',
  'reject-route',
] as const
/** Transit: the hop limit has run out; reassembly: fragments have not come in time. */
export const EXCEEDED6 = ['transit', 'reassembly'] as const
export const PROBLEM6 = ['header', 'next-header', 'option', 'header-chain'] as const

/** `pointer`: the byte that is wrong. */
export type Error6 = Quote<Packet6> &
  Readonly<
    { proto: 'icmp6' } & (
      | { type: 'unreachable'; code: CodeOf<typeof UNREACHABLE6> }
      | { type: 'packet-too-big'; mtu: number }
      | { type: 'time-exceeded'; code: CodeOf<typeof EXCEEDED6> }
      | { type: 'parameter-problem'; code: CodeOf<typeof PROBLEM6>; pointer: number }
    )
  >
export type Icmp6 = Echo<'icmp6'> | Error6 | Discovery | Mld

export const ICMP6 = 58

export const lengthOfIcmp6 = (m: Icmp6, nested: Nested): number => {
  if ('about' in m) return ICMP_HEADER + nested.lengthOfPacket(m.about)
  if ('payload' in m) return lengthOfEcho(m)
  return m.type === 'mld2-report' ? lengthOfMld(m) : lengthOfDiscovery(m, nested)
}

const writeError = (to: Uint8Array, at: number, m: Error6) => {
  switch (m.type) {
    case 'unreachable':
      return putHead(to, at, 1, UNREACHABLE6, m.code)
    case 'packet-too-big':
      put8(to, at, 2)
      return put32(to, at + 4, m.mtu)
    case 'time-exceeded':
      return putHead(to, at, 3, EXCEEDED6, m.code)
    case 'parameter-problem':
      putHead(to, at, 4, PROBLEM6, m.code)
      return put32(to, at + 4, m.pointer)
  }
}

/** `pseudo`: the sum of the packet's addresses. */
export const writeIcmp6 = (to: Uint8Array, at: number, end: number, m: Icmp6, pseudo: number, nested: Nested): void => {
  if ('about' in m) {
    writeError(to, at, m)
    nested.writePacket(to, at + ICMP_HEADER, end, m.about, m.missing)
  } else if ('payload' in m) writeEcho(to, at, m)
  else if (m.type === 'mld2-report') writeMld(to, at, m)
  else writeDiscovery(to, at, m, nested)
  put16(to, at + 2, checksum(to, at, end, pseudo + ICMP6 + end - at))
}

/** As ICMP's: null for what could not be written again. */
const parseError = (bytes: Uint8Array, at: number, quote: Quote<Packet6>): Error6 | null => {
  const number = get8(bytes, at + 1)
  const rest = get32(bytes, at + 4)
  switch (get8(bytes, at)) {
    case 1: {
      const code = UNREACHABLE6[number]
      return code === undefined || rest !== 0 ? null : { proto: 'icmp6', type: 'unreachable', code, ...quote }
    }
    case 2:
      return number !== 0 ? null : { proto: 'icmp6', type: 'packet-too-big', mtu: rest, ...quote }
    case 3: {
      const code = EXCEEDED6[number]
      return code === undefined || rest !== 0 ? null : { proto: 'icmp6', type: 'time-exceeded', code, ...quote }
    }
    case 4: {
      const code = PROBLEM6[number]
      return code === undefined ? null : { proto: 'icmp6', type: 'parameter-problem', code, pointer: rest, ...quote }
    }
    default:
      return null
  }
}

const readError = (from: Source, at: number, end: number, nested: Nested): Read<Icmp6> => {
  const quote = nested.readQuote6(from, at + ICMP_HEADER, end)
  if (quote === null || quote.end !== end) return unknown
  return E.right(parseError(from.bytes, at, { about: quote.about, missing: quote.missing }))
}

/** `pseudo`: the sum of the packet's addresses. */
export const readIcmp6 = (from: Source, at: number, end: number, pseudo: number, nested: Nested): Read<Icmp6> => {
  const { bytes } = from
  if (end - at < ICMP_HEADER) return wrong('icmp6', 'truncated', at)
  const found = verdictOf(bytes, at, end, at + 2, pseudo + ICMP6 + end - at)
  if (found === 'wrong') return wrong('icmp6', 'checksum', at)
  if (found !== 'right') return unknown
  const type = get8(bytes, at)
  if (type >= 1 && type <= 4) return readError(from, at, end, nested)
  if (type >= 133 && type <= 137) return readDiscovery(from, at, end, nested)
  if (type === 143) return readMld(from, at, end)
  return E.right(parseEcho('icmp6', bytes, at, end))
}
