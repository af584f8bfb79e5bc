// Transactions as etcd takes them. It takes 128 compares or operations in one (--max-txn-ops), of which those of transactions inside
// of it have what it leaves them; so that many writes are a tree of transactions, of one revision, or none happens.

import type { StoreError } from '../error.ts'
import { packed } from '../packed.ts'
import type { Compare, Revision, Transaction } from '../store.ts'
import { bytesOf, type Layout } from './layout.ts'
import type { Message } from './messages.ts'

/** Three levels of these and our own two compares, a mark and a head stay below 128; with more compares, two levels do. */
const FAN = 40
const MOST_COMPARES = 2 * FAN
const mostWrites = (compares: number): number => FAN ** (compares <= FAN ? 3 : 2)

/** Below --max-request-bytes, 1.5 MiB, by what the names of things need. */
const MOST_BYTES = 1_500_000
const BYTES_BESIDE = 64

type Op = Readonly<{ message: Message; bytes: number }>

export const isAt = (key: string, revision: Revision): Message => ({
  key: bytesOf(key),
  target: 'MOD',
  result: 'EQUAL',
  mod_revision: String(revision),
})
export const readOf = (key: string): Message => ({ request_range: { key: bytesOf(key) } })
/** Without its value. */
export const lookAtKey = (key: string): Message => ({ request_range: { key: bytesOf(key), keys_only: true } })
export const putOf = (key: string, value: string, lease: string): Message => ({
  request_put: { key: bytesOf(key), value: bytesOf(value), lease },
})

const writeOf = (key: string, value: string | null): Op => {
  const beside = Buffer.byteLength(key) + BYTES_BESIDE
  if (value === null) return { message: { request_delete_range: { key: bytesOf(key) } }, bytes: beside }
  const bytes = packed(value)
  return {
    message: { request_put: { key: bytesOf(key), value: bytes } },
    bytes: beside + bytes.length,
  }
}

/** A transaction's operations, in a tree of which no part has more than FAN. */
const tree = (ops: ReadonlyArray<Message>): ReadonlyArray<Message> => {
  if (ops.length <= FAN) return ops
  const size = FAN ** Math.ceil(Math.log(ops.length) / Math.log(FAN) - 1)
  const parts = Array.from({ length: Math.ceil(ops.length / size) }, (_, i) => ops.slice(i * size, (i + 1) * size))
  return parts.map((part) => ({ request_txn: { success: tree(part) } }))
}

export type Written = Readonly<{
  compares: ReadonlyArray<Message>
  reads: ReadonlyArray<Message>
  writes: ReadonlyArray<Message>
}>

/** Null: it is small enough. */
const tooLarge = (compares: ReadonlyArray<Compare>, ops: ReadonlyArray<Op>): StoreError | null => {
  const bytes = [...compares.map(({ key }) => Buffer.byteLength(key) + BYTES_BESIDE), ...ops.map((op) => op.bytes)]
  const sizes: ReadonlyArray<readonly [string, number, number]> = [
    ['compares', compares.length, MOST_COMPARES],
    ['writes', ops.length, mostWrites(compares.length)],
    ['bytes', bytes.reduce((sum, each) => sum + each, 0), MOST_BYTES],
  ]
  const over = sizes.find(([, size, most]) => size > most)
  return over === undefined ? null : { tag: 'StoreTooLarge', what: over[0], size: over[1], most: over[2] }
}

/** The parts of a transaction, or why it is too large. `reads`: what its compares look at, for when they fail. */
export const written = ({ entries }: Layout, { compares, writes }: Transaction): StoreError | Written => {
  const ops = writes.map(({ key, value }) => writeOf(entries + key, value))
  return (
    tooLarge(compares, ops) ?? {
      compares: compares.map(({ key, revision }) => isAt(entries + key, revision)),
      reads: compares.map(({ key }) => lookAtKey(entries + key)),
      writes: tree(ops.map(({ message }) => message)),
    }
  )
}
