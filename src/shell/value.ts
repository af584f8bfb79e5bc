// Numbers and addresses as iproute2 reads them: numbers as strtoul(3) with base 0, IPv4 also with fewer than four parts, `default`
// and `any` for everything. Source: iproute2 6.1, lib/utils.c (get_unsigned, get_addr_1, get_prefix_1), lib/ll_addr.c.

import type { Cidr } from '../net/cidr.ts'
import { DEFAULT4, DEFAULT6 } from '../net/cidr.ts'
import { type Family, familyOf, type Ip, ip4, isUnspecified, parseIp, widthOf } from '../net/ip.ts'
import { type Mac, mac } from '../net/mac.ts'
import { E } from '../prelude.ts'
import { type Read, refuse } from './done.ts'
import { invalid } from './keyword.ts'

const NUMBER = /^\s*\+?(0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)$/i

/** Null: not a number of this size. */
export const numberOf = (text: string, most: number): number | null => {
  const digits = NUMBER.exec(text)?.[1]
  if (digits === undefined) return null
  const value = /^0x/i.test(digits) ? Number(digits) : Number.parseInt(digits, digits.startsWith('0') ? 8 : 10)
  return value <= most ? value : null
}

export const U8 = 0xff
export const U16 = 0xffff
export const U32 = 0xffffffff
export const INT = 0x7fffffff

/** `why` ends as invarg's message does. */
export const numberIn =
  (most: number, why: string) =>
  (text: string): Read<number> => {
    const value = numberOf(text, most)
    return value === null ? invalid(text, why) : E.right(value)
  }

/** `10`, `10.0` and `10.0.0.0`; each part with base 0. */
const short4 = (text: string): Ip | null => {
  const parts = text.split('.')
  if (parts.length > 4) return null
  const bytes = parts.map((part) => numberOf(part, 255))
  if (bytes.some((byte) => byte === null)) return null
  return ip4([0, 1, 2, 3].reduce((n, at) => n * 256 + (bytes[at] ?? 0), 0))
}

const ipIn = (text: string): Ip | null => {
  if (!text.includes(':')) return short4(text)
  const parsed = parseIp(text)
  return E.isRight(parsed) ? parsed.right : null
}

const EVERYTHING = new Set(['default', 'any', 'all'])
/** As family_name_verbose has it. */
const familyWord = (family: Family | null): string => (family === null ? 'any valid' : family === 4 ? 'inet' : 'inet6')
const fitsFamily = (ip: Ip, family: Family | null): boolean => family === null || familyOf(ip) === family

/** Left: the family that it is not of. */
export const readAddress = (text: string, family: Family | null): Read<Ip> => {
  const ip = EVERYTHING.has(text) ? (family === 6 ? DEFAULT6.ip : DEFAULT4.ip) : ipIn(text)
  return ip === null || !fitsFamily(ip, family)
    ? refuse(1, `Error: ${familyWord(family)} address is expected rather than "${text}".`)
    : E.right(ip)
}

const maskBits = (text: string, width: number): number | null => {
  const bits = numberOf(text, width)
  if (bits !== null) return bits
  const mask = text.includes('.') ? short4(text) : null
  if (typeof mask !== 'number' || width !== 32) return null
  const inverse = (~mask & 0xffffffff) >>> 0
  return (inverse & (inverse + 1)) === 0 ? 32 - inverse.toString(2).replace(/^0$/, '').length : null
}

/** `whole`: no prefix length was said. `word`: one of those for everything, which may be of any family. */
export type Prefix = Readonly<{ cidr: Cidr; whole: boolean; word: boolean }>

/** `default` without a family is IPv4's until something else says otherwise. */
export const readPrefix = (text: string, family: Family | null): Read<Prefix> => {
  if (EVERYTHING.has(text)) return E.right({ cidr: family === 6 ? DEFAULT6 : DEFAULT4, whole: false, word: true })
  const slash = text.indexOf('/')
  const ip = ipIn(slash < 0 ? text : text.slice(0, slash))
  const wrong = (): Read<never> => refuse(1, `Error: ${familyWord(family)} prefix is expected rather than "${text}".`)
  if (ip === null || !fitsFamily(ip, family)) return wrong()
  const width = widthOf(familyOf(ip))
  if (slash < 0) return E.right({ cidr: { ip, bits: width }, whole: true, word: false })
  const bits = maskBits(text.slice(slash + 1), width)
  return bits === null ? wrong() : E.right({ cidr: { ip, bits }, whole: false, word: false })
}

const HEX = /^\s*(?:0x)?([0-9a-f]+)/i

/**
 * As ll_addr_a2n reads a link address: numbers between colons, of each what begins it. Null: one has none, or is too big. What is no MAC
 * the kernel refuses.
 */
export const bytesOf = (text: string): ReadonlyArray<number> | null => {
  const bytes: number[] = []
  for (const part of text.split(':')) {
    const digits = HEX.exec(part)?.[1]
    const byte = digits === undefined ? 256 : Number.parseInt(digits, 16)
    if (byte > 255) return null
    bytes.push(byte)
  }
  return bytes
}
export const macOfBytes = (bytes: ReadonlyArray<number>): Mac | null =>
  bytes.length === 6 ? mac(bytes.reduce((n, byte) => n * 256 + byte, 0)) : null

export const isAny = (ip: Ip): boolean => isUnspecified(ip)
