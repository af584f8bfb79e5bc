// A snapshot of the allocator is read back as what was written, or refused: nothing damaged passes for a state.

import { crc32 } from 'node:zlib'
import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { setRange } from '../src/ipam/address-set.ts'
import { arrange } from '../src/ipam/defaults.ts'
import { poolOf } from '../src/ipam/pool-id.ts'
import { readSnapshot, writeSnapshot } from '../src/ipam/snapshot.ts'
import {
  choosePool,
  freshIpam,
  NOTHING_EXCLUDED,
  type PoolRequest,
  releaseIp,
  requestIp,
  takePool,
} from '../src/ipam/space.ts'
import { freshSubnet, ipAt } from '../src/ipam/subnet.ts'
import type { DefaultPool, Ipam, PoolId } from '../src/ipam/types.ts'
import { type Cidr, cidr, cidrFamily, firstOf, maskIp, sizeOf } from '../src/net/cidr.ts'
import { widthOf } from '../src/net/ip.ts'
import { getIn, setIn } from '../src/net/pmap.ts'
import { E } from '../src/prelude.ts'

const base = fc
  .constantFrom('10.0.0.0/8', '172.30.0.0/28', '192.168.7.7/32', 'fd00::/16', 'fd00:1::/64', '3000::/4')
  .map(cidr)
const defaultPool = base.chain(
  (each): fc.Arbitrary<DefaultPool> =>
    fc.record({ base: fc.constant(each), size: fc.integer({ min: each.bits, max: widthOf(cidrFamily(each)) }) }),
)
const defaults = fc.array(defaultPool, { maxLength: 3 }).map((pools) => {
  const arranged = arrange(pools)
  if (E.isLeft(arranged)) throw new Error(arranged.left.tag)
  return arranged.right
})

/** A canonical part of a prefix. */
const partOf = (whole: Cidr): fc.Arbitrary<Cidr> =>
  fc
    .record({
      bits: fc.integer({ min: whole.bits, max: widthOf(cidrFamily(whole)) }),
      at: fc.bigInt({ min: 0n, max: sizeOf(whole) - 1n }),
    })
    .map(({ bits, at }) => ({ ip: maskIp(ipAt(whole, at), bits), bits }))

const request: fc.Arbitrary<PoolRequest> = fc.oneof(
  base.chain((subnet) =>
    fc.record({
      tag: fc.constant('exactly' as const),
      space: fc.constantFrom('LocalDefault' as const, 'GlobalDefault' as const),
      subnet: fc.constant(subnet),
      range: fc.option(partOf(subnet)),
    }),
  ),
  fc.record({
    tag: fc.constant('any' as const),
    space: fc.constantFrom('LocalDefault' as const, 'GlobalDefault' as const),
    family: fc.constantFrom(4 as const, 6 as const),
    size: fc.constant(null),
    exclude: fc.constant(NOTHING_EXCLUDED),
  }),
)

type Step = Readonly<{ pool: number; place: bigint | null; back: boolean; serial: boolean }>
const step: fc.Arbitrary<Step> = fc.record({
  pool: fc.nat(9),
  place: fc.option(fc.oneof(fc.bigInt(0n, 300n), fc.bigInt(0n, (1n << 128n) - 1n))),
  back: fc.boolean(),
  serial: fc.boolean(),
})

/** Any state that requests can lead to; refusals are passed over. */
const state: fc.Arbitrary<Ipam> = fc
  .record({
    defaults: fc.record({ LocalDefault: defaults, GlobalDefault: defaults }),
    pools: fc.array(request, { maxLength: 8 }),
    steps: fc.array(step, { maxLength: 120 }),
  })
  .map((plan) => {
    let ipam = freshIpam(plan.defaults)
    const ids: Array<Readonly<{ id: PoolId; subnet: Cidr }>> = []
    for (const each of plan.pools) {
      const pool = choosePool(ipam, each)
      const taken = E.isRight(pool) ? takePool(ipam, pool.right) : pool
      if (E.isLeft(taken) || E.isLeft(pool)) continue
      ipam = taken.right
      ids.push(pool.right)
    }
    for (const { pool, place, back, serial } of plan.steps) {
      const target = ids[pool % Math.max(1, ids.length)]
      if (target === undefined) break
      const ip =
        place === null ? null : ipAt({ ...target.subnet, ip: firstOf(target.subnet) }, place % sizeOf(target.subnet))
      const result =
        back && ip !== null
          ? releaseIp(ipam, target.id, ip)
          : E.map(({ ipam: next }: { ipam: Ipam }) => next)(requestIp(ipam, target.id, { preferred: ip, serial }))
      if (E.isRight(result)) ipam = result.right
    }
    return ipam
  })

