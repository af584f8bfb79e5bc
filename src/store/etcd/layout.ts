// How a store lies in etcd, below its prefix: the head, which says whose it is; the entries; one mark for each transaction under way
// (send.ts). Keys and values are UTF-8; a large value is packed, behind a byte that no UTF-8 begins with.

import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { E, type Either } from '../../prelude.ts'

export type Layout = Readonly<{ base: string; head: string; entries: string; marks: string }>

/** `prefix`: as in the URL. */
export const layoutAt = (prefix: string): Layout => ({
  base: `${prefix}/`,
  head: `${prefix}/head`,
  entries: `${prefix}/at/`,
  marks: `${prefix}/by/`,
})

export const bytesOf = (text: string): Buffer => Buffer.from(text)
/** Of a field of bytes, which is left out where there are none. */
const bufferOf = (bytes: unknown): Buffer =>
  bytes instanceof Uint8Array ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) : Buffer.alloc(0)
export const textOf = (bytes: unknown): string => bufferOf(bytes).toString()

/** The first key behind all that begin with it. The last byte of UTF-8 can always be raised. */
export const endOf = (prefix: string): Buffer => {
  const bytes = Buffer.from(prefix)
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) + 1
  return bytes
}

const PACKED = 0xff
/** What fits in a page of etcd's own file is kept readable. */
const PACKED_FROM_BYTES = 4096
/** More than any packed value of ours; a smaller one that claims to be larger is none of ours. */
const MOST_UNPACKED_BYTES = 1 << 29

export const packed = (value: string): Buffer => {
  const bytes = Buffer.from(value)
  if (bytes.length < PACKED_FROM_BYTES) return bytes
  const small = Buffer.concat([Buffer.from([PACKED]), deflateRawSync(bytes)])
  return small.length < bytes.length ? small : bytes
}

/** Left: a clause. */
export const unpacked = (value: unknown): Either<string, string> => {
  const bytes = bufferOf(value)
  try {
    return E.right(
      bytes[0] === PACKED
        ? inflateRawSync(bytes.subarray(1), { maxOutputLength: MOST_UNPACKED_BYTES }).toString()
        : bytes.toString(),
    )
  } catch {
    return E.left('is packed otherwise than we do')
  }
}
