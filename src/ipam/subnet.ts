// Addresses of one subnet: which is free, taking one, giving it back.
// Reserved from the start, as in libnetwork: the network address (IPv4 unless /31 or /32, RFC 3021; IPv6 unless /128, it is
// the subnet-router anycast address, RFC 4291 section 2.6.1) and the IPv4 broadcast address.

import { type Cidr, cidrFamily, firstOf, lastOf } from '../net/cidr.ts'
import { type Ip, ip4, ip6, widthOf } from '../net/ip.ts'
import { emptyMap, removeIn, setIn } from '../net/pmap.ts'
import {
  type AddressSet,
  emptySet,
  has,
  lastPlace,
  nextFree,
  type Place,
  release,
  setRange,
  take,
} from './address-set.ts'
import type { AddressSpace, PoolId, Subnet } from './types.ts'

/** How many bits tell the addresses of a subnet apart. */
export const hostBits = ({ ip, bits }: Cidr): number => (typeof ip === 'number' ? 32 : 128) - bits

/** Where an address of the subnet stands in its set. */
export const placeOf = (subnet: Cidr, ip: Ip): Place => {
  if (typeof ip === 'number') return typeof subnet.ip === 'number' ? ip - subnet.ip : 0
  const place = ip - BigInt(subnet.ip)
  return typeof lastPlace(hostBits(subnet)) === 'number' ? Number(place) : place
}

export const ipAt = (subnet: Cidr, place: Place): Ip =>
  typeof subnet.ip === 'number' ? ip4(subnet.ip + Number(place)) : ip6(subnet.ip + BigInt(place))

const lowReserved = (subnet: Cidr): boolean => hostBits(subnet) > (cidrFamily(subnet) === 4 ? 1 : 0)
const highReserved = (subnet: Cidr): boolean => cidrFamily(subnet) === 4 && hostBits(subnet) > 1

/** Whether nobody may have this address of the subnet. */
export const isReserved = (subnet: Cidr, ip: Ip): boolean =>
  (lowReserved(subnet) && ip === subnet.ip) || (highReserved(subnet) && ip === lastOf(subnet))

/** The set of a subnet in which only what is reserved is taken. */
export const reservedSet = (subnet: Cidr): AddressSet => {
  const bits = hostBits(subnet)
  const zero = placeOf(subnet, firstOf(subnet))
  const low = lowReserved(subnet) ? take(emptySet(bits), zero) : emptySet(bits)
  return highReserved(subnet) ? take(low, lastPlace(bits)) : low
}

/** `cidr` is canonical. */
export const freshSubnet = (space: AddressSpace, cidr: Cidr): Subnet => ({
  space,
  cidr,
  used: reservedSet(cidr),
  cursor: placeOf(cidr, cidr.ip),
  whole: false,
  ranges: emptyMap(),
  covered: emptySet(hostBits(cidr)),
})

/** Whether `ip`, which lies in the subnet, is taken or reserved. */
export const isTaken = (subnet: Subnet, ip: Ip): boolean => has(subnet.used, placeOf(subnet.cidr, ip))

// Field by field: a spread would take longer than all the rest of a request (see docs/performance.md).
const withUsed = ({ space, cidr, whole, ranges, covered }: Subnet, used: AddressSet, cursor: Place): Subnet => ({
  space,
  cidr,
  used,
  cursor,
  whole,
  ranges,
  covered,
})

const cover = ({ cidr, covered }: Subnet, range: Cidr, yes: boolean): AddressSet =>
  setRange(covered, placeOf(cidr, firstOf(range)), placeOf(cidr, lastOf(range)), yes)

/** The subnet with a sub-pool more, which overlaps none. */
export const withRange = (subnet: Subnet, id: PoolId, range: Cidr): Subnet => ({
  ...subnet,
  ranges: setIn(subnet.ranges, id, range),
  covered: cover(subnet, range, true),
})

export const withoutRange = (subnet: Subnet, id: string, range: Cidr): Subnet => ({
  ...subnet,
  ranges: removeIn(subnet.ranges, id),
  covered: cover(subnet, range, false),
})

/** The subnet with `ip`, which lies in it, taken; null if it is already. */
export const takeIn = (subnet: Subnet, ip: Ip): Subnet | null => {
  const used = take(subnet.used, placeOf(subnet.cidr, ip))
  return used === subnet.used ? null : withUsed(subnet, used, subnet.cursor)
}

/** The subnet with `ip`, which lies in it, free; one that is free, or reserved, stays as it is. */
export const releaseIn = (subnet: Subnet, ip: Ip): Subnet => {
  if (isReserved(subnet.cidr, ip)) return subnet
  const used = release(subnet.used, placeOf(subnet.cidr, ip))
  return used === subnet.used ? subnet : withUsed(subnet, used, subnet.cursor)
}

const freeBetween = (used: AddressSet, from: Place, to: Place): Place | null => {
  const place = nextFree(used, from)
  return place === null || place > to ? null : place
}

/**
 * The free address of the range that is next: the lowest, or (serial) the first behind the last automatic one, going round
 * at the end of the range. Null if there is none.
 */
export const freeIn = ({ cidr, used, cursor }: Subnet, range: Cidr, serial: boolean): Place | null => {
  const first = placeOf(cidr, firstOf(range))
  const last = placeOf(cidr, lastOf(range))
  const lowest = (): Place | null => freeBetween(used, first, last)
  return serial && cursor >= first && cursor <= last ? (freeBetween(used, cursor, last) ?? lowest()) : lowest()
}

/** The subnet with a free place taken automatically: the next serial request looks behind it. */
export const takeNext = (subnet: Subnet, place: Place): Subnet =>
  withUsed(subnet, take(subnet.used, place), typeof place === 'number' ? place + 1 : place + 1n)

/** All addresses of a subnet as a part of its family's whole: taken or not. */
export const markSubnet = (whole: AddressSet, subnet: Cidr, taken: boolean): AddressSet =>
  setRange(whole, firstOf(subnet), lastOf(subnet), taken)

export const wholeOf = (family: 4 | 6): AddressSet => emptySet(widthOf(family))
