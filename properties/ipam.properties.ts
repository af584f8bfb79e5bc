// Address management against a reference model that is slow and obvious: a set of taken numbers.

import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { freeAddress, freshPool, releaseAddress, takeAddress } from '../src/ipam/pool.ts'
import { countOf, exclude, holds, include, lowestFree, NO_RANGES } from '../src/ipam/ranges.ts'
import { choosePool, freshIpam, releasePool, takePool } from '../src/ipam/space.ts'
import { cidr, contains, firstOf, lastOf, nthOf, overlaps } from '../src/net/cidr.ts'
import { valuesOf } from '../src/net/pmap.ts'
import { E } from '../src/prelude.ts'

const number = fc.bigInt(0n, 24n)

describe('ranges', () => {
  test.prop([fc.array(fc.record({ n: number, put: fc.boolean() })), number, number])('are a set', (edits, from, to) => {
    let ranges = NO_RANGES
    const set = new Set<bigint>()
    for (const { n, put } of edits) {
      ranges = put ? include(ranges, n) : exclude(ranges, n)
      if (put) set.add(n)
      else set.delete(n)
    }
    expect(countOf(ranges)).toBe(BigInt(set.size))
    for (let n = 0n; n <= 24n; n++) expect(holds(ranges, n)).toBe(set.has(n))
    let lowest: bigint | null = null
    for (let n = to; n >= from; n--) if (!set.has(n)) lowest = n
    expect(lowestFree(ranges, from, to)).toBe(lowest)
    for (const [i, range] of ranges.entries()) {
      const next = ranges[i + 1]
      if (next !== undefined) expect(next.from).toBeGreaterThan(range.to + 1n)
    }
  })
})

const subnet = fc.constantFrom(
  '10.0.0.0/28',
  '10.0.0.0/30',
  '10.0.0.0/31',
  '10.0.0.7/32',
  'fd00::/124',
  'fd00::/127',
  'fd00::1/128',
)

describe('a pool', () => {
  test.prop([subnet])(
    'hands out every address that is not reserved, lowest first, each once, then says it is full',
    (text) => {
      const network = cidr(text)
      let pool = freshPool('LocalDefault', network, network)
      const reserved = countOf(pool.used)
      const got: Array<number | bigint> = []
      for (;;) {
        const next = freeAddress(pool)
        if (E.isLeft(next)) {
          expect(next.left.tag).toBe('PoolFull')
          break
        }
        expect(contains(network, next.right)).toBe(true)
        got.push(next.right)
        const taken = takeAddress(pool, next.right)
        if (E.isLeft(taken)) throw new Error('a free address could not be taken')
        pool = taken.right
      }
      expect(got).toEqual([...got].sort((a, b) => (a < b ? -1 : 1)))
      expect(new Set(got).size).toBe(got.length)
      expect(BigInt(got.length) + reserved).toBe(BigInt(lastOf(network)) - BigInt(firstOf(network)) + 1n)
    },
  )

  test.prop([subnet, fc.bigInt(0n, 15n)])('is as before when an address is taken and given back', (text, n) => {
    const network = cidr(text)
    const pool = freshPool('LocalDefault', network, network)
    const address = nthOf(network, n % (BigInt(lastOf(network)) - BigInt(firstOf(network)) + 1n))
    const taken = takeAddress(pool, address)
    if (E.isRight(taken)) {
      expect(takeAddress(taken.right, address)).toEqual(E.left({ tag: 'AddressTaken', pool: pool.id, ip: address }))
      expect(releaseAddress(taken.right, address)).toEqual(pool)
    } else expect(releaseAddress(pool, address)).toEqual(pool)
  })
})

const request = fc.record({
  space: fc.constant('LocalDefault' as const),
  family: fc.constantFrom(4 as const, 6 as const),
  subnet: fc.option(
    fc.constantFrom('172.18.0.0/16', '172.16.0.0/12', '10.0.0.0/8', '10.1.0.0/16', '192.168.16.0/20').map(cidr),
  ),
  range: fc.constant(null),
})

describe('an address space', () => {
  test.prop([fc.array(fc.record({ request, release: fc.nat(9) }), { maxLength: 40 })])(
    'never has two pools that overlap (P16)',
    (asked) => {
      let ipam = freshIpam()
      for (const { request: each, release } of asked) {
        const pool = choosePool(ipam, { ...each, family: each.subnet === null ? each.family : 4 })
        const taken = E.isRight(pool) ? takePool(ipam, pool.right) : pool
        if (E.isRight(taken)) ipam = taken.right
        const pools = valuesOf(ipam.pools)
        pools.forEach((a, i) => {
          for (const b of pools.slice(i + 1)) expect(overlaps(a.subnet, b.subnet)).toBe(false)
        })
        const victim = pools[release]
        if (victim !== undefined) ipam = releasePool(ipam, victim.id)
      }
    },
  )

  test.prop([fc.constant(null)])('has 31 default IPv4 networks on a host, as libnetwork has', () => {
    let ipam = freshIpam()
    let count = 0
    for (;;) {
      const pool = choosePool(ipam, { space: 'LocalDefault', family: 4, subnet: null, range: null })
      if (E.isLeft(pool)) break
      const taken = takePool(ipam, pool.right)
      if (E.isLeft(taken)) throw new Error('a free pool could not be taken')
      ipam = taken.right
      count += 1
    }
    expect(count).toBe(31)
  })
})
