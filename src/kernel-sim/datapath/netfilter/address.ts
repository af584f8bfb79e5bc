// Which of several addresses a translation takes: by a hash of who asks, so that a client keeps its own, and they share the load.
// Source: net/netfilter/nf_nat_core.c (find_best_ips_proto), include/linux/jhash.h (jhash2).

import { type Ip, ip4, ip6, isIp4 } from '../../../net/ip.ts'
import { jhash, scale } from '../../jhash.ts'
import type { Tuple } from './tuple.ts'

const swapped = (n: number): number =>
  (((n & 0xff) << 24) | ((n & 0xff00) << 8) | ((n >>> 8) & 0xff00) | (n >>> 24)) >>> 0

const wordsOf = (ip: Ip): ReadonlyArray<number> =>
  isIp4(ip) ? [ip, 0, 0, 0] : [96n, 64n, 32n, 0n].map((shift) => Number((ip >> shift) & 0xffffffffn))

/** In network order, as they are in memory. */
const bytesOf = (words: ReadonlyArray<number>): ReadonlyArray<number> =>
  words.flatMap((word) => [word >>> 24, (word >>> 16) & 0xff, (word >>> 8) & 0xff, word & 0xff])

/** From the first to the last, both included. */
export type Range<A> = Readonly<{ from: A; to: A }>

type Choice = Readonly<{ address: Range<Ip>; persistent: boolean }>

/** Word by word, the first one's bounds deciding whether those behind it are free. */
const among = ({ address, persistent }: Choice, { src, dst, zone }: Tuple): Ip => {
  const [low, high, to] = [wordsOf(address.from), wordsOf(address.to), wordsOf(dst)]
  const last = isIp4(src) ? 0 : 3
  const seed = persistent ? 0 : (swapped(to[last] ?? 0) ^ zone) >>> 0
  const hash = jhash(bytesOf(wordsOf(src)), seed)
  let isFree = false
  let chosen = 0n
  for (let i = 0; i <= last; i++) {
    const least = isFree ? 0 : (low[i] ?? 0)
    const most = isFree ? 0xffffffff : (high[i] ?? 0)
    // The kernel's 32 bits: a whole word of choice is no choice.
    const word = (least + scale(hash, (most - least + 1) >>> 0)) >>> 0
    chosen = (chosen << 32n) | BigInt(word)
    if (word !== (high[i] ?? 0)) isFree = true
  }
  return isIp4(src) ? ip4(Number(chosen)) : ip6(chosen)
}

export const addressIn = (choice: Choice, tuple: Tuple): Ip =>
  choice.address.from === choice.address.to ? choice.address.from : among(choice, tuple)
