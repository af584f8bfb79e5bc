// Transactions as Consul takes them (/v1/txn): at most 64 operations, done in their order or not at all, in a body of at most 512 KB, in
// which values are base64.

import type { Revision } from '../store.ts'

export const MOST_OPS = 64
/** txn_max_req_len, 512 KiB, less what stands around the operations. */
export const MOST_BYTES = 524_000

export type Verb = 'set' | 'cas' | 'lock' | 'delete' | 'delete-tree' | 'get-tree' | 'check-index' | 'check-not-exists'
export type Op = Readonly<{
  KV: Readonly<{ Verb: Verb; Key: string; Value?: string; Flags?: number; Index?: number; Session?: string }>
}>

/** What is read: all whose names begin so. There may be none. */
export const treeOf = (Key: string): Op => ({ KV: { Verb: 'get-tree', Key } })
/** `index` 0: it is not there. */
export const isAt = (Key: string, Index: Revision): Op =>
  Index === 0 ? { KV: { Verb: 'check-not-exists', Key } } : { KV: { Verb: 'check-index', Key, Index } }
export const setOf = (Key: string, value: Buffer | string, Flags: number): Op => ({
  KV: { Verb: 'set', Key, Value: Buffer.from(value).toString('base64'), Flags },
})
/** Only if it is at that index; 0: it is not there. */
export const casOf = (Key: string, Index: Revision, value: Buffer | string, Flags: number): Op => ({
  KV: { Verb: 'cas', Key, Index, Value: Buffer.from(value).toString('base64'), Flags },
})
export const lockOf = (Key: string, value: string, Session: string): Op => ({
  KV: { Verb: 'lock', Key, Value: Buffer.from(value).toString('base64'), Session },
})
export const removalOf = (Key: string): Op => ({ KV: { Verb: 'delete', Key } })
export const treeRemovalOf = (Key: string): Op => ({ KV: { Verb: 'delete-tree', Key } })

export const bytesOf = (ops: ReadonlyArray<Op>): number =>
  ops.reduce((sum, op) => sum + Buffer.byteLength(JSON.stringify(op)) + 1, 0)

/** As few pieces as there can be in this order. */
export const inPieces = (
  ops: ReadonlyArray<Op>,
  mostOps: number,
  mostBytes: number,
): ReadonlyArray<ReadonlyArray<Op>> => {
  const pieces: Op[][] = []
  let piece: Op[] = []
  let bytes = 0
  for (const op of ops) {
    const size = bytesOf([op])
    if (piece.length > 0 && (piece.length === mostOps || bytes + size > mostBytes)) {
      pieces.push(piece)
      piece = []
      bytes = 0
    }
    piece.push(op)
    bytes += size
  }
  return piece.length === 0 ? pieces : [...pieces, piece]
}
