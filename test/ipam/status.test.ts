// How many addresses of a pool are in use: facts, and counting between two places against a list of them.

import { fc, test as prop } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { type AddressSet, emptySet, lastPlace, ofRuns, type Place, setRange, take } from '../../src/ipam/address-set.ts'
import { countBetween, type PoolStatus, poolStatus } from '../../src/ipam/status.ts'
import type { PoolId } from '../../src/ipam/types.ts'
import { drop, get, hear, pool, pool6 } from './ask.ts'

/** A cast: the ids are written here. */
const statusAfter = (requests: ReadonlyArray<unknown>, id: string): PoolStatus | null =>
  poolStatus(hear(requests).ipam, id as PoolId)

const SUB = 'LocalDefault/10.5.0.0/24/10.5.0.128/25'

describe('the status of a pool', () => {
  test('counts what is given, reserved and free', () => {
    const id = 'LocalDefault/10.1.0.0/29'
    const counts = { size: 8n, used: 2n, reserved: 2n, free: 4n }
    expect(statusAfter([pool('10.1.0.0/29'), get(id), get(id, '10.1.0.5')], id)).toEqual({
      range: counts,
      subnet: counts,
    })
  })

  test("of a sub-pool counts its range, and all of its subnet: libnetwork's DynamicIPsAvailable and IPsInUse", () => {
    const asked = [pool('10.5.0.0/24', '10.5.0.128/25'), get(SUB), get(SUB, '10.5.0.1')]
    expect(statusAfter(asked, SUB)).toEqual({
      range: { size: 128n, used: 1n, reserved: 1n, free: 126n },
      subnet: { size: 256n, used: 2n, reserved: 2n, free: 252n },
    })
  })

  test('is exact where 2^64 - 1 would cut it off', () => {
    const id = 'LocalDefault/fd00::/8'
    expect(statusAfter([pool6('fd00::/8'), get(id, 'fdff::ffff')], id)?.range).toEqual({
      size: 1n << 120n,
      used: 1n,
      reserved: 1n,
      free: (1n << 120n) - 2n,
    })
  })

  test.each<readonly [string, string, bigint]>([
    ['a /32', '10.1.0.1/32', 0n],
    ['a /31', '10.1.0.0/31', 0n],
    ['a /30', '10.1.0.0/30', 2n],
    ['a /128', 'fd00::1/128', 0n],
    ['a /127', 'fd00::/127', 1n],
  ])('of %s has what is reserved once', (_, prefix, reserved) => {
    const asked = prefix.includes(':') ? pool6(prefix) : pool(prefix)
    expect(statusAfter([asked], `LocalDefault/${prefix}`)?.range).toMatchObject({ used: 0n, reserved })
  })

  test('is null for what nobody holds', () => {
    const held = [pool('10.5.0.0/24', '10.5.0.128/25')]
    expect(statusAfter(held, 'LocalDefault/10.5.0.0/24')).toBeNull()
    expect(statusAfter(held, 'LocalDefault/10.5.0.0/24/10.5.0.0/25')).toBeNull()
    expect(statusAfter(held, 'nothing')).toBeNull()
    expect(statusAfter([...held, drop(SUB)], SUB)).toBeNull()
  })
})

/** Where a place of a block that may be wide is: a sixteenth's edge now and then. */
const placeIn = (bits: number): fc.Arbitrary<bigint> => {
  const last = BigInt(lastPlace(bits))
  const edge = fc
    .tuple(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 1, max: 1 + (bits >> 2) }), fc.bigInt(-1n, 1n))
    .map(([digit, level, off]) => (BigInt(digit) << BigInt(Math.max(0, bits - 4 * level))) + off)
    .map((n) => (n < 0n ? 0n : n > last ? last : n))
  return fc.oneof(fc.bigInt(0n, last), edge)
}

const place = (bits: number, n: bigint): Place => (bits > 52 ? n : Number(n))

/** Distinct single places, and up to one long run over some of them. */
const blocks = fc.constantFrom(0, 1, 4, 8, 12, 32, 52, 53, 56, 64, 128).chain((bits) =>
  fc.record({
    bits: fc.constant(bits),
    singles: fc.array(placeIn(bits), { maxLength: 80 }),
    run: fc.option(fc.tuple(placeIn(bits), placeIn(bits))),
    ends: fc.tuple(placeIn(bits), placeIn(bits)),
  }),
)

const inOrder = ([a, b]: readonly [bigint, bigint]): readonly [bigint, bigint] => (a <= b ? [a, b] : [b, a])

describe('counting between two places', () => {
  prop.prop([blocks], { numRuns: 500 })('finds what a list has there, in a block of any width', (drawn) => {
    const { bits, singles } = drawn
    const run = drawn.run === null ? null : inOrder(drawn.run)
    const [from, to] = inOrder(drawn.ends)
    const alone = new Set(singles.filter((n) => run === null || n < run[0] || n > run[1]))
    const start =
      run === null ? emptySet(bits) : setRange(emptySet(bits), place(bits, run[0]), place(bits, run[1]), true)
    const set = [...alone].reduce((each: AddressSet, n) => take(each, place(bits, n)), start)
    const ofRun = run === null ? 0n : inOrder([run[1], to])[0] - inOrder([run[0], from])[1] + 1n
    const expected = BigInt([...alone].filter((n) => n >= from && n <= to).length) + (ofRun > 0n ? ofRun : 0n)
    expect(countBetween(set, place(bits, from), place(bits, to))).toBe(expected)
    expect(countBetween(set, place(bits, 0n), lastPlace(bits))).toBe(BigInt(set.count))
  })

  test('is exact past 2^53 where every second sixteenth of 2^53 addresses is taken', () => {
    const share = 1n << 53n
    const runs = Array.from({ length: 8 }, (_, i) => [BigInt(2 * i) * share, BigInt(2 * i + 1) * share - 1n]).flat()
    const set = ofRuns(57, runs)
    expect(countBetween(set, 1n, lastPlace(57))).toBe(8n * share - 1n)
    expect(countBetween(set, share - 3n, 2n * share)).toBe(4n)
  })
})
