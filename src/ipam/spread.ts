// Which address a host takes of a subnet that others take from, too, without asking them first. Each has blocks of the subnet to itself:
// it goes through all of them on a walk of its own, and passes over those in which others have addresses. So hosts meet only where two
// enter one empty block at the same moment, or where no block is left. No block is reserved: who owns one is seen by what is in it, and
// what a host gives back is there for all.

import { firstOf, lastOf } from '../net/cidr.ts'
import type { Ip } from '../net/ip.ts'
import { E, type Either } from '../prelude.ts'
import { type AddressSet, countBetween, emptySet, lastPlace, nextFree, type Place } from './address-set.ts'
import type { IpamError } from './error.ts'
import { getPool } from './space.ts'
import { hostBits, ipAt, isReserved, placeOf } from './subnet.ts'
import type { Ipam, PoolId, Subnet } from './types.ts'

/** A block has so many bits at most, and a range so many bits more than a block where it can: 64 addresses, of which there are 64. */
const BLOCK_BITS = 6
const COUNT_BITS = 6
/** Blocks that are looked at before any free address is taken. */
const MOST_BLOCKS = 4096

/** FNV-1a of 32 bits. */
const hashOf = (text: string): bigint => {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0
  return BigInt(hash)
}

/**
 * `who`: a host, and whatever else is to have a walk of its own. `own`: its addresses of the subnet; undefined: none. `apart`: those
 * that are taken and nobody's, such as the gateway's.
 */
export type Taker = Readonly<{ who: string; own: AddressSet | undefined; apart: ReadonlyArray<Ip> }>

type Block = Readonly<{ first: Place; last: Place }>

/** The range, cut into blocks, in the order of the walk. */
const walkOf = (
  subnet: Subnet,
  range: PoolRange,
  who: string,
): Readonly<{ size: bigint; count: bigint; at: (i: bigint) => Block }> => {
  const width = hostBits(range)
  const block = Math.max(0, Math.min(BLOCK_BITS, width - COUNT_BITS))
  const [size, count] = [1n << BigInt(block), 1n << BigInt(width - block)]
  const [start, step] = [hashOf(who) * 0x9e3779b1n, (hashOf(`${who}/`) << 1n) | 1n]
  const base = BigInt(placeOf(subnet.cidr, firstOf(range)))
  const place = (n: bigint): Place => (typeof lastPlace(hostBits(subnet.cidr)) === 'number' ? Number(n) : n)
  return {
    size,
    count,
    at: (i) => {
      const first = base + ((start + i * step) % count) * size
      return { first: place(first), last: place(first + size - 1n) }
    },
  }
}
type PoolRange = Subnet['cidr']

/** A free place of a block that nobody else has a place in, or null. */
const freeAlone = ({ cidr, used }: Subnet, { own, apart }: Taker, { first, last }: Block): Place | null => {
  const mine = own === undefined ? 0n : countBetween(own, first, last)
  const others = countBetween(used, first, last) - mine
  const nobodys = new Set(
    [...apart, firstOf(cidr), lastOf(cidr)]
      .filter((ip) => apart.includes(ip) || isReserved(cidr, ip))
      .map((ip) => placeOf(cidr, ip))
      .filter((place) => first <= place && place <= last),
  )
  if (others > BigInt(nobodys.size)) return null
  const free = nextFree(used, first)
  return free === null || free > last ? null : free
}

/** A free address of a pool for whoever asks, like `chooseIp`. */
export const chooseSpread = (ipam: Ipam, id: PoolId, taker: Taker): Either<IpamError, Ip> => {
  const found = getPool(ipam, id)
  if (found === null) return E.left({ tag: 'PoolNotFound', pool: id })
  const { pool, subnet } = found
  const { size, count, at } = walkOf(subnet, pool.range, taker.who)
  const own = BigInt((taker.own ?? emptySet(0)).count)
  // So many blocks are full, unless something was given back: that is found once the walk comes round.
  const full = own / size
  const most = count < MOST_BLOCKS ? count : BigInt(MOST_BLOCKS)
  for (let i = 0n; i < most; i++) {
    const free = freeAlone(subnet, taker, at(full + i))
    if (free !== null) return E.right(ipAt(subnet.cidr, free))
  }
  const [first, last] = [placeOf(subnet.cidr, firstOf(pool.range)), placeOf(subnet.cidr, lastOf(pool.range))]
  for (const from of [at(0n).first, first]) {
    const free = nextFree(subnet.used, from)
    if (free !== null && free <= last) return E.right(ipAt(subnet.cidr, free))
  }
  return E.left({ tag: 'NoAvailableIPs', pool: id })
}
