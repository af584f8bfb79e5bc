// The options of neighbour discovery, in the order in which they came (RFC 4861 section 4.6; nonce: RFC 3971 section 5.3.2, as
// enhanced duplicate address detection uses it, RFC 7527). Each is a multiple of eight bytes; others stay bytes.

import type { Ip6 } from '../../net/ip.ts'
import type { Mac } from '../../net/mac.ts'
import { absurd, E, type Either } from '../../prelude.ts'
import { copyOf, get8, get16, get32, get48, getIp6, getMac, put8, put32, put48, putIp6 } from './bytes.ts'
import { type WireError, wrong } from './error.ts'
import type { Packet6 } from './ip6.ts'
import type { Nested, Quote, Source } from './nested.ts'

/** Lifetimes in seconds, 0xffffffff for ever. */
export type PrefixInformation = Readonly<{
  tag: 'prefix'
  ip: Ip6
  bits: number
  onLink: boolean
  autonomous: boolean
  validS: number
  preferredS: number
}>

/** `source` and `target` are link-layer addresses; `redirected` quotes the packet that should go elsewhere. */
export type NdOption =
  | Readonly<{ tag: 'source' | 'target'; mac: Mac }>
  | PrefixInformation
  | (Readonly<{ tag: 'redirected' }> & Quote<Packet6>)
  | Readonly<{ tag: 'mtu'; mtu: number }>
  | Readonly<{ tag: 'nonce'; nonce: number }>
  | Readonly<{ tag: 'raw'; type: number; bytes: Uint8Array }>

const TYPES = { source: 1, target: 2, prefix: 3, redirected: 4, mtu: 5, nonce: 14 } as const

const lengthOfOption = (option: NdOption, nested: Nested): number => {
  switch (option.tag) {
    case 'source':
    case 'target':
    case 'mtu':
    case 'nonce':
      return 8
    case 'prefix':
      return 32
    case 'redirected':
      return 8 + Math.ceil(nested.lengthOfPacket(option.about) / 8) * 8
    case 'raw':
      return 2 + option.bytes.length
    default:
      return absurd(option, 'lengthOfOption')
  }
}

export const lengthOfNdOptions = (options: ReadonlyArray<NdOption>, nested: Nested): number =>
  options.reduce((n, option) => n + lengthOfOption(option, nested), 0)

const writeBody = (to: Uint8Array, at: number, option: NdOption, nested: Nested) => {
  switch (option.tag) {
    case 'source':
    case 'target':
      return put48(to, at + 2, option.mac)
    case 'prefix':
      put8(to, at + 2, option.bits)
      put8(to, at + 3, (option.onLink ? 0x80 : 0) | (option.autonomous ? 0x40 : 0))
      put32(to, at + 4, option.validS)
      put32(to, at + 8, option.preferredS)
      return putIp6(to, at + 16, option.ip)
    case 'redirected': {
      const length = nested.lengthOfPacket(option.about)
      return nested.writePacket(to, at + 8, at + 8 + length, option.about, option.missing)
    }
    case 'mtu':
      return put32(to, at + 4, option.mtu)
    case 'nonce':
      return put48(to, at + 2, option.nonce)
    case 'raw':
      return to.set(option.bytes, at + 2)
  }
}

export const writeNdOptions = (
  to: Uint8Array,
  start: number,
  options: ReadonlyArray<NdOption>,
  nested: Nested,
): void => {
  let at = start
  for (const option of options) {
    const length = lengthOfOption(option, nested)
    put8(to, at, option.tag === 'raw' ? option.type : TYPES[option.tag])
    put8(to, at + 1, length / 8)
    writeBody(to, at, option, nested)
    at += length
  }
}

const readPrefix = (bytes: Uint8Array, at: number, length: number): PrefixInformation | null => {
  const flags = get8(bytes, at + 3)
  const bits = get8(bytes, at + 2)
  if (length !== 32 || bits > 128 || (flags & 0x3f) !== 0 || get32(bytes, at + 12) !== 0) return null
  return {
    tag: 'prefix',
    ip: getIp6(bytes, at + 16),
    bits,
    onLink: (flags & 0x80) !== 0,
    autonomous: (flags & 0x40) !== 0,
    validS: get32(bytes, at + 4),
    preferredS: get32(bytes, at + 8),
  }
}

/** Behind a packet that is shorter than the option there is nothing but the fill up to eight bytes. */
const readRedirected = (from: Source, at: number, end: number, nested: Nested): NdOption | null => {
  const { bytes } = from
  if (get16(bytes, at + 2) !== 0 || get32(bytes, at + 4) !== 0) return null
  const quote = nested.readQuote6(from, at + 8, end)
  if (quote === null || end - quote.end >= 8) return null
  for (let i = quote.end; i < end; i++) if (get8(bytes, i) !== 0) return null
  return { tag: 'redirected', about: quote.about, missing: quote.missing }
}

/** Null for what stays bytes. */
const readOption = (from: Source, at: number, length: number, nested: Nested): NdOption | null => {
  const { bytes } = from
  switch (get8(bytes, at)) {
    case TYPES.source:
      return length === 8 ? { tag: 'source', mac: getMac(bytes, at + 2) } : null
    case TYPES.target:
      return length === 8 ? { tag: 'target', mac: getMac(bytes, at + 2) } : null
    case TYPES.prefix:
      return readPrefix(bytes, at, length)
    case TYPES.redirected:
      return readRedirected(from, at, at + length, nested)
    case TYPES.mtu:
      return length === 8 && get16(bytes, at + 2) === 0 ? { tag: 'mtu', mtu: get32(bytes, at + 4) } : null
    case TYPES.nonce:
      return length === 8 ? { tag: 'nonce', nonce: get48(bytes, at + 2) } : null
    default:
      return null
  }
}

/** A length of 0, or beyond the end, is an error of the message (RFC 4861 section 4.6). `message`: where it begins. */
export const readNdOptions = (
  from: Source,
  message: number,
  start: number,
  end: number,
  nested: Nested,
): Either<WireError, ReadonlyArray<NdOption>> => {
  const { bytes } = from
  const options: NdOption[] = []
  let at = start
  while (at < end) {
    const length = get8(bytes, at + 1) * 8
    if (end - at < 2 || length === 0 || length > end - at) return wrong('icmp6', 'length', message)
    options.push(
      readOption(from, at, length, nested) ?? {
        tag: 'raw',
        type: get8(bytes, at),
        bytes: copyOf(bytes, at + 2, at + length),
      },
    )
    at += length
  }
  return E.right(options)
}
