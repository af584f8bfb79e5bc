// What `cnm ipam show` knows of a pool, for pools that a log would take long to fill.

import { describe, expect, test } from 'vitest'
import { cellsOf, countStretches, stretchesOf, viewsOf } from '../../src/cli/ipam/view.ts'
import { ofRuns, take } from '../../src/ipam/address-set.ts'
import { freshIpam } from '../../src/ipam/space.ts'
import { freshSubnet, placeOf } from '../../src/ipam/subnet.ts'
import type { Ipam } from '../../src/ipam/types.ts'
import { cidr, firstOf } from '../../src/net/cidr.ts'
import { showIp } from '../../src/net/ip.ts'
import { setIn } from '../../src/net/pmap.ts'

const SUBNET = cidr('fd00:1::/64')
const RUNS = 2 ** 20
const STEP = 2n ** 44n

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
  return { ...ipam, subnets: setIn(ipam.subnets, 'LocalDefault/fd00:1::/64', { ...fresh, whole: true, used }) }
}

describe('a /64 with a million runs', () => {
  const ipam = scattered()

  test('is counted, drawn and begun to be listed at once', () => {
    const start = performance.now()
    const [view] = viewsOf(ipam)
    if (view === undefined) throw new Error('no pool')
    const cells = cellsOf(view, 64)
    const { value } = stretchesOf(view).next()
    const stretches = countStretches(view)
    const tookMs = performance.now() - start
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
    // Some milliseconds; looking at each run takes a second, once for every cell.
    expect(tookMs).toBeLessThan(500)
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
