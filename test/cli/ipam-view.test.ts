// What `cnm ipam show` knows of a pool, for pools that a log would take long to fill.

import { describe, expect, test } from 'vitest'
import { cellsOf, countStretches, stretchesOf, viewsOf } from '../../src/cli/ipam/view.ts'
import { type AddressSet, ofRuns, take } from '../../src/ipam/address-set.ts'
import { freshIpam } from '../../src/ipam/space.ts'
import { freshSubnet, placeOf } from '../../src/ipam/subnet.ts'
import type { Ipam } from '../../src/ipam/types.ts'
import { cidr, firstOf } from '../../src/net/cidr.ts'
import { showIp } from '../../src/net/ip.ts'
import { setIn, valuesOf } from '../../src/net/pmap.ts'

const SUBNET = cidr('fd00:1::/64')
const ID = 'LocalDefault/fd00:1::/64'
const RUNS = 2 ** 20
const STEP = 2n ** 44n
/** Twice for each of 64 cells and some more, down the at most 16 levels of a /64. */
const LOOKS = 2 * (64 + 16) * 16

/** A /64 with a million addresses in use, far from each other. */
const scattered = (): Ipam => {
  const places = Array.from({ length: RUNS }, (_, i) => BigInt(i) * STEP + 77n)
  const fresh = freshSubnet('LocalDefault', SUBNET)
  const used = take(
    ofRuns(
      64,
      places.flatMap((place) => [place, place]),
    ),
    placeOf(SUBNET, firstOf(SUBNET)),
  )
  const ipam = freshIpam()
  return { ...ipam, subnets: setIn(ipam.subnets, ID, { ...fresh, whole: true, used }) }
}

/** The state with its first subnet's set watched: `look` hears of each time a block's contents are read. */
const watched = (ipam: Ipam, look: () => void): Ipam => {
  const watch = (set: AddressSet): AddressSet =>
    new Proxy(set, {
      get: (block, field: keyof AddressSet) => {
        if (field !== 'kids') return block[field]
        look()
        return block.kids.map(watch)
      },
    })
  const [subnet] = valuesOf(ipam.subnets)
  if (subnet === undefined) throw new Error('no subnet')
  return { ...ipam, subnets: setIn(ipam.subnets, ID, { ...subnet, used: watch(subnet.used) }) }
}

describe('a /64 with a million runs', () => {
  const ipam = scattered()

  test('is counted, drawn and begun to be listed without a look at each run', () => {
    let looks = 0
    const [view] = viewsOf(watched(ipam, () => looks++))
    if (view === undefined) throw new Error('no pool')
    const cells = cellsOf(view, 64)
    const { value } = stretchesOf(view).next()
    const stretches = countStretches(view)
    expect(view.counts).toEqual({
      size: 1n << 64n,
      used: BigInt(RUNS),
      reserved: 1n,
      free: (1n << 64n) - BigInt(RUNS) - 1n,
    })
    expect(view.next === null ? null : showIp(view.next)).toBe('fd00:1::1')
    expect(cells.reduce((sum, { used }) => sum + used, 0n)).toBe(BigInt(RUNS))
    expect(cells.every(({ used }) => used === 2n ** 14n)).toBe(true)
    expect(value).toMatchObject({ state: 'reserved', count: 1n })
    expect(stretches).toBe(2 * RUNS + 2)
    // The tree has 70,000 blocks.
    expect(looks).toBeGreaterThan(64)
    expect(looks).toBeLessThan(LOOKS)
  })

  test('has as many stretches as were counted', () => {
    const [view] = viewsOf(ipam)
    if (view === undefined) throw new Error('no pool')
    let stretches = 0
    let sum = 0n
    for (const { count } of stretchesOf(view)) {
      stretches++
      sum += count
    }
    expect([stretches, sum]).toEqual([2 * RUNS + 2, 1n << 64n])
  })
})
