// Address spaces: which pools are in use, choosing one from the defaults, and never two that overlap (P16).
// The default pools are libnetwork's (ipamutils): 31 local networks from 172.17.0.0/16 up and 192.168.0.0/16 by /20,
// global ones from 10.0.0.0/8 by /24. For IPv6 a /64 of the ULA prefix given at start, else of fd00:c0a8::/48.

import { type Cidr, cidr, cidrFamily, covers, firstOf, lastOf, nthOf, overlaps } from '../net/cidr.ts'
import { type Family, type Ip, numberOf, widthOf } from '../net/ip.ts'
import { emptyMap, getIn, removeIn, setIn, valuesOf } from '../net/pmap.ts'
import { E, type Either } from '../prelude.ts'
import type { IpamError } from './error.ts'
import { freeAddress, freshPool, poolId, releaseAddress, takeAddress } from './pool.ts'
import type { AddressSpace, DefaultPool, Ipam, Pool, PoolId } from './types.ts'

const split = (base: string, size: number): DefaultPool => ({ base: cidr(base), size })

export const DEFAULT_POOLS: Ipam['defaults'] = {
  LocalDefault: [
    split('172.17.0.0/16', 16),
    split('172.18.0.0/16', 16),
    split('172.19.0.0/16', 16),
    split('172.20.0.0/14', 16),
    split('172.24.0.0/14', 16),
    split('172.28.0.0/14', 16),
    split('192.168.0.0/16', 20),
    split('fd00:c0a8::/48', 64),
  ],
  GlobalDefault: [split('10.0.0.0/8', 24), split('fd00:c0a9::/48', 64)],
}

export const freshIpam = (defaults: Ipam['defaults'] = DEFAULT_POOLS): Ipam => ({ defaults, pools: emptyMap() })

/** Pools of one space, in the order of their ids. */
const poolsOf = (ipam: Ipam, space: AddressSpace): ReadonlyArray<Pool> =>
  valuesOf(ipam.pools).filter((pool) => pool.space === space)

/** What to ask of a space: exactly `subnet`, or (null) the first free of the defaults of this family. */
export type PoolRequest = Readonly<{ space: AddressSpace; family: Family; subnet: Cidr | null; range: Cidr | null }>

/** Number of subnets a default pool splits into. */
const piecesOf = ({ base, size }: DefaultPool): bigint => 1n << BigInt(Math.max(0, size - base.bits))

/** The first subnet of a default pool that overlaps nothing in use. Goes on behind a conflict, so it costs O(pools squared). */
const firstFree = (pool: DefaultPool, inUse: ReadonlyArray<Cidr>): Cidr | null => {
  const step = 1n << BigInt(widthOf(cidrFamily(pool.base)) - pool.size)
  const start = numberOf(firstOf(pool.base))
  for (let i = 0n; i < piecesOf(pool); ) {
    const candidate: Cidr = { ip: nthOf(pool.base, i * step), bits: pool.size }
    const conflict = inUse.find((used) => overlaps(used, candidate))
    if (conflict === undefined) return candidate
    const behind = (numberOf(lastOf(conflict)) - start) / step + 1n
    i = behind > i ? behind : i + 1n
  }
  return null
}

/** Which subnet a request gets, without taking it. */
export const choosePool = (ipam: Ipam, request: PoolRequest): Either<IpamError, Pool> => {
  const { space, family, subnet, range } = request
  const inUse = poolsOf(ipam, space).map((pool) => pool.subnet)
  if (subnet !== null) {
    if (range !== null && !covers(subnet, range)) return E.left({ tag: 'RangeOutsidePool', range, pool: subnet })
    const conflict = inUse.find((used) => overlaps(used, subnet))
    if (conflict !== undefined) return E.left({ tag: 'PoolOverlap', asked: subnet, with: conflict, space })
    return E.right(freshPool(space, subnet, range ?? subnet))
  }
  for (const pool of ipam.defaults[space]) {
    if (cidrFamily(pool.base) !== family) continue
    const free = firstFree(pool, inUse)
    if (free !== null) return E.right(freshPool(space, free, free))
  }
  return E.left({ tag: 'PoolsExhausted', family, space })
}

/** Takes a pool into use. Left if it overlaps one that is. */
export const takePool = (ipam: Ipam, pool: Pool): Either<IpamError, Ipam> => {
  const conflict = poolsOf(ipam, pool.space).find((used) => overlaps(used.subnet, pool.subnet))
  if (conflict !== undefined)
    return E.left({ tag: 'PoolOverlap', asked: pool.subnet, with: conflict.subnet, space: pool.space })
  return E.right({ ...ipam, pools: setIn(ipam.pools, pool.id, pool) })
}

/** Gives a pool back, with all its addresses; an unknown one changes nothing. */
export const releasePool = (ipam: Ipam, id: PoolId): Ipam => ({ ...ipam, pools: removeIn(ipam.pools, id) })

const inPool = <A>(ipam: Ipam, id: PoolId, f: (pool: Pool) => Either<IpamError, A>): Either<IpamError, A> => {
  const pool = getIn(ipam.pools, id)
  return pool === undefined ? E.left({ tag: 'UnknownPool', pool: id }) : f(pool)
}

/** The address a request would get: `preferred` if it is free, else (null) the lowest free one. */
export const chooseIp = (ipam: Ipam, id: PoolId, preferred: Ip | null): Either<IpamError, Ip> =>
  inPool(ipam, id, (pool) =>
    preferred === null ? freeAddress(pool) : E.map(() => preferred)(takeAddress(pool, preferred)),
  )

export const takeIp = (ipam: Ipam, id: PoolId, ip: Ip): Either<IpamError, Ipam> =>
  E.map((pool: Pool) => ({ ...ipam, pools: setIn(ipam.pools, id, pool) }))(
    inPool(ipam, id, (pool) => takeAddress(pool, ip)),
  )

export const releaseIp = (ipam: Ipam, id: PoolId, ip: Ip): Ipam => {
  const pool = getIn(ipam.pools, id)
  return pool === undefined ? ipam : { ...ipam, pools: setIn(ipam.pools, id, releaseAddress(pool, ip)) }
}

export const getPool = (ipam: Ipam, id: PoolId): Pool | undefined => getIn(ipam.pools, id)
export { poolId }
