// What one record of the store's file holds, in bytes: a CRC-32 of its key and all that follows, the revision that wrote it,
// the value in UTF-8. So a record that was altered, cut off, or put under another key is seen to be.
// One record, the head, says whose file this is and what the others add up to: how many they are, and their checksums
// combined, so that a lost or an old record is missed although each that is left is well.

import { crc32 } from 'node:zlib'
import { E, type Either } from '../../prelude.ts'
import type { Revision } from '../store.ts'

/** Under byte 0 is the head, below byte 1 are the entries. */
export const HEAD_KEY = Buffer.from([0])
const ENTRY = 1

/** Also the beginning of the keys of all entries below a prefix. */
export const keyBytes = (key: string): Buffer => {
  const bytes = Buffer.allocUnsafe(Buffer.byteLength(key) + 1)
  bytes[0] = ENTRY
  bytes.write(key, 1)
  return bytes
}

/** Null: not the key of an entry. */
export const keyText = (bytes: Buffer): string | null => (bytes[0] === ENTRY ? bytes.toString('utf8', 1) : null)

const REVISION_AT = 4
const VALUE_AT = 10

export const encodeRecord = (key: Buffer, revision: Revision, value: string): Buffer => {
  const bytes = Buffer.allocUnsafe(VALUE_AT + Buffer.byteLength(value))
  bytes.writeUIntLE(revision, REVISION_AT, VALUE_AT - REVISION_AT)
  bytes.write(value, VALUE_AT)
  bytes.writeUInt32LE(crc32(bytes.subarray(REVISION_AT), crc32(key)), 0)
  return bytes
}

export type StoredRecord = Readonly<{ revision: Revision; value: string }>

/** Left: what is wrong, as a clause. */
export const decodeRecord = (key: Buffer, bytes: Buffer): Either<string, StoredRecord> => {
  if (bytes.length < VALUE_AT) return E.left(`has ${bytes.length} bytes, fewer than any record`)
  if (bytes.readUInt32LE(0) !== crc32(bytes.subarray(REVISION_AT), crc32(key)))
    return E.left('does not match its checksum')
  return E.right({
    revision: bytes.readUIntLE(REVISION_AT, VALUE_AT - REVISION_AT),
    value: bytes.toString('utf8', VALUE_AT),
  })
}

/** What a record adds to the digest; what is added twice is taken away again. */
export const digestOf = (record: Buffer): number => record.readUInt32LE(0)
export const combine = (digest: number, one: number): number => (digest ^ one) >>> 0

const FORMAT = 'cnm-store'

/** The head's own revision is that of the store. */
export type Head = Readonly<{ schema: number; id: string; revision: Revision; entries: number; digest: number }>

export const encodeHead = ({ revision, ...rest }: Head): Buffer =>
  encodeRecord(HEAD_KEY, revision, JSON.stringify({ format: FORMAT, ...rest }))

const fields = (json: string): Readonly<Record<string, unknown>> => {
  try {
    return { ...JSON.parse(json) }
  } catch {
    return {}
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0

/** Left: what is wrong, as a clause. */
export const decodeHead = (bytes: Buffer): Either<string, Head> => {
  const record = decodeRecord(HEAD_KEY, bytes)
  if (E.isLeft(record)) return record
  const { schema, id, entries, digest, format } = fields(record.right.value)
  return format === FORMAT && isCount(schema) && typeof id === 'string' && isCount(entries) && isCount(digest)
    ? E.right({ schema, id, revision: record.right.revision, entries, digest })
    : E.left('is not one of cnm')
}
