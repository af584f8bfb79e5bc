// ICMP for IPv4: echo, and the errors that quote the packet they are about. Sources: RFC 792, RFC 1122 section 3.2.2,
// RFC 1191 (next-hop MTU), RFC 1812 section 5.2.7; the extensions of RFC 4884 stay bytes.

import type { Ip4 } from '../../net/ip.ts'
import { E } from '../../prelude.ts'
import { get8, get16, get32, getIp4, put8, put16, put32 } from './bytes.ts'
import { checksum, verdictOf } from './checksum.ts'
import { type Echo, lengthOfEcho, parseEcho, writeEcho } from './echo.ts'
import { type Read, unknown, wrong } from './error.ts'
import { type CodeOf, ICMP_HEADER, putHead } from './icmp-head.ts'
import type { Packet4 } from './ip4.ts'
import type { Nested, Quote, Source } from './nested.ts'

/** In the order of their numbers, 0 to 15; `admin-prohibited` and the like are what nft calls them, too. */
export const UNREACHABLE4 = [
  'net',
  'host',
  'protocol',
  'port',
  'fragmentation-needed',
  'source-route-failed',
  'net-unknown',
  'host-unknown',
  'host-isolated',
  'net-prohibited',
  'host-prohibited',
  'net-tos',
  'host-tos',
  'admin-prohibited',
  'host-precedence',
  'precedence-cutoff',
] as const
/** Transit: the TTL has run out; reassembly: fragments have not come in time. */
export const EXCEEDED4 = ['transit', 'reassembly'] as const
export const REDIRECT4 = ['net', 'host', 'net-tos', 'host-tos'] as const
export const PROBLEM4 = ['pointer', 'missing-option', 'bad-length'] as const

/** `mtu` is the next hop's where fragmentation is needed, and 0 elsewhere. `pointer`: the byte that is wrong. */
export type Error4 = Quote<Packet4> &
  Readonly<
    { proto: 'icmp' } & (
      | { type: 'unreachable'; code: CodeOf<typeof UNREACHABLE4>; mtu: number }
      | { type: 'time-exceeded'; code: CodeOf<typeof EXCEEDED4> }
      | { type: 'redirect'; code: CodeOf<typeof REDIRECT4>; gateway: Ip4 }
      | { type: 'parameter-problem'; code: CodeOf<typeof PROBLEM4>; pointer: number }
    )
  >
export type Icmp4 = Echo<'icmp'> | Error4

export const ICMP = 1

export const lengthOfIcmp4 = (m: Icmp4, nested: Nested): number =>
  'about' in m ? ICMP_HEADER + nested.lengthOfPacket(m.about) : lengthOfEcho(m)

const writeError = (to: Uint8Array, at: number, m: Error4) => {
  switch (m.type) {
    case 'unreachable':
      putHead(to, at, 3, UNREACHABLE4, m.code)
      return put16(to, at + 6, m.mtu)
    case 'time-exceeded':
      return putHead(to, at, 11, EXCEEDED4, m.code)
    case 'redirect':
      putHead(to, at, 5, REDIRECT4, m.code)
      return put32(to, at + 4, m.gateway)
    case 'parameter-problem':
      putHead(to, at, 12, PROBLEM4, m.code)
      return put8(to, at + 4, m.pointer)
  }
}

export const writeIcmp4 = (to: Uint8Array, at: number, end: number, m: Icmp4, nested: Nested): void => {
  if ('about' in m) {
    writeError(to, at, m)
    nested.writePacket(to, at + ICMP_HEADER, end, m.about, m.missing)
  } else writeEcho(to, at, m)
  put16(to, at + 2, checksum(to, at, end))
}

/** The error with this quote; null for other types and codes, and for fields whose bits mean nothing but are set. */
const parseError = (bytes: Uint8Array, at: number, quote: Quote<Packet4>): Error4 | null => {
  const number = get8(bytes, at + 1)
  const rest = get32(bytes, at + 4)
  switch (get8(bytes, at)) {
    case 3: {
      const code = UNREACHABLE4[number]
      return code === undefined || rest > 0xffff
        ? null
        : { proto: 'icmp', type: 'unreachable', code, mtu: get16(bytes, at + 6), ...quote }
    }
    case 11: {
      const code = EXCEEDED4[number]
      return code === undefined || rest !== 0 ? null : { proto: 'icmp', type: 'time-exceeded', code, ...quote }
    }
    case 5: {
      const code = REDIRECT4[number]
      return code === undefined
        ? null
        : { proto: 'icmp', type: 'redirect', code, gateway: getIp4(bytes, at + 4), ...quote }
    }
    case 12: {
      const code = PROBLEM4[number]
      const pointer = get8(bytes, at + 4)
      return code === undefined || rest !== pointer * 2 ** 24
        ? null
        : { proto: 'icmp', type: 'parameter-problem', code, pointer, ...quote }
    }
    default:
      return null
  }
}

const ERRORS: ReadonlySet<number> = new Set([3, 5, 11, 12])

export const readIcmp4 = (from: Source, at: number, end: number, nested: Nested): Read<Icmp4> => {
  const { bytes } = from
  if (end - at < ICMP_HEADER) return wrong('icmp', 'truncated', at)
  const found = verdictOf(bytes, at, end, at + 2)
  if (found === 'wrong') return wrong('icmp', 'checksum', at)
  if (found !== 'right') return unknown
  if (!ERRORS.has(get8(bytes, at))) return E.right(parseEcho('icmp', bytes, at, end))
  const quote = nested.readQuote4(from, at + ICMP_HEADER, end)
  if (quote === null || quote.end !== end) return unknown
  return E.right(parseError(bytes, at, { about: quote.about, missing: quote.missing }))
}
