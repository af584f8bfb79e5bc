// The data types of nft expressions: how wide they are, how their values are read and shown. A value is a number where it
// fits (up to 48 bits), a bigint for an IPv6 address, text for the name of an interface.
// Sources: nft(8) "DATA TYPES", nftables src/datatype.c (1.0.6).

import { ip4, ip6, isIp4, MAX6, parseIp, showIp } from '../../net/ip.ts'
import { mac, showMac } from '../../net/mac.ts'
import { E, type Either } from '../../prelude.ts'
import * as words from './symbols.ts'
import { numberFor, type Symbols, wordFor } from './symbols.ts'

export type Datum = number | bigint | string
export type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json }

type Shape = Readonly<{
  /** What nft calls it in a sentence. */
  title: string
  bits: number
  symbols: Symbols | null
  /** Values are sets of flags. */
  flags: boolean
  /** A prefix of one is a range that nft prints as a prefix. */
  prefix: boolean
  /** Numbers without a word are shown so. */
  hex: boolean
}>

const shape = (title: string, bits: number, more: Partial<Shape> = {}): Shape => ({
  title,
  bits,
  symbols: null,
  flags: false,
  prefix: false,
  hex: false,
  ...more,
})

const TYPES = {
  integer: shape('integer', 32),
  boolean: shape('boolean type', 1, { symbols: words.BOOLEAN }),
  ipv4_addr: shape('IPv4 address', 32, { prefix: true }),
  ipv6_addr: shape('IPv6 address', 128, { prefix: true }),
  ether_addr: shape('Ethernet address', 48),
  ether_type: shape('Ethernet protocol', 16, { symbols: words.ETHER_TYPE, hex: true }),
  inet_proto: shape('Internet protocol', 8, { symbols: words.INET_PROTO }),
  inet_service: shape('internet network service', 16),
  mark: shape('packet mark', 32, { hex: true }),
  ifname: shape('network interface name', 128),
  iface_index: shape('network interface index', 32),
  ct_state: shape('conntrack state', 32, { symbols: words.CT_STATE, flags: true }),
  ct_status: shape('conntrack status', 32, { symbols: words.CT_STATUS, flags: true }),
  ct_dir: shape('conntrack direction', 8, { symbols: words.CT_DIR }),
  nf_proto: shape('netfilter protocol', 8, { symbols: words.NF_PROTO }),
  pkt_type: shape('packet type', 8, { symbols: words.PKT_TYPE }),
  tcp_flag: shape('TCP flag', 8, { symbols: words.TCP_FLAG, flags: true }),
  dscp: shape('Differentiated Services Code Point', 6, { symbols: words.DSCP, hex: true }),
  arp_op: shape('ARP operation', 16, { symbols: words.ARP_OP }),
  icmp_type: shape('ICMP type', 8, { symbols: words.ICMP_TYPE }),
  icmp_code: shape('icmp code', 8, { symbols: words.ICMP_CODE }),
  icmpv6_type: shape('ICMPv6 type', 8, { symbols: words.ICMPV6_TYPE }),
  icmpv6_code: shape('icmpv6 code', 8, { symbols: words.ICMPV6_CODE }),
  icmpx_code: shape('icmpx code', 8, { symbols: words.ICMPX_CODE }),
  fib_addrtype: shape('fib address type', 32, { symbols: words.FIB_ADDRTYPE }),
} as const satisfies Record<string, Shape>

export type TypeName = keyof typeof TYPES

/** A type with its width: that of an `integer` is the field's. */
export type Type = Readonly<{ name: TypeName; bits: number }>

export const typeNamed = (name: TypeName, bits: number = TYPES[name].bits): Type => ({ name, bits })
export const isTypeName = (word: string): word is TypeName => Object.hasOwn(TYPES, word)

/** Types that a set's `type` may name; the others are only ever found in rules. */
export const isSetType = (word: string): word is TypeName => isTypeName(word) && word !== 'integer'

