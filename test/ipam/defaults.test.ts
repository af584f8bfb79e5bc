// The default pools, as they are and as they are configured.

import { describe, expect, test } from 'vitest'
import { arrange, DEFAULT_POOLS } from '../../src/ipam/defaults.ts'
import { ipamErrorClass } from '../../src/ipam/error.ts'
import type { DefaultPool } from '../../src/ipam/types.ts'
import { cidr, showCidr } from '../../src/net/cidr.ts'
import { E } from '../../src/prelude.ts'

const of = (...pools: ReadonlyArray<readonly [base: string, size: number]>): ReadonlyArray<DefaultPool> =>
  pools.map(([base, size]) => ({ base: cidr(base), size }))

const arranged = (pools: ReadonlyArray<DefaultPool>): ReadonlyArray<string> | string => {
  const result = arrange(pools)
  if (E.isRight(result)) return result.right.map(({ base, size }) => `${showCidr(base)} by /${size}`)
  return result.left.tag === 'InvalidPool' ? `${result.left.asked}: ${result.left.fault}` : result.left.tag
}

describe('default pools', () => {
  test.for(['LocalDefault', 'GlobalDefault'] as const)('of %s are arranged already', (space) => {
    expect(arrange(DEFAULT_POOLS[space])).toEqual(E.right(DEFAULT_POOLS[space]))
  })

  test.for([
    [
      'are used in ascending order',
      of(['192.168.0.0/16', 24], ['10.0.0.0/8', 16]),
      ['10.0.0.0/8 by /16', '192.168.0.0/16 by /24'],
    ],
    ['are of IPv4 before IPv6', of(['fd00::/48', 64], ['10.0.0.0/8', 16]), ['10.0.0.0/8 by /16', 'fd00::/48 by /64']],
    [
      'that a shorter prefix overlaps are left out',
      of(['10.1.0.0/16', 24], ['10.0.0.0/8', 16], ['10.255.0.0/16', 24], ['11.0.0.0/8', 16]),
      ['10.0.0.0/8 by /16', '11.0.0.0/8 by /16'],
    ],
    ['that are there twice are used once', of(['10.0.0.0/8', 16], ['10.0.0.0/8', 24]), ['10.0.0.0/8 by /16']],
    ['may be one network', of(['10.0.0.0/8', 8]), ['10.0.0.0/8 by /8']],
    [
      'may be split to single addresses',
      of(['10.0.0.0/24', 32], ['fd00::/64', 128]),
      ['10.0.0.0/24 by /32', 'fd00::/64 by /128'],
    ],
    ['may be none', [], []],
    ['have no host bits', of(['10.0.0.0/8', 16], ['172.17.0.1/16', 24]), '172.17.0.1/16 by /24: hostBits'],
    ['are not larger split than whole', of(['10.0.0.0/16', 8]), '10.0.0.0/16 by /8: sizeShorterThanBase'],
    ['are split to sizes that there are', of(['10.0.0.0/8', 33]), '10.0.0.0/8 by /33: sizeTooLong'],
    ['are split to sizes that there are in IPv6', of(['fd00::/48', 129]), 'fd00::/48 by /129: sizeTooLong'],
    ['are of addresses that hosts may have', of(['224.0.0.0/8', 16]), '224.0.0.0/8 by /16: notUnicast'],
    ['are of addresses that hosts may have in IPv6', of(['fe80::/64', 80]), 'fe80::/64 by /80: notUnicast'],
  ] as const)('%s', ([, pools, want]) => {
    expect(arranged(pools)).toEqual(want)
  })

  test('that are none are an invalid parameter', () => {
    expect(ipamErrorClass.InvalidPool).toBe('InvalidParameter')
  })
})
