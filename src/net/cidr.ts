// An address with a prefix length. It serves as an interface address (172.18.0.2/16) and, once its host bits are
// zero (`networkOf`), as a network (172.18.0.0/16).

import { E, type Either } from '../prelude.ts'
import {
  compareIp,
  type Family,
  familyOf,
  type Ip,
  ip4,
  ip6,
  ipOf,
  MAX6,
  numberOf,
  parseIp,
  showIp,
  widthOf,
} from './ip.ts'

/** `bits` is the prefix length, 0 to 32 or 0 to 128. */
export type Cidr = Readonly<{ ip: Ip; bits: number }>

/** The prefix and the host part of an IPv4 address; shifts by 32 do nothing in JavaScript, hence the case. */
const mask4 = (bits: number): number => (bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0)
const MASK6 = Array.from({ length: 129 }, (_, bits) => MAX6 ^ ((1n << BigInt(128 - bits)) - 1n))
const mask6 = (bits: number): bigint => MASK6[bits] ?? MAX6

/** The first address of the network that holds `ip` at this prefix length. */
export const maskIp = (ip: Ip, bits: number): Ip =>
  typeof ip === 'number' ? ip4((ip & mask4(bits)) >>> 0) : ip6(ip & mask6(bits))

export const networkOf = (cidr: Cidr): Cidr => ({ ip: maskIp(cidr.ip, cidr.bits), bits: cidr.bits })
export const isNetwork = (cidr: Cidr): boolean => maskIp(cidr.ip, cidr.bits) === cidr.ip

/** Whether `ip` lies in the network of `cidr`; false across families. */
export const contains = (cidr: Cidr, ip: Ip): boolean =>
  typeof ip === 'number'
    ? typeof cidr.ip === 'number' && ((ip ^ cidr.ip) & mask4(cidr.bits)) === 0
    : typeof cidr.ip === 'bigint' && (ip ^ cidr.ip) >> BigInt(128 - cidr.bits) === 0n

/** Whether every address of `inner` lies in `outer`. */
export const covers = (outer: Cidr, inner: Cidr): boolean => outer.bits <= inner.bits && contains(outer, inner.ip)
export const overlaps = (a: Cidr, b: Cidr): boolean => covers(a, b) || covers(b, a)

export const cidrFamily = (cidr: Cidr): Family => familyOf(cidr.ip)
/** Number of addresses in the network. */
export const sizeOf = (cidr: Cidr): bigint => 1n << BigInt(widthOf(cidrFamily(cidr)) - cidr.bits)
export const firstOf = (cidr: Cidr): Ip => maskIp(cidr.ip, cidr.bits)
export const lastOf = ({ ip, bits }: Cidr): Ip =>
  typeof ip === 'number' ? ip4((ip | ~mask4(bits)) >>> 0) : ip6(ip | (MAX6 ^ mask6(bits)))
/** The n-th address of the network, counted from 0; the caller guarantees n < sizeOf(cidr). */
export const nthOf = (cidr: Cidr, n: bigint): Ip => ipOf(cidrFamily(cidr), numberOf(firstOf(cidr)) + n)

/** Order of address, then shorter prefix first. */
export const compareCidr = (a: Cidr, b: Cidr): number => compareIp(a.ip, b.ip) || a.bits - b.bits
export const sameCidr = (a: Cidr, b: Cidr): boolean => a.ip === b.ip && a.bits === b.bits

const BITS = /^(0|[1-9][0-9]{0,2})$/

/** Reads `172.18.0.2/16` or `fd00::1/64`. Host bits may be set. Left: a sentence. */
export const parseCidr = (text: string): Either<string, Cidr> => {
  const [address = '', bits = '', ...rest] = text.split('/')
  const ip = parseIp(address)
  if (rest.length > 0 || !BITS.test(bits) || E.isLeft(ip))
    return E.left(`"${text}" is not a subnet such as 172.20.0.0/16`)
  const width = widthOf(familyOf(ip.right))
  if (Number(bits) > width) return E.left(`"${text}": the prefix length is at most ${width}`)
  return E.right({ ip: ip.right, bits: Number(bits) })
}

/** For networks written in our own source. Throws on anything else. */
export const cidr = (text: string): Cidr => {
  const result = parseCidr(text)
  if (E.isLeft(result)) throw new Error(result.left)
  return result.right
}

export const showCidr = (cidr: Cidr): string => `${showIp(cidr.ip)}/${cidr.bits}`
export const DEFAULT4: Cidr = { ip: ip4(0), bits: 0 }
export const DEFAULT6: Cidr = { ip: ip6(0n), bits: 0 }
