// The `default` allocator: which pools are in use, choosing one, and never two subnets of a space that overlap (P16).
// Rules and error classes are libnetwork's (ipams/defaultipam); docs/ipam.md lists where and why we differ.
// A pool is used as long as it is not given back; a subnet as long as a pool on it is used.

import { type Cidr, cidrFamily, contains, covers, firstOf, lastOf, overlaps, showCidr } from '../net/cidr.ts'
import { type Family, familyOf, type Ip, ipOf, numberOf, widthOf } from '../net/ip.ts'
import { emptyMap, getIn, removeIn, setIn, sizeOfMap, valuesOf } from '../net/pmap.ts'
import { E, type Either } from '../prelude.ts'
import { type AddressSet, nextFree, nextTaken, type Place } from './address-set.ts'
import { DEFAULT_POOLS } from './defaults.ts'
import type { IpamError } from './error.ts'
import { parsePoolId, poolOf, wholeId } from './pool-id.ts'
import { prefixFault } from './prefix.ts'
import {
  freeIn,
  freshSubnet,
  ipAt,
  markSubnet,
  placeOf,
  releaseIn,
  takeIn,
  takeNext,
  wholeOf,
  withoutRange,
  withRange,
} from './subnet.ts'
import type { AddressSpace, DefaultPool, Defaults, Ipam, Pool, PoolId, Subnet } from './types.ts'

const fresh = (): Ipam['taken'][AddressSpace] => ({ 4: wholeOf(4), 6: wholeOf(6) })

export const freshIpam = (defaults: Defaults = DEFAULT_POOLS): Ipam => ({
  defaults,
  subnets: emptyMap(),
  taken: { LocalDefault: fresh(), GlobalDefault: fresh() },
})

/** Addresses that a free choice passes over, as places in the whole of their family. */
export type Excluded = Readonly<Record<Family, AddressSet>>
export const NOTHING_EXCLUDED: Excluded = { 4: wholeOf(4), 6: wholeOf(6) }

const exclude = (excluded: Excluded, prefix: Cidr): Excluded => {
  const family = cidrFamily(prefix)
  return { ...excluded, [family]: markSubnet(excluded[family], prefix, true) }
}
export const excluding = (prefixes: ReadonlyArray<Cidr>): Excluded => prefixes.reduce(exclude, NOTHING_EXCLUDED)

/**
 * What to ask of a space: a subnet, with or without a range of it; or any free one of a family, split to the default's own
 * size or to `size` (prefix length), overlapping nothing of `exclude` (what the host itself uses).
 */
export type PoolRequest = Readonly<{ space: AddressSpace }> &
  Readonly<
    | { tag: 'exactly'; subnet: Cidr; range: Cidr | null }
    | { tag: 'any'; family: Family; size: number | null; exclude: Excluded }
  >

/** The first multiple of `block` at or behind a place. */
const alignUp = (place: Place, block: bigint): bigint => ((BigInt(place) + block - 1n) / block) * block
/** An address of a family as a place in its whole. */
const inFamily = (family: Family, place: bigint): Place => (family === 4 ? Number(place) : place)

/**
 * The first free subnet of a default pool. Passes over taken and excluded runs in logarithmic time, and one by one over
 * blocks that are taken in part.
 */
const firstGap = (taken: AddressSet, excluded: AddressSet, base: Cidr, bits: number): Cidr | null => {
  const family = cidrFamily(base)
  const block = 1n << BigInt(widthOf(family) - bits)
  const end = numberOf(lastOf(base))
  let from = numberOf(firstOf(base))
  while (from <= end) {
    const place = inFamily(family, from)
    const free = nextFree(taken, place)
    const mine = nextFree(excluded, place)
    if (free === null || mine === null) return null
    // biome-ignore lint/complexity/useMathMinMax: Math.max refuses bigints
    const start = alignUp(free > mine ? free : mine, block)
    const last = start + block - 1n
    if (last > end) return null
    const first = inFamily(family, start)
    const blocked = [nextTaken(taken, first), nextTaken(excluded, first)].some((busy) => busy !== null && busy <= last)
    if (!blocked) return { ip: ipOf(family, start), bits }
    from = last + 1n
  }
  return null
}

const chooseAny = (
  ipam: Ipam,
  space: AddressSpace,
  { family, size, exclude: excluded }: Readonly<{ family: Family; size: number | null; exclude: Excluded }>,
): Either<IpamError, Pool> => {
  const fits = ({ base }: DefaultPool): boolean =>
    cidrFamily(base) === family && (size === null || (base.bits <= size && size <= widthOf(family)))
  const pools = ipam.defaults[space].filter(fits)
  if (pools.length === 0 && size !== null)
    return E.left({ tag: 'InvalidPool', asked: `${family === 4 ? '0.0.0.0' : '::'}/${size}`, fault: 'noDefaultOfSize' })
  for (const pool of pools) {
    const gap = firstGap(ipam.taken[space][family], excluded[family], pool.base, size ?? pool.size)
    if (gap !== null) return E.right(poolOf(space, gap, null))
  }
  return E.left({ tag: 'NoMoreSubnets', family, space })
}

