// A transaction that is larger than one of Consul's is written in pieces. It happens when the head says so, in one step with its
// compares; what it writes then stands in `pending`, and whoever comes next brings it to its end if its writer does not.
// Invariant: while the head says that a transaction is pending nothing else is written, and each piece rests on that head. So pieces may
// be written by several, in any number of attempts, and late: they write the same, or nothing.

import { E, type Either } from '../../prelude.ts'
import type { StoreError } from '../error.ts'
import { asStoreError } from '../http/fault.ts'
import { encodeWrites } from '../logged.ts'
import { packed } from '../packed.ts'
import type { Write } from '../store.ts'
import { type Ground, type Head, RETRY_HINT } from './ground.ts'
import { beginOf, encodeHead, endOf, entryAt, flagsOf, type HeadText, type Layout, stamp } from './layout.ts'
import { decodePending, encodePending, type Pending } from './read.ts'
import { bytesOf, casOf, inPieces, isAt, MOST_BYTES, MOST_OPS, type Op, removalOf, setOf, treeOf } from './txn.ts'

export const writeOp = (layout: Layout, { key, value }: Write, flags: number): Op =>
  value === null ? removalOf(entryAt(layout, key)) : setOf(entryAt(layout, key), packed(value), flags)

/** By which a transaction ends an epoch of the log, and begins the next. `flags`: of the revision that it is. */
export const rotation = (layout: Layout, { epoch }: Head, flags: number): ReadonlyArray<Op> => [
  setOf(endOf(layout, epoch), '', flags),
  setOf(beginOf(layout, epoch + 1), '', flags),
]

/** Behind it the writes are safe: the rest is done by whoever comes. */
export const stagedOp = (layout: Layout, logged: string, writes: ReadonlyArray<Write>): Op =>
  setOf(layout.pending, packed(encodePending(logged, encodeWrites(writes))), stamp())

const RESERVED_BYTES = 2048

/** Null: each of its writes goes into a piece. */
export const tooLargeForPieces = (ops: ReadonlyArray<Op>): StoreError | null => {
  const most = MOST_BYTES - RESERVED_BYTES
  const size = ops.map((op) => bytesOf([op])).find((bytes) => bytes > most)
  return size === undefined ? null : { tag: 'StoreTooLarge', what: 'bytes', size, most }
}

const piecesOf = (layout: Layout, head: Head, { logged, writes }: Pending): ReadonlyArray<ReadonlyArray<Op>> => {
  const flags = flagsOf(head.index)
  const ops = [
    setOf(logged, packed(encodeWrites(writes)), flags),
    ...writes.map((write) => writeOp(layout, write, flags)),
  ]
  return inPieces(ops, MOST_OPS - 1, MOST_BYTES - RESERVED_BYTES).map((piece) => [
    isAt(layout.head, head.index),
    ...piece,
  ])
}

/** The head, `pending` and the log are then as after any other transaction. */
const lastPiece = (layout: Layout, head: Head, next: HeadText): ReadonlyArray<Op> => [
  casOf(layout.head, head.index, encodeHead(next), stamp()),
  removalOf(layout.pending),
  ...rotation(layout, head, flagsOf(head.index)),
]

/**
 * Brings to its end what is pending at this head. Right: the head after it; null if somebody else has done so. `patienceMs`: for each
 * step.
 */
export const finish = async (
  { client, place, layout }: Pick<Ground, 'client' | 'place' | 'layout'>,
  head: Head,
  patienceMs?: number,
): Promise<Either<StoreError, Head | null>> => {
  const read = await client.read([treeOf(layout.pending)], patienceMs)
  if (E.isLeft(read)) return E.left(asStoreError(place, read.left, RETRY_HINT))
  const kv = read.right.find(({ key }) => key === layout.pending)
  if (kv === undefined || kv.index !== head.index) return E.right(null)
  const pending = decodePending(place, kv)
  if (E.isLeft(pending)) return pending
  const next = { ...head, epoch: head.epoch + 1, pending: false }
  for (const piece of [...piecesOf(layout, head, pending.right), lastPiece(layout, head, next)]) {
    const done = await client.txn(piece, true, patienceMs)
    if (E.isLeft(done)) return E.left(asStoreError(place, done.left, RETRY_HINT))
    if (E.isLeft(done.right)) return E.right(null)
    const changed = done.right.right.find(({ key, index }) => key === layout.head && index > head.index)
    if (changed !== undefined) return E.right({ ...next, index: changed.index })
  }
  return E.right(null)
}
