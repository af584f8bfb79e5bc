// How many addresses of a pool are in use. Counting is in address-set.test.ts.

import { describe, expect, test } from 'vitest'
import { type PoolStatus, poolStatus } from '../../src/ipam/status.ts'
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