/** The bytes with the checksum, as zlib reckons it, that belongs to them. */
const withChecksum = (bytes: Uint8Array): Uint8Array => {
  const copy = bytes.slice()
  new DataView(copy.buffer).setUint32(copy.length - 4, crc32(copy.subarray(0, -4)))
  return copy
}

describe('a snapshot', () => {
  it('of a pool that is full is small and soon read, however wide the pool is', () => {
    const pool = poolOf('LocalDefault', cidr('3000::/4'), null)
    const taken = takePool(freshIpam(), pool)
    const subnet = E.isRight(taken) ? getIn(taken.right.subnets, pool.id) : undefined
    if (E.isLeft(taken) || subnet === undefined) throw new Error('the pool could not be taken')
    const used = setRange(subnet.used, 0n, (1n << 124n) - 1n, true)
    const full = { ...taken.right, subnets: setIn(taken.right.subnets, pool.id, { ...subnet, used }) }
    expect(writeSnapshot(full).length).toBeLessThan(200)
    expect(readSnapshot(writeSnapshot(full))).toEqual(E.right(full))
  })

  test.prop([state])('is read back as the state it was written from', (ipam) => {
    expect(readSnapshot(writeSnapshot(ipam))).toEqual(E.right(ipam))
  })

  test.prop([state, fc.nat(), fc.nat(7)])('with any one bit wrong is refused', (ipam, at, bit) => {
    const bytes = writeSnapshot(ipam)
    const index = at % bytes.length
    bytes[index] = (bytes[index] ?? 0) ^ (1 << bit)
    expect(E.isLeft(readSnapshot(bytes))).toBe(true)
  })

  test.prop([state, fc.nat()])('that ends early is refused', (ipam, at) => {
    const bytes = writeSnapshot(ipam)
    expect(E.isLeft(readSnapshot(bytes.slice(0, at % bytes.length)))).toBe(true)
  })

  test.prop([state, fc.uint8Array({ minLength: 1 })])('with bytes behind it is refused', (ipam, more) => {
    expect(E.isLeft(readSnapshot(Uint8Array.from([...writeSnapshot(ipam), ...more])))).toBe(true)
  })

  it('of another version is refused by its number, and other files by their first bytes', () => {
    const bytes = writeSnapshot(freshIpam())
    bytes[7] = 9
    expect(readSnapshot(bytes)).toEqual(E.left({ tag: 'UnknownVersion', version: 9, known: 1 }))
    bytes[0] = 0
    expect(readSnapshot(bytes)).toEqual(E.left({ tag: 'NotASnapshot' }))
    expect(readSnapshot(new Uint8Array())).toEqual(E.left({ tag: 'NotASnapshot' }))
  })

  it.each(['224.0.0.0/4', '127.0.0.0/8', '::/0', '0.0.0.0/0', 'fe80::/10'])(
    'of %s, which no request gets, is refused',
    (text) => {
      const pool = poolOf('LocalDefault', cidr(text), null)
      expect(E.isLeft(takePool(freshIpam(), pool))).toBe(true)
      const subnet = { ...freshSubnet('LocalDefault', pool.subnet), whole: true }
      const forged = { ...freshIpam(), subnets: setIn(freshIpam().subnets, pool.id, subnet) }
      expect(readSnapshot(writeSnapshot(forged))).toEqual(E.left({ tag: 'DamagedSnapshot' }))
    },
  )

  test.prop([fc.uint8Array({ maxLength: 200 })])('is not any bytes', (bytes) => {
    expect(E.isLeft(readSnapshot(bytes))).toBe(true)
  })

  test.prop([state, fc.array(fc.record({ at: fc.nat(), byte: fc.nat(255) }), { minLength: 1, maxLength: 4 })])(
    'whose checksum was made to fit is a state that would be written so, or is refused',
    (ipam, edits) => {
      const bytes = writeSnapshot(ipam)
      for (const { at, byte } of edits) bytes[8 + (at % Math.max(1, bytes.length - 12))] = byte
      const forged = withChecksum(bytes)
      const read = readSnapshot(forged)
      if (E.isRight(read)) expect(writeSnapshot(read.right)).toEqual(forged)
    },
  )
})
