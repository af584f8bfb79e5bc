// Ethernet addresses as branded 48-bit numbers (a double holds 53 bits exactly).

import { type Brand, E, type Either } from '../prelude.ts'
import type { Ip4, Ip6 } from './ip.ts'
import { ip6 } from './ip.ts'

export type Mac = number & Brand<'Mac'>

/** The caller guarantees 0 <= n < 2^48. */
export const mac = (n: number): Mac => n as Mac
export const BROADCAST: Mac = mac(0xffffffffffff)
export const ZERO_MAC: Mac = mac(0)

const TEXT = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i

/** Reads `02:42:ac:12:00:02`. Left: a sentence. */
export const parseMac = (text: string): Either<string, Mac> =>
  TEXT.test(text)
    ? E.right(mac(Number.parseInt(text.replaceAll(':', ''), 16)))
    : E.left(`"${text}" is not a MAC address such as 02:42:ac:12:00:02`)

export const showMac = (m: Mac): string =>
  m
    .toString(16)
    .padStart(12, '0')
    .replace(/(..)(?!$)/g, '$1:')

/** The group bit: broadcast and multicast frames. */
export const isGroup = (m: Mac): boolean => Math.floor(m / 2 ** 40) % 2 === 1

/** libnetwork's address for an endpoint: 02:42 and the four bytes of its IPv4 address. */
export const macFromIp4 = (ip: Ip4): Mac => mac(0x0242 * 2 ** 32 + ip)

/** A unicast, locally administered address from 48 arbitrary bits, given as 12 hex digits or more. */
export const macFromHex = (hex: string): Mac => {
  const n = Number.parseInt(hex.slice(0, 12), 16)
  const first = Math.floor(n / 2 ** 40)
  return mac(((first & 0xfe) | 0x02) * 2 ** 40 + (n % 2 ** 40))
}

/** 33:33 and the low 32 bits of the group (RFC 2464 section 7). */
export const macOfGroup6 = (group: Ip6): Mac => mac(0x3333 * 2 ** 32 + Number(group & 0xffffffffn))
/** The link-local address that Linux forms from a MAC: fe80::/64 and modified EUI-64 (RFC 4291 appendix A). */
export const linkLocal6 = (m: Mac): Ip6 => {
  const high = BigInt(Math.floor(m / 2 ** 24)) ^ 0x020000n
  const low = BigInt(m % 2 ** 24)
  return ip6((0xfe80n << 112n) | (high << 40n) | (0xfffen << 24n) | low)
}

/** That of one of several devices with one MAC: their number is in the middle. */
export const numberedLinkLocal6 = (m: Mac, n: number): Ip6 =>
  ip6((0xfe80n << 112n) | (BigInt(Math.floor(m / 2 ** 24)) << 40n) | (BigInt(n) << 24n) | BigInt(m % 2 ** 24))
