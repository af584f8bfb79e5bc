// Numbers and addresses in network byte order. Places are offsets into one array that the caller has made large enough;
// whoever reads has compared them with the end of what there is, so nothing here checks again.

import { type Ip4, type Ip6, ip4, ip6 } from '../../net/ip.ts'
import { type Mac, mac } from '../../net/mac.ts'

/** Shared by all that carry no data. */
export const NO_BYTES: Uint8Array = new Uint8Array(0)

export const get8 = (from: Uint8Array, at: number): number => from[at] ?? 0
export const get16 = (from: Uint8Array, at: number): number => (get8(from, at) << 8) | get8(from, at + 1)
export const get24 = (from: Uint8Array, at: number): number => (get16(from, at) << 8) | get8(from, at + 2)
export const get32 = (from: Uint8Array, at: number): number => get16(from, at) * 0x10000 + get16(from, at + 2)
export const get48 = (from: Uint8Array, at: number): number => get16(from, at) * 2 ** 32 + get32(from, at + 2)
export const getIp4 = (from: Uint8Array, at: number): Ip4 => ip4(get32(from, at))
export const getMac = (from: Uint8Array, at: number): Mac => mac(get48(from, at))

const get64 = (from: Uint8Array, at: number): bigint => (BigInt(get32(from, at)) << 32n) | BigInt(get32(from, at + 4))
export const getIp6 = (from: Uint8Array, at: number): Ip6 => ip6((get64(from, at) << 64n) | get64(from, at + 8))

export const put8 = (to: Uint8Array, at: number, n: number): void => {
  to[at] = n
}
export const put16 = (to: Uint8Array, at: number, n: number): void => {
  to[at] = n >>> 8
  to[at + 1] = n
}
export const put24 = (to: Uint8Array, at: number, n: number): void => {
  to[at] = n >>> 16
  put16(to, at + 1, n)
}
export const put32 = (to: Uint8Array, at: number, n: number): void => {
  put16(to, at, n >>> 16)
  put16(to, at + 2, n)
}
export const put48 = (to: Uint8Array, at: number, n: number): void => {
  put16(to, at, Math.floor(n / 2 ** 32))
  put32(to, at + 2, n % 2 ** 32)
}

const put64 = (to: Uint8Array, at: number, n: bigint): void => {
  put32(to, at, Number(n >> 32n))
  put32(to, at + 4, Number(n & 0xffffffffn))
}
export const putIp6 = (to: Uint8Array, at: number, ip: Ip6): void => {
  put64(to, at, ip >> 64n)
  put64(to, at + 8, ip & 0xffffffffffffffffn)
}

/** A copy of a part, which stays as it is when the array is used for something else. */
export const copyOf = (from: Uint8Array, at: number, end: number): Uint8Array =>
  at === end ? NO_BYTES : from.slice(at, end)
