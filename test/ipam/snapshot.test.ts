// What a snapshot may not cost whoever reads it. That it comes back as it was, or is refused, is in
// properties/ipam-snapshot.properties.ts.

import { crc32 } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { bitReader, bitWriter } from '../../src/ipam/bits.ts'
import { readSnapshot, writeSnapshot } from '../../src/ipam/snapshot.ts'
import { freshIpam } from '../../src/ipam/space.ts'
import { E } from '../../src/prelude.ts'

/** No default pools, and 3000::/4 with so many runs of addresses announced, of which none follows. */
const announcing = (runs: number): Uint8Array => {
  const out = bitWriter()
  const natural = (n: number): void => out.number(n + 1)
  for (const n of [0, 0, 1]) natural(n)
  out.bit(false)
  out.bit(true)
  for (const n of [4, 3]) natural(n)
  out.bit(true)
  for (const n of [0, 0, runs]) natural(n)
  const bytes = Uint8Array.from([...writeSnapshot(freshIpam()).subarray(0, 8), ...out.bytes(), 0, 0, 0, 0])
  new DataView(bytes.buffer).setUint32(bytes.length - 4, crc32(bytes.subarray(0, -4)))
  return bytes
}

describe('a snapshot', () => {
  // Eight lengths of the count, so that one of them ends with a byte.
  test.each(Array.from({ length: 8 }, (_, n) => 2 ** (40 + n)))(
    'that announces %i runs and ends there is refused at once, though its checksum fits',
    (runs) => {
      expect(readSnapshot(announcing(runs))).toEqual(E.left({ tag: 'DamagedSnapshot' }))
    },
  )
})

describe('numbers as bits', () => {
  test('end where the bits do', () => {
    const out = bitWriter()
    for (let n = 0; n < 8; n++) out.number(1)
    const from = bitReader(Uint8Array.from(out.bytes()), 0, 1)
    expect(Array.from({ length: 10 }, () => from.number())).toEqual([1, 1, 1, 1, 1, 1, 1, 1, null, null])
    expect(from.atEnd()).toBe(true)
  })
})
