// The Internet checksum: the ones' complement of the ones' complement sum of 16-bit words (RFC 1071).
// A sum may be begun with another, such as that of a pseudo header, and is folded only at the end.

import { get16 } from './bytes.ts'

/** The words of `bytes` from `at` to `end`, and `start`, added up; an odd last byte counts as the high half of a word. */
export const sumOf = (bytes: Uint8Array, at: number, end: number, start = 0): number => {
  let sum = start
  const even = end - ((end - at) & 1)
  for (let i = at; i < even; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)
  return even < end ? sum + ((bytes[even] ?? 0) << 8) : sum
}

const folded = (sum: number): number => {
  let left = sum
  while (left > 0xffff) left = (left % 0x10000) + Math.floor(left / 0x10000)
  return left
}

/** 0 to 65535; the place of the checksum itself must hold 0. */
export const checksum = (bytes: Uint8Array, at = 0, end = bytes.length, start = 0): number =>
  0xffff - folded(sumOf(bytes, at, end, start))

/**
 * Whether the checksum at `field` (an even distance behind `at`) is the one that `checksum` gives. Ones' complement has two
 * zeros: `other-zero` is a checksum that holds, but that nobody computes.
 */
export const verdictOf = (
  bytes: Uint8Array,
  at: number,
  end: number,
  field: number,
  start = 0,
): 'right' | 'other-zero' | 'wrong' => {
  const sum = sumOf(bytes, at, end, start)
  const found = get16(bytes, field)
  if (0xffff - folded(sum - found) === found) return 'right'
  return folded(sum) === 0xffff ? 'other-zero' : 'wrong'
}
