// Whole numbers from 1 up as a string of bits in Elias delta code (Elias 1975): about log2 n + 2 log2 log2 n bits, one bit
// for 1, no upper limit but the reader's, and one spelling for each number.

import type { Place } from './address-set.ts'

/** Numbers of up to 52 bits are handed over as numbers, larger ones as bigints. */
const SMALL = 52
/** Bits that are written or read at a time. */
const CHUNK = 24

const lengthOf = (n: Place): number =>
  typeof n === 'bigint' ? n.toString(2).length : n < 2 ** 31 ? 32 - Math.clz32(n) : n.toString(2).length

export type BitWriter = Readonly<{
  bit: (yes: boolean) => void
  /** `n` is 1 or more. */
  number: (n: Place) => void
  /** All bits so far, filled up with zeros. */
  bytes: () => ReadonlyArray<number>
}>

export const bitWriter = (): BitWriter => {
  const done: number[] = []
  let open = 0
  let filled = 0
  const few = (value: number, count: number): void => {
    open = (open << count) | value
    filled += count
    while (filled >= 8) {
      filled -= 8
      done.push((open >>> filled) & 255)
    }
    open &= (1 << filled) - 1
  }
  /** The low `count` bits of `n`. */
  const bits = (n: Place, count: number): void => {
    if (count > CHUNK) {
      const high = typeof n === 'number' ? Math.floor(n / 2 ** CHUNK) : n >> BigInt(CHUNK)
      bits(high, count - CHUNK)
      few(Number(typeof n === 'number' ? n % 2 ** CHUNK : BigInt.asUintN(CHUNK, n)), CHUNK)
    } else if (count > 0) few(typeof n === 'number' ? n % 2 ** count : Number(BigInt.asUintN(count, n)), count)
  }
  return {
    bit: (yes) => few(yes ? 1 : 0, 1),
    number: (n) => {
      const length = lengthOf(n)
      const zeros = 31 - Math.clz32(length)
      few(0, zeros)
      few(length, zeros + 1)
      bits(n, length - 1)
    },
    bytes: () => (filled === 0 ? done : [...done, (open << (8 - filled)) & 255]),
  }
}

export type BitReader = Readonly<{
  /** Null, here and below: the bits are at an end, or are no number. */
  bit: () => boolean | null
  number: () => Place | null
  /** Whether all is read but for less than a byte of zeros. */
  atEnd: () => boolean
}>

/** Reads from the bytes `from` to before `end`; numbers have at most 129 bits. */
export const bitReader = (bytes: Uint8Array, from: number, end: number): BitReader => {
  let next = from * 8
  const last = end * 8
  const byte = (at: number): number => bytes[at] ?? 0
  /** At most CHUNK bits: with the up to 7 before them they lie in four bytes. */
  const few = (count: number): number => {
    if (count === 0) return 0
    const at = next >> 3
    const four = (byte(at) << 24) | (byte(at + 1) << 16) | (byte(at + 2) << 8) | byte(at + 3)
    const value = (four << (next & 7)) >>> (32 - count)
    next += count
    return value
  }
  const has = (count: number): boolean => next + count <= last
  const number = (): Place | null => {
    let zeros = 0
    // The one that ends the zeros must be there: at the end of the bits there is no number, however often one asks.
    for (;;) {
      if (!has(1) || zeros > 7) return null
      if (few(1) === 1) break
      zeros++
    }
    if (!has(zeros)) return null
    const length = (1 << zeros) | few(zeros)
    if (length > 129 || !has(length - 1)) return null
    if (length <= SMALL) {
      let n = 1
      for (let left = length - 1; left > 0; left -= CHUNK) {
        const count = Math.min(left, CHUNK)
        n = n * 2 ** count + few(count)
      }
      return n
    }
    let n = 1n
    for (let left = length - 1; left > 0; left -= CHUNK) {
      const count = Math.min(left, CHUNK)
      n = (n << BigInt(count)) | BigInt(few(count))
    }
    return n
  }
  return {
    bit: () => (has(1) ? few(1) === 1 : null),
    number,
    atEnd: () => last - next < 8 && few(last - next) === 0,
  }
}
