// IPv4 and IPv6 addresses as branded primitives, so that comparison, arithmetic and map keys cost nothing.
// An Ip4 is an unsigned 32-bit number, an Ip6 an unsigned 128-bit bigint: `typeof` tells the family.
// ipaddr.js reads and writes IPv6 text (RFC 4291, RFC 5952); IPv4 is read strictly as four decimal parts, because
// ipaddr.js also accepts 010.0.0.1 (as 8.0.0.1), 127.1 and 0x7f.1.

import ipaddr from 'ipaddr.js'
import { type Brand, E, type Either } from '../prelude.ts'

export type Ip4 = number & Brand<'Ip4'>
export type Ip6 = bigint & Brand<'Ip6'>
export type Ip = Ip4 | Ip6
export type Family = 4 | 6

export const MAX4 = 0xffffffff
export const MAX6 = (1n << 128n) - 1n

export const isIp4 = (ip: Ip): ip is Ip4 => typeof ip === 'number'
export const isIp6 = (ip: Ip): ip is Ip6 => typeof ip === 'bigint'
export const familyOf = (ip: Ip): Family => (typeof ip === 'number' ? 4 : 6)
/** Bits of an address of this family: 32 or 128. */
export const widthOf = (family: Family): 32 | 128 => (family === 4 ? 32 : 128)

/** The address with this value; the caller guarantees 0 <= n < 2^32. */
export const ip4 = (n: number): Ip4 => n as Ip4
/** The address with this value; the caller guarantees 0 <= n < 2^128. */
export const ip6 = (n: bigint): Ip6 => n as Ip6
/** The address of `family` with this value; the caller guarantees that it fits. */
export const ipOf = (family: Family, n: bigint): Ip => (family === 4 ? ip4(Number(n)) : ip6(n))
/** The address as a number of any family, for arithmetic off the hot path. */
export const numberOf = (ip: Ip): bigint => BigInt(ip)

const DECIMAL = /^(0|[1-9][0-9]{0,2})$/

const parse4 = (text: string): Ip4 | null => {
  const parts = text.split('.')
  if (parts.length !== 4) return null
  let n = 0
  for (const part of parts) {
    if (!DECIMAL.test(part) || Number(part) > 255) return null
    n = n * 256 + Number(part)
  }
  return ip4(n)
}

/** The last 32 bits in hexadecimal where they are dotted: ipaddr.js takes `::192.0.2.1` for `::ffff:192.0.2.1`. Null: no IPv4 there. */
const undotted = (text: string): string | null => {
  const at = text.lastIndexOf(':') + 1
  if (!text.includes('.', at)) return text
  const low = parse4(text.slice(at))
  return low === null ? null : `${text.slice(0, at)}${(low >>> 16).toString(16)}:${(low & 0xffff).toString(16)}`
}

const parse6 = (text: string): Ip6 | null => {
  const plain = text.includes('%') ? null : undotted(text)
  if (plain === null || !ipaddr.IPv6.isValid(plain)) return null
  return ip6(ipaddr.IPv6.parse(plain).parts.reduce((n, part) => (n << 16n) | BigInt(part), 0n))
}

/** Reads `192.0.2.1` or `2001:db8::1`; zone ids, IPv4 shorthand and octal parts are refused. Left: a sentence. */
export const parseIp = (text: string): Either<string, Ip> => {
  const ip = text.includes(':') ? parse6(text) : parse4(text)
  return ip === null ? E.left(`"${text}" is not an IP address`) : E.right(ip)
}

/** For addresses written in our own source. Throws on anything else. */
export const ip = (text: string): Ip => {
  const result = parseIp(text)
  if (E.isLeft(result)) throw new Error(result.left)
  return result.right
}

const show4 = (n: number): string => `${n >>> 24}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`

const show6 = (n: bigint): string => {
  const parts: number[] = []
  for (let shift = 112n; shift >= 0n; shift -= 16n) parts.push(Number((n >> shift) & 0xffffn))
  return new ipaddr.IPv6(parts).toRFC5952String()
}

/** Canonical text: dotted decimal, or RFC 5952. `parseIp(showIp(x))` is x. */
export const showIp = (ip: Ip): string => (typeof ip === 'number' ? show4(ip) : show6(ip))

/** Total order: every IPv4 address before every IPv6 address, then by value. */
export const compareIp = (a: Ip, b: Ip): number =>
  typeof a !== typeof b ? (typeof a === 'number' ? -1 : 1) : a < b ? -1 : a > b ? 1 : 0

const LOOPBACK6 = 1n

export const isLoopback = (ip: Ip): boolean => (typeof ip === 'number' ? ip >>> 24 === 127 : ip === LOOPBACK6)
export const isMulticast = (ip: Ip): boolean => (typeof ip === 'number' ? ip >>> 28 === 14 : ip >> 120n === 0xffn)
/** 169.254.0.0/16 (RFC 3927) or fe80::/10 (RFC 4291). */
export const isLinkLocal = (ip: Ip): boolean => (typeof ip === 'number' ? ip >>> 16 === 0xa9fe : ip >> 118n === 0x3fan)
export const isUnspecified = (ip: Ip): boolean => ip === 0 || ip === 0n
