// The default pools: what a request without a subnet is served from. libnetwork's (ipamutils): 31 local networks from
// 172.17.0.0/16 up and 192.168.0.0/16 by /20, global ones from 10.0.0.0/8 by /24. For IPv6 /64s of a unique local prefix
// (RFC 4193).

import { type Cidr, cidr, cidrFamily, compareCidr, isNetwork, overlaps, showCidr } from '../net/cidr.ts'
import { widthOf } from '../net/ip.ts'
import { E, type Either } from '../prelude.ts'
import type { IpamError } from './error.ts'
import { isHostPrefix } from './prefix.ts'
import type { DefaultPool, Defaults } from './types.ts'

const split = (base: string, size: number): DefaultPool => ({ base: cidr(base), size })

export const DEFAULT_POOLS: Defaults = {
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

const faultOf = ({ base, size }: DefaultPool): IpamError | null => {
  const invalid = (fault: 'hostBits' | 'notUnicast' | 'sizeShorterThanBase' | 'sizeTooLong'): IpamError => ({
    tag: 'InvalidPool',
    asked: `${showCidr(base)} by /${size}`,
    fault,
  })
  if (!isNetwork(base)) return invalid('hostBits')
  if (!isHostPrefix(base)) return invalid('notUnicast')
  if (size < base.bits) return invalid('sizeShorterThanBase')
  return size > widthOf(cidrFamily(base)) ? invalid('sizeTooLong') : null
}

/**
 * Configured pools in the order they are used: ascending, each without those that an earlier or shorter prefix overlaps.
 * Left: the first that is none.
 */
export const arrange = (pools: ReadonlyArray<DefaultPool>): Either<IpamError, ReadonlyArray<DefaultPool>> => {
  const fault = pools.map(faultOf).find((each) => each !== null)
  if (fault !== undefined) return E.left(fault)
  const kept: DefaultPool[] = []
  let last: Cidr | null = null
  for (const pool of [...pools].sort((a, b) => compareCidr(a.base, b.base))) {
    if (last !== null && overlaps(last, pool.base)) continue
    kept.push(pool)
    last = pool.base
  }
  return E.right(kept)
}
