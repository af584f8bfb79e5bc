// Which of several addresses a translation takes: by a hash of who asks, so that a client keeps its own, and they share the load.
// Source: net/netfilter/nf_nat_core.c (find_best_ips_proto), include/linux/jhash.h (jhash2).

import { type Ip, ip4, ip6, isIp4 } from '../../../net/ip.ts'
import type { Range } from './rules.ts'
import type { Tuple } from './tuple.ts'

const rotate = (n: number, by: number): number => (n << by) | (n >>> (32 - by))

/** Words as a little-endian machine has them in its memory. */
const jhash2 = (words: ReadonlyArray<number>, seed: number): number => {
  let a = (0xdeadbeef + (words.length << 2) + seed) | 0
  let b = a
  let c = a
  let at = 0
  for (; words.length - at > 3; at += 3) {
    a = (a + (words[at] ?? 0)) | 0
    b = (b + (words[at + 1] ?? 0)) | 0
    c = (c + (words[at + 2] ?? 0)) | 0
    a = ((a - c) ^ rotate(c, 4)) | 0
    c = (c + b) | 0
    b = ((b - a) ^ rotate(a, 6)) | 0
    a = (a + c) | 0
    c = ((c - b) ^ rotate(b, 8)) | 0
    b = (b + a) | 0
    a = ((a - c) ^ rotate(c, 16)) | 0
    c = (c + b) | 0
    b = ((b - a) ^ rotate(a, 19)) | 0
    a = (a + c) | 0
    c = ((c - b) ^ rotate(b, 4)) | 0
    b = (b + a) | 0
  }
  if (words.length === at) return c >>> 0
  a = (a + (words[at] ?? 0)) | 0
  b = (b + (words[at + 1] ?? 0)) | 0
  c = (c + (words[at + 2] ?? 0)) | 0
  c = ((c ^ b) - rotate(b, 14)) | 0
  a = ((a ^ c) - rotate(c, 11)) | 0
  b = ((b ^ a) - rotate(a, 25)) | 0
  c = ((c ^ b) - rotate(b, 16)) | 0
  a = ((a ^ c) - rotate(c, 4)) | 0
  b = ((b ^ a) - rotate(a, 14)) | 0
  return ((c ^ b) - rotate(b, 24)) >>> 0
}

const swapped = (n: number): number =>
  (((n & 0xff) << 24) | ((n & 0xff00) << 8) | ((n >>> 8) & 0xff00) | (n >>> 24)) >>> 0

const wordsOf = (ip: Ip): ReadonlyArray<number> =>
  isIp4(ip) ? [ip, 0, 0, 0] : [96n, 64n, 32n, 0n].map((shift) => Number((ip >> shift) & 0xffffffffn))

const scaled = (hash: number, n: number): number => Number((BigInt(hash) * BigInt(n)) >> 32n)

type Choice = Readonly<{ address: Range<Ip>; persistent: boolean }>

/** Word by word, the first one's bounds deciding whether those behind it are free. */
const among = ({ address, persistent }: Choice, { src, dst, zone }: Tuple): Ip => {
  const [low, high, to] = [wordsOf(address.from), wordsOf(address.to), wordsOf(dst)]
  const last = isIp4(src) ? 0 : 3
  const seed = persistent ? 0 : (swapped(to[last] ?? 0) ^ zone) >>> 0
  const hash = jhash2(wordsOf(src).map(swapped), seed)
  let isFree = false
  let chosen = 0n
  for (let i = 0; i <= last; i++) {
    const least = isFree ? 0 : (low[i] ?? 0)
    const most = isFree ? 0xffffffff : (high[i] ?? 0)
    // The kernel's 32 bits: a whole word of choice is no choice.
    const word = (least + scaled(hash, (most - least + 1) >>> 0)) >>> 0
    chosen = (chosen << 32n) | BigInt(word)
    if (word !== (high[i] ?? 0)) isFree = true
  }
  return isIp4(src) ? ip4(Number(chosen)) : ip6(chosen)
}

export const addressIn = (choice: Choice, tuple: Tuple): Ip =>
  choice.address.from === choice.address.to ? choice.address.from : among(choice, tuple)