/** What is wrong with a subnet and its range in themselves, whatever is in use. */
const faultOf = (subnet: Cidr, range: Cidr | null): IpamError | null => {
  const fault = prefixFault(subnet)
  if (fault !== null) return { tag: 'InvalidPool', asked: showCidr(subnet), fault }
  if (range === null) return null
  const sub = { tag: 'InvalidSubPool', asked: showCidr(range), pool: showCidr(subnet) } as const
  if (cidrFamily(range) !== cidrFamily(subnet)) return { ...sub, fault: 'otherFamily' }
  const part = prefixFault(range)
  if (part === 'hostBits') return { ...sub, fault: part }
  return overlaps(subnet, range) ? null : { ...sub, fault: 'outsidePool' }
}

/** The subnet in use that holds a taken address. */
const holderOf = (ipam: Ipam, space: AddressSpace, ip: Ip): Subnet | undefined => {
  for (let bits = 0; bits <= widthOf(familyOf(ip)); bits++) {
    const subnet = getIn(ipam.subnets, poolOf(space, { ip: firstOf({ ip, bits }), bits }, null).id)
    if (subnet !== undefined) return subnet
  }
  return undefined
}

/** A subnet in use that overlaps this one. Looks for its name only where there is one. */
const overlapped = (ipam: Ipam, { space, subnet }: Pool): Cidr | null => {
  const family = cidrFamily(subnet)
  const place = nextTaken(ipam.taken[space][family], firstOf(subnet))
  if (place === null || place > lastOf(subnet)) return null
  return holderOf(ipam, space, ipOf(family, BigInt(place)))?.cidr ?? null
}

const isWhole = ({ subnet, range }: Pool): boolean => subnet.bits === range.bits

/** What stands in the way of a pool, or null. Sub-pools of one subnet may stand side by side, and beside the whole. */
const obstacle = (ipam: Ipam, pool: Pool): IpamError | null => {
  const { space, subnet, range } = pool
  const known = getIn(ipam.subnets, wholeId(pool.id))
  if (known === undefined || isWhole(pool)) {
    const other = known?.cidr ?? overlapped(ipam, pool)
    return other === null ? null : { tag: 'PoolOverlap', asked: subnet, with: other, space }
  }
  const place = nextTaken(known.covered, placeOf(subnet, firstOf(range)))
  if (place === null || place > placeOf(subnet, lastOf(range))) return null
  const other = valuesOf(known.ranges).find((each) => overlaps(each, range)) ?? subnet
  return { tag: 'PoolOverlap', asked: range, with: other, space }
}

/** Which pool a request gets, without taking it. */
export const choosePool = (ipam: Ipam, request: PoolRequest): Either<IpamError, Pool> => {
  const { space } = request
  if (request.tag === 'any') return chooseAny(ipam, space, request)
  const { subnet } = request
  const fault = faultOf(subnet, request.range)
  if (fault !== null) return E.left(fault)
  const range = request.range !== null && covers(subnet, request.range) ? request.range : null
  const pool = poolOf(space, subnet, range)
  const other = obstacle(ipam, pool)
  return other === null ? E.right(pool) : E.left(other)
}

// Field by field, as in subnet.ts.
const withSubnet = ({ defaults, subnets, taken }: Ipam, key: string, subnet: Subnet): Ipam => ({
  defaults,
  subnets: setIn(subnets, key, subnet),
  taken,
})

/** The state with all addresses of a subnet marked as taken or not. */
const marking = ({ taken }: Ipam, space: AddressSpace, subnet: Cidr, yes: boolean): Ipam['taken'] => {
  const family = cidrFamily(subnet)
  return { ...taken, [space]: { ...taken[space], [family]: markSubnet(taken[space][family], subnet, yes) } }
}

/** The state with a pool in use that nothing stands in the way of. */
const withPool = (ipam: Ipam, pool: Pool): Ipam => {
  const { id, space, subnet, range } = pool
  const key = wholeId(id)
  const known = getIn(ipam.subnets, key)
  const old = known ?? freshSubnet(space, subnet)
  const next = isWhole(pool) ? { ...old, whole: true } : withRange(old, id, range)
  const taken = known === undefined ? marking(ipam, space, subnet, true) : ipam.taken
  return { defaults: ipam.defaults, subnets: setIn(ipam.subnets, key, next), taken }
}

/** Takes exactly this pool into use. Left if it is none, or overlaps one that is in use. */
export const takePool = (ipam: Ipam, pool: Pool): Either<IpamError, Ipam> => {
  const wrong = faultOf(pool.subnet, isWhole(pool) ? null : pool.range) ?? obstacle(ipam, pool)
  return wrong === null ? E.right(withPool(ipam, pool)) : E.left(wrong)
}