export const titleOf = (types: ReadonlyArray<Type>): string => {
  const titles = types.map(({ name }) => TYPES[name].title)
  return titles.length === 1 ? (titles[0] ?? '') : `concatenation of (${titles.join(', ')})`
}
export const hasFlags = (type: Type): boolean => TYPES[type.name].flags
export const hasPrefixes = (type: Type): boolean => TYPES[type.name].prefix

/** The greatest value; of an IPv6 address a bigint. Interface names have none. */
export const maxOf = (type: Type): number | bigint => (type.bits > 64 ? MAX6 : 2 ** type.bits - 1)

/** What the host can say of interfaces. `numeric`: whoever lists wants no words for numbers (nft's `-n`). */
export type Host = Readonly<{
  indexOf: (name: string) => number | null
  nameOf: (index: number) => string | null
  numeric?: boolean
}>
export const NO_INTERFACES: Host = { indexOf: () => null, nameOf: () => null }

const NUMBER = /^(?:0[xX][0-9a-fA-F]+|[0-9]+)$/
const MAC = /^(?:[0-9a-fA-F]{1,2}:){5}[0-9a-fA-F]{1,2}$/
const IFNAME_BYTES = 16

const readAddress = (word: string, four: boolean): Either<string, Datum> => {
  if (four && NUMBER.test(word) && BigInt(word) <= 0xffffffffn) return E.right(Number(word))
  if (word === 'localhost') return E.right(four ? 0x7f000001 : 1n)
  const ip = parseIp(word)
  if (E.isRight(ip))
    return isIp4(ip.right) === four
      ? E.right(ip.right)
      : E.left('Could not resolve hostname: Address family for hostname not supported')
  return E.left('Could not resolve hostname: Name or service not known')
}

const readNumber = (type: Type, word: string): Either<string, Datum> => {
  const value = BigInt(word)
  const max = BigInt(maxOf(type))
  if (value <= max) return E.right(Number(value))
  if (type.name === 'inet_service') return E.left('Service out of range')
  if (type.name === 'inet_proto') return E.left('Protocol out of range')
  return E.left(`Value ${value} exceeds valid range 0-${max}`)
}

const readOther = (type: Type, word: string): Either<string, Datum> => {
  if (type.name === 'inet_service') {
    const service = numberFor(words.INET_SERVICE, word)
    return service === null
      ? E.left('Could not resolve service: Servname not supported for ai_socktype')
      : E.right(service)
  }
  if (type.name === 'inet_proto') return E.left('Could not resolve protocol name')
  return E.left(`Could not parse ${TYPES[type.name].title}`)
}

/** Reads one word as a value of a type. `quoted`: it stood in quotation marks. Left: nft's sentence. */
export const readDatum = (type: Type, word: string, host: Host): Either<string, Datum> => {
  switch (type.name) {
    case 'ipv4_addr':
    case 'ipv6_addr':
      return readAddress(word, type.name === 'ipv4_addr')
    case 'ether_addr':
      return MAC.test(word)
        ? E.right(word.split(':').reduce((n, part) => n * 256 + Number.parseInt(part, 16), 0))
        : readOther(type, word)
    case 'ifname':
      return word.length >= IFNAME_BYTES ? E.left(`String exceeds maximum length of ${IFNAME_BYTES}`) : E.right(word)
    case 'iface_index': {
      const index = NUMBER.test(word) ? Number(word) : host.indexOf(word)
      return index === null ? E.left('Interface does not exist') : E.right(index)
    }
    default: {
      const symbols = TYPES[type.name].symbols
      const known = symbols === null ? null : numberFor(symbols, word)
      if (known !== null) return E.right(known)
      return NUMBER.test(word) ? readNumber(type, word) : readOther(type, word)
    }
  }
}

const hexOf = (value: number, digits: number): string => `0x${value.toString(16).padStart(digits, '0')}`

