// Text as bytes, for servers that take no more than a megabyte at a time: what is large is packed, behind a byte that no UTF-8
// begins with.

import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { E, type Either } from '../prelude.ts'

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
export const unpacked = (bytes: Buffer): Either<string, string> => {
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