/** Chooses a pool and takes it into use. */
export const requestPool = (
  ipam: Ipam,
  request: PoolRequest,
): Either<IpamError, Readonly<{ ipam: Ipam; pool: Pool }>> =>
  E.map((pool: Pool) => ({ ipam: withPool(ipam, pool), pool }))(choosePool(ipam, request))

type Found = Readonly<{ key: string; subnet: Subnet; range: Cidr }>

const findPool = (ipam: Ipam, id: string): Found | null => {
  const key = wholeId(id)
  const subnet = getIn(ipam.subnets, key)
  if (subnet === undefined) return null
  if (id === key) return subnet.whole ? { key, subnet, range: subnet.cidr } : null
  const range = getIn(subnet.ranges, id)
  return range === undefined ? null : { key, subnet, range }
}

export const getPool = (ipam: Ipam, id: PoolId): Readonly<{ pool: Pool; subnet: Subnet }> | null => {
  const found = findPool(ipam, id)
  return found === null
    ? null
    : { pool: { id, space: found.subnet.space, subnet: found.subnet.cidr, range: found.range }, subnet: found.subnet }
}

/** Why there is no such pool: its id is none, or it is not in use. */
const unknown = (id: string, tag: 'BadPool' | 'PoolNotFound'): Either<IpamError, never> => {
  const pool = parsePoolId(id)
  return E.isLeft(pool) ? pool : E.left({ tag, pool: pool.right.id })
}

/** Gives a pool back. With the last pool of a subnet go the subnet and all its addresses. */
export const releasePool = (ipam: Ipam, id: string): Either<IpamError, Ipam> => {
  const found = findPool(ipam, id)
  if (found === null) return unknown(id, 'BadPool')
  const { key, subnet: old } = found
  const next: Subnet = id === key ? { ...old, whole: false } : withoutRange(old, id, found.range)
  if (next.whole || sizeOfMap(next.ranges) > 0) return E.right(withSubnet(ipam, key, next))
  return E.right({
    ...ipam,
    subnets: removeIn(ipam.subnets, key),
    taken: marking(ipam, old.space, old.cidr, false),
  })
}

/** `preferred` null: any, the lowest free one or (`serial`) the one behind the last that was given so. */
export type AddressRequest = Readonly<{ preferred: Ip | null; serial: boolean }>
export type Given = Readonly<{ ipam: Ipam; ip: Ip; subnet: Cidr }>

/** Chooses and takes an address of a pool. A preferred one may lie outside the pool's range, not outside its subnet. */
export const requestIp = (ipam: Ipam, id: string, request: AddressRequest): Either<IpamError, Given> => {
  const found = findPool(ipam, id)
  if (found === null) return unknown(id, 'PoolNotFound')
  const { key, subnet, range } = found
  const { preferred, serial } = request
  // A cast: a pool was found by it.
  const pool = id as PoolId
  if (preferred === null) {
    const place = freeIn(subnet, range, serial)
    if (place === null) return E.left({ tag: 'NoAvailableIPs', pool })
    const next = withSubnet(ipam, key, takeNext(subnet, place))
    return E.right({ ipam: next, ip: ipAt(subnet.cidr, place), subnet: subnet.cidr })
  }
  if (!contains(subnet.cidr, preferred)) return E.left({ tag: 'IPOutOfRange', pool, ip: preferred })
  const next = takeIn(subnet, preferred)
  if (next === null) return E.left({ tag: 'IPAlreadyAllocated', pool, ip: preferred })
  return E.right({ ipam: withSubnet(ipam, key, next), ip: preferred, subnet: subnet.cidr })
}

/** The address that a request would get: `preferred` if it is free, else (null) the lowest free one. */
export const chooseIp = (ipam: Ipam, id: PoolId, preferred: Ip | null): Either<IpamError, Ip> =>
  E.map(({ ip }: Given) => ip)(requestIp(ipam, id, { preferred, serial: false }))

export const takeIp = (ipam: Ipam, id: PoolId, preferred: Ip): Either<IpamError, Ipam> =>
  E.map(({ ipam: next }: Given) => next)(requestIp(ipam, id, { preferred, serial: false }))

/** Gives an address of a pool's subnet back; one that is free, or reserved, stays as it is. */
export const releaseIp = (ipam: Ipam, id: string, ip: Ip): Either<IpamError, Ipam> => {
  const found = findPool(ipam, id)
  if (found === null) return unknown(id, 'PoolNotFound')
  const { key, subnet } = found
  // A cast: a pool was found by it.
  if (!contains(subnet.cidr, ip)) return E.left({ tag: 'IPOutOfRange', pool: id as PoolId, ip })
  const next = releaseIn(subnet, ip)
  return E.right(next === subnet ? ipam : withSubnet(ipam, key, next))
}

/** The pools in use, in the order of their ids. */
export const poolsOf = ({ subnets }: Ipam): ReadonlyArray<Pool> =>
  valuesOf(subnets).flatMap(({ space, cidr, whole, ranges }) => [
    ...(whole ? [poolOf(space, cidr, null)] : []),
    ...valuesOf(ranges).map((range) => poolOf(space, cidr, range)),
  ])
