// How many addresses of a pool are given, reserved and free: libnetwork's PoolStatus, exact and not cut off at 2^64 - 1.
// Invariant: the three add up to the size. Nothing is built: a pool costs the same however much of it is used.

import { type Cidr, firstOf, lastOf } from '../net/cidr.ts'
import { compareIp, type Ip, numberOf } from '../net/ip.ts'
import { countBetween } from './address-set.ts'
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