const flagsIn = (type: Type, value: Datum): ReadonlyArray<readonly [word: string, bit: number]> | null => {
  const { symbols, flags } = TYPES[type.name]
  if (!flags || symbols === null || typeof value !== 'number' || value === 0) return null
  const found: Array<readonly [string, number]> = []
  let left = value
  for (const [word, bit] of Object.entries(symbols)) {
    if ((left & bit) === 0) continue
    found.push([word, bit])
    left &= ~bit
  }
  return left === 0 ? found.sort(([, a], [, b]) => a - b) : null
}

/** The words of a set of flags, lowest first; null if one has no word, or there is none. */
export const flagWords = (type: Type, value: Datum, host: Host): ReadonlyArray<string> | null =>
  flagsIn(type, value)?.map(([word, bit]) => (host.numeric === true ? hexOf(bit, 0) : word)) ?? null

/** As `flagWords`, in JSON. */
export const jsonFlags = (type: Type, value: Datum, host: Host): ReadonlyArray<Json> | null =>
  flagsIn(type, value)?.map(([word, bit]) => (host.numeric === true ? bit : word)) ?? null

/** An end of a range: nft prints no words there. */
export const showBound = (type: Type, value: Datum, host: Host): string =>
  typeof value !== 'number' || TYPES[type.name].symbols === null
    ? showDatum(type, value, host)
    : TYPES[type.name].hex
      ? hexOf(value, Math.ceil(type.bits / 4))
      : String(value)

/** A value as nft prints it; names of interfaces in quotation marks. */
export const showDatum = (type: Type, value: Datum, host: Host): string => {
  if (typeof value === 'string') return `"${value}"`
  if (typeof value === 'bigint') return showIp(ip6(value))
  switch (type.name) {
    case 'ipv4_addr':
      return showIp(ip4(value))
    case 'ether_addr':
      return showMac(mac(value))
    case 'mark':
      return hexOf(value, 8)
    case 'iface_index': {
      const name = host.nameOf(value)
      return name === null ? String(value) : `"${name}"`
    }
    default: {
      const { symbols, flags, hex, bits } = TYPES[type.name]
      if (flags) return flagWords(type, value, host)?.join(' | ') ?? hexOf(value, 0)
      const word = symbols === null || host.numeric === true ? null : wordFor(symbols, value)
      return word ?? (hex ? hexOf(value, Math.ceil(bits / 4)) : String(value))
    }
  }
}

/** A value as libnftables-json(5) has it: a word where there is one, else a number. */
export const jsonDatum = (type: Type, value: Datum, host: Host): Json => {
  if (typeof value === 'string') return value
  if (typeof value === 'bigint') return showIp(ip6(value))
  switch (type.name) {
    case 'ipv4_addr':
    case 'ether_addr':
      return showDatum(type, value, host)
    case 'iface_index':
      return host.nameOf(value) ?? String(value)
    case 'boolean':
      return value === 1
    default: {
      const { symbols, flags } = TYPES[type.name]
      if (flags) {
        const found = jsonFlags(type, value, host)
        if (found === null) return value
        return found.length === 1 ? (found[0] ?? value) : { '|': found }
      }
      return (symbols === null || host.numeric === true ? null : wordFor(symbols, value)) ?? value
    }
  }
}

/** A total order of the values of one type, as nft sorts a set: numbers by value, names from their last byte. */
export const compareDatum = (a: Datum, b: Datum): number => {
  if (typeof a !== 'string' || typeof b !== 'string') return a < b ? -1 : a > b ? 1 : 0
  // A name is kept as a number in host byte order, so its last byte is the most significant.
  if (a.length !== b.length) return a.length - b.length
  for (let i = a.length - 1; i >= 0; i--) {
    const difference = a.charCodeAt(i) - b.charCodeAt(i)
    if (difference !== 0) return difference
  }
  return 0
}

/** The value after this one; the caller guarantees that there is one. */
export const nextDatum = (value: Datum): Datum =>
  typeof value === 'string' ? value : typeof value === 'bigint' ? value + 1n : value + 1
