// Addresses of one pool: which is free, taking one, giving it back.
// Reserved from the start, as libnetwork does: the network address (IPv4 unless /31 or /32, RFC 3021; IPv6 always, it is
// the subnet-router anycast address, RFC 4291 section 2.6.1) and the IPv4 broadcast address.

import { type Cidr, cidrFamily, contains, firstOf, lastOf, nthOf, showCidr } from '../net/cidr.ts'
import { type Ip, numberOf } from '../net/ip.ts'
import { E, type Either } from '../prelude.ts'
import type { IpamError } from './error.ts'
import { exclude, holds, include, lowestFree, NO_RANGES, type Ranges } from './ranges.ts'
import type { AddressSpace, Pool, PoolId } from './types.ts'

const sameNetwork = (a: Cidr, b: Cidr): boolean => a.ip === b.ip && a.bits === b.bits

export const poolId = (space: AddressSpace, subnet: Cidr, range: Cidr): PoolId =>
  // A cast: this is where the id of a pool is made.
  `${space}/${showCidr(subnet)}${sameNetwork(subnet, range) ? '' : `/${showCidr(range)}`}` as PoolId

const placeOf = (pool: Pool, ip: Ip): bigint => numberOf(ip) - numberOf(firstOf(pool.subnet))

const reserved = (subnet: Cidr): Ranges => {
  if (cidrFamily(subnet) === 6) return subnet.bits === 128 ? NO_RANGES : include(NO_RANGES, 0n)
  if (subnet.bits >= 31) return NO_RANGES
  return include(include(NO_RANGES, 0n), numberOf(lastOf(subnet)) - numberOf(firstOf(subnet)))
}

/** A pool with nothing taken but what is reserved. `subnet` and `range` are canonical, `range` lies in `subnet`. */
export const freshPool = (space: AddressSpace, subnet: Cidr, range: Cidr): Pool => ({
  id: poolId(space, subnet, range),
  space,
  subnet,
  range,
  used: reserved(subnet),
})

/** Takes exactly `ip`, which may lie outside the range but not outside the subnet. */
export const takeAddress = (pool: Pool, ip: Ip): Either<IpamError, Pool> => {
  if (!contains(pool.subnet, ip)) return E.left({ tag: 'AddressOutsidePool', pool: pool.id, ip })
  const place = placeOf(pool, ip)
  if (holds(pool.used, place)) return E.left({ tag: 'AddressTaken', pool: pool.id, ip })
  return E.right({ ...pool, used: include(pool.used, place) })
}

/** The lowest free address of the range. */
export const freeAddress = (pool: Pool): Either<IpamError, Ip> => {
  const place = lowestFree(pool.used, placeOf(pool, firstOf(pool.range)), placeOf(pool, lastOf(pool.range)))
  return place === null ? E.left({ tag: 'PoolFull', pool: pool.id }) : E.right(nthOf(pool.subnet, place))
}

/** Gives an address back; one that is not taken, or reserved, stays as it is. */
export const releaseAddress = (pool: Pool, ip: Ip): Pool => {
  if (!contains(pool.subnet, ip)) return pool
  const place = placeOf(pool, ip)
  return holds(reserved(pool.subnet), place) ? pool : { ...pool, used: exclude(pool.used, place) }
}
