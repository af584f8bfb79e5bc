// Several hosts on one store, simulated with all that can go wrong between them (src/cluster-sim): in the end they agree, and what clients saw is
// linearizable. `npm run cluster` tells larger ones, and more. And how hosts go for addresses of one subnet.

import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { planOf } from '../src/cluster-sim/plan.ts'
import { simulate } from '../src/cluster-sim/simulate.ts'
import { emptySet, has, take } from '../src/ipam/address-set.ts'
import { poolOf } from '../src/ipam/pool-id.ts'
import { freshIpam, releaseIp, takeIp, takePool } from '../src/ipam/space.ts'
import { chooseSpread } from '../src/ipam/spread.ts'
import { hostBits, isReserved, placeOf } from '../src/ipam/subnet.ts'
import type { Ipam, PoolId } from '../src/ipam/types.ts'
import { type Cidr, cidr, contains, nthOf, sizeOf } from '../src/net/cidr.ts'
import type { Ip } from '../src/net/ip.ts'
import { E, type Either } from '../src/prelude.ts'
import { runs } from '../test/lib/runs.ts'

const SIZE = { hosts: 4, commands: 300, faults: true }
/** A few seconds are enough where nothing else runs. */
const PATIENCE_MS = 180_000
/** What fails is not made smaller by another seed: `npm run cluster -- --seed S` shrinks it. */
const seed = fc.noShrink(fc.nat(2 ** 30))

describe('hosts that share a store', () => {
  test.prop([seed], runs(0.1))(
    'end with one view of what is shared, whatever was cut off, lost, killed or stood still; clients saw one order (P14)',
    async (n) => {
      const { findings } = await simulate(planOf(n, SIZE))
      expect(findings).toEqual([])
    },
    PATIENCE_MS,
  )

  test.prop([seed], runs(0.03))(
    'do the same to the byte when they are told twice from one seed',
    async (n) => {
      const [one, other] = [await simulate(planOf(n, SIZE)), await simulate(planOf(n, SIZE))]
      expect(other.trace.lines()).toEqual(one.trace.lines())
      expect(one.trace.lines().length).toBeGreaterThan(SIZE.commands)
    },
    PATIENCE_MS,
  )
})

const right = <A>(result: Either<unknown, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

/** A pool, with the addresses of each host. */
type Shared = Readonly<{
  ipam: Ipam
  id: PoolId
  subnet: Cidr
  range: Cidr
  gateway: Ip
  has: ReadonlyArray<ReadonlyArray<Ip>>
}>

const sharedPool = (subnet: Cidr, range: Cidr, hosts: number): Shared => {
  const pool = poolOf('GlobalDefault', subnet, range)
  const gateway = nthOf(subnet, 1n)
  const ipam = right(takeIp(right(takePool(freshIpam(), pool)), pool.id, gateway))
  return { ipam, id: pool.id, subnet, range, gateway, has: Array.from({ length: hosts }, () => []) }
}

const chosenFor = ({ ipam, id, subnet, gateway, has: all }: Shared, host: number): Either<unknown, Ip> => {
  const own = (all[host] ?? []).reduce((set, ip) => take(set, placeOf(subnet, ip)), emptySet(hostBits(subnet)))
  return chooseSpread(ipam, id, { who: `host${host}`, own: own.count === 0 ? undefined : own, apart: [gateway] })
}

const given = (pool: Shared, host: number, ip: Ip): Shared => ({
  ...pool,
  ipam: right(takeIp(pool.ipam, pool.id, ip)),
  has: pool.has.map((own, i) => (i === host ? [...own, ip] : own)),
})

const givenBack = (pool: Shared, host: number, ip: Ip): Shared => ({
  ...pool,
  ipam: right(releaseIp(pool.ipam, pool.id, ip)),
  has: pool.has.map((own, i) => (i === host ? own.filter((each) => each !== ip) : own)),
})

const usable = ({ subnet, range, gateway }: Shared): ReadonlyArray<Ip> =>
  Array.from({ length: Number(sizeOf(range)) }, (_, n) => nthOf(range, BigInt(n))).filter(
    (ip) => ip !== gateway && !isReserved(subnet, ip),
  )

/** As src/ipam/spread.ts says: 64 addresses, and fewer where there would be fewer than 64 blocks. */
const blockOf = ({ range }: Shared, ip: Ip): number => {
  const width = 32 - range.bits
  return Number(placeOf(range, ip)) >> Math.max(0, Math.min(6, width - 6))
}

/** Blocks with a free address in which nobody else has one. */
const aloneIn = (pool: Shared, host: number): ReadonlySet<number> => {
  const others = new Set(pool.has.flatMap((own, i) => (i === host ? [] : own.map((ip) => blockOf(pool, ip)))))
  const taken = pool.has
    .flat()
    .reduce((set, ip) => take(set, placeOf(pool.subnet, ip)), emptySet(hostBits(pool.subnet)))
  return new Set(
    usable(pool)
      .filter((ip) => !has(taken, placeOf(pool.subnet, ip)))
      .map((ip) => blockOf(pool, ip))
      .filter((block) => !others.has(block)),
  )
}

describe('of a subnet that several hosts take addresses from', () => {
  const ranges = fc.constantFrom(
    ['10.1.0.0/24', '10.1.0.0/24'],
    ['10.1.0.0/23', '10.1.1.0/24'],
    ['10.1.0.0/28', '10.1.0.0/28'],
    ['10.1.0.0/24', '10.1.0.128/26'],
    ['10.1.0.0/30', '10.1.0.0/30'],
  )
  const step = fc.record({ host: fc.nat(3), back: fc.boolean(), which: fc.nat() })

  test.prop([ranges, fc.array(step, { maxLength: 60 })], runs(0.3))(
    'none is given twice, each is alone in a block while there is one, and all are given before there is none',
    ([subnet, range], steps) => {
      let pool = sharedPool(cidr(subnet), cidr(range), 4)
      const next = (host: number): boolean => {
        const alone = aloneIn(pool, host)
        const ip = chosenFor(pool, host)
        if (E.isLeft(ip)) return false
        expect(contains(pool.range, ip.right) && usable(pool).includes(ip.right)).toBe(true)
        expect(pool.has.flat()).not.toContain(ip.right)
        if (alone.size > 0) expect(alone).toContain(blockOf(pool, ip.right))
        pool = given(pool, host, ip.right)
        return true
      }
      for (const { host, back, which } of steps) {
        const own = pool.has[host] ?? []
        const ip = own[which % Math.max(1, own.length)]
        if (back && ip !== undefined) pool = givenBack(pool, host, ip)
        else next(host)
      }
      for (let host = 0; next(host); host = (host + 1) % 4);
      expect(new Set(pool.has.flat())).toEqual(new Set(usable(pool)))
    },
  )
})
