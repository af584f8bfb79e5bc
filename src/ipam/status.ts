// How many addresses of a pool are given, reserved and free: libnetwork's PoolStatus, exact and not cut off at 2^64 - 1.
// Invariant: the three add up to the size. Counting walks down one path of the set for each end of a range, O(16 b/4) in a
// block of 2^b, and builds nothing: a pool costs the same however much of it is used.

import { type Cidr, firstOf, lastOf } from '../net/cidr.ts'
import { compareIp, type Ip, numberOf } from '../net/ip.ts'
import type { AddressSet, Place } from './address-set.ts'
import type { Runs } from './runs.ts'
import { getPool } from './space.ts'
import { isReserved, placeOf } from './subnet.ts'
import type { Ipam, PoolId, Subnet } from './types.ts'

/** Addresses. `used`: given to somebody; `reserved`: nobody may have them. */
export type Counts = Readonly<{ size: bigint; used: bigint; reserved: bigint; free: bigint }>

/**
 * Of the range that automatic addresses come from, and of all its subnet. libnetwork's IPsInUse is `used` and `reserved` of
 * the subnet, its DynamicIPsAvailable is `free` of the range.
 */
export type PoolStatus = Readonly<{ range: Counts; subnet: Counts }>

const listedTo = (list: Runs, n: number): number => {
  let count = 0
  for (let i = 0; i < list.length; i += 2) {
    const [from = 0, to = 0] = [list[i], list[i + 1]]
    if (from > n) break
    count += Math.min(to, n) - from + 1
  }
  return count
}

const sum = (a: Place, b: Place): Place => {
  const exact = typeof a === 'number' && typeof b === 'number' && a + b <= Number.MAX_SAFE_INTEGER
  return exact ? a + b : BigInt(a) + BigInt(b)
}

/** How many places up to `n`, that included, are taken. */
const countTo = ({ bits, runs, list, kids }: AddressSet, n: Place): Place => {
  if (runs === 0) return 0
  if (list.length > 0) return listedTo(list, Number(n))
  const [low] = kids
  // A leaf without a list that is not empty is wide, and full.
  if (low === undefined) return BigInt(n) + 1n
  const digit = typeof n === 'number' ? Math.floor(n / 2 ** low.bits) : Number(n >> BigInt(low.bits))
  const kid = kids[digit]
  if (kid === undefined) throw new Error(`status: place ${n} of a block of 2^${bits}`)
  let count: Place = 0
  for (let i = 0; i < digit; i++) count = sum(count, kids[i]?.count ?? 0)
  return sum(count, countTo(kid, typeof n === 'number' ? n % 2 ** low.bits : BigInt.asUintN(low.bits, n)))
}

/** How many of the places `from`..`to` of a set are taken; 0 <= from <= to. */
export const countBetween = (set: AddressSet, from: Place, to: Place): bigint => {
  const upTo = BigInt(countTo(set, to))
  return from > 0 ? upTo - BigInt(countTo(set, typeof from === 'number' ? from - 1 : from - 1n)) : upTo
}

/** The reserved addresses from `first` to `last`: those of a subnet are at its ends, and never side by side. */
export const reservedBetween = (subnet: Cidr, first: Ip, last: Ip): ReadonlyArray<Ip> =>
  [firstOf(subnet), lastOf(subnet)].filter(
    (ip) => compareIp(first, ip) <= 0 && compareIp(ip, last) <= 0 && isReserved(subnet, ip),
  )

/** Of the addresses from `first` to `last` of a subnet. */
export const countsBetween = ({ cidr, used }: Subnet, first: Ip, last: Ip): Counts => {
  const size = numberOf(last) - numberOf(first) + 1n
  const taken = countBetween(used, placeOf(cidr, first), placeOf(cidr, last))
  const reserved = BigInt(reservedBetween(cidr, first, last).length)
  return { size, used: taken - reserved, reserved, free: size - taken }
}

/** Of a range of a subnet. */
export const countsOf = (subnet: Subnet, range: Cidr): Counts => countsBetween(subnet, firstOf(range), lastOf(range))

/** Null: nobody holds this pool. */
export const poolStatus = (ipam: Ipam, id: PoolId): PoolStatus | null => {
  const found = getPool(ipam, id)
  if (found === null) return null
  const { pool, subnet } = found
  return { range: countsOf(subnet, pool.range), subnet: countsOf(subnet, pool.subnet) }
}
