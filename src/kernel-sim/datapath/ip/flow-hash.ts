// Which of several hops a packet takes. Linux hashes its addresses with a secret of its own (fib_multipath_hash_policy 0), so no two
// machines choose alike; ours is the same everywhere and every time: each 32 bits of source and destination are
// mixed in turn (the finaliser of MurmurHash3), and of the result 31 bits are compared with the hops' shares of 2^31 by weight.
// Sources: net/ipv4/fib_semantics.c (fib_rebalance, fib_select_multipath), net/ipv6/route.c (fib6_select_path).

import type { Ip } from '../../../net/ip.ts'

const mixed = (hash: number, bits: number): number => {
  let h = (hash ^ bits) >>> 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

const mixedIn = (hash: number, ip: Ip | null): number => {
  if (ip === null) return mixed(hash, 0)
  if (typeof ip === 'number') return mixed(hash, ip)
  let h = hash
  for (let shift = 96n; shift >= 0n; shift -= 32n) h = mixed(h, Number((ip >> shift) & 0xffffffffn))
  return h
}

/** 31 bits. `src` null: not chosen yet. */
export const flowHash = (src: Ip | null, dst: Ip): number => mixedIn(mixedIn(0, src), dst) >>> 1

/** For each of these weights the highest hash that is its; -1 for one of 0, which is of a hop that is dead. */
export const upperBounds = (weights: ReadonlyArray<number>): ReadonlyArray<number> => {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  let upTo = 0
  return weights.map((weight) => {
    if (weight === 0) return -1
    upTo += weight
    return Math.round((upTo * 2 ** 31) / total) - 1
  })
}
