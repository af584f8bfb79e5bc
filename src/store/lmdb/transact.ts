// One transaction of the store inside one of lmdb. Several share an lmdb transaction, and with it a flush; each sees what those
// before it wrote. Everything is read before anything is written, so a refused one leaves nothing behind.

import type { RootDatabase } from 'lmdb'
import { E, type Either } from '../../prelude.ts'
import type { StoreError } from '../error.ts'
import type { Transaction } from '../store.ts'
import { combine, decodeHead, decodeRecord, digestOf, encodeRecord, HEAD_KEY, type Head, keyBytes } from './record.ts'

export type Database = RootDatabase<Buffer, Buffer>

/** Throws if there is none: a file without a head is never opened. */
export const readHead = (db: Database): Head => {
  const bytes = db.get(HEAD_KEY)
  const head = bytes === undefined ? E.left('is gone') : decodeHead(bytes)
  if (E.isLeft(head)) throw new Error(`the head of the store ${head.left}`)
  return head.right
}

type Found = Readonly<{ key: Buffer; revision: number; digest: number; present: boolean }>

const find = (db: Database, file: string, key: string): Either<StoreError, Found> => {
  const bytes = keyBytes(key)
  const record = db.get(bytes)
  if (record === undefined) return E.right({ key: bytes, revision: 0, digest: 0, present: false })
  const read = decodeRecord(bytes, record)
  if (E.isLeft(read))
    return E.left({ tag: 'StoreDamaged', file, where: `record ${JSON.stringify(key)}`, why: read.left })
  return E.right({ key: bytes, revision: read.right.revision, digest: digestOf(record), present: true })
}

/** Right: the head that belongs to what was written; the caller writes it. */
export const apply = (
  db: Database,
  file: string,
  head: Head,
  { compares, writes }: Transaction,
): Either<StoreError, Head> => {
  for (const { key, revision } of compares) {
    const found = find(db, file, key)
    if (E.isLeft(found)) return found
    if (found.right.revision !== revision) return E.left({ tag: 'StoreConflict', key })
  }
  if (writes.length === 0) return E.right(head)
  const targets: Array<Readonly<{ found: Found; value: string | null }>> = []
  for (const { key, value } of writes) {
    const found = find(db, file, key)
    if (E.isLeft(found)) return found
    targets.push({ found: found.right, value })
  }
  const revision = head.revision + 1
  let { entries, digest } = head
  for (const { found, value } of targets) {
    digest = combine(digest, found.digest)
    entries += (value === null ? 0 : 1) - (found.present ? 1 : 0)
    if (value === null) {
      if (found.present) db.removeSync(found.key)
      continue
    }
    const record = encodeRecord(found.key, revision, value)
    db.putSync(found.key, record)
    digest = combine(digest, digestOf(record))
  }
  return E.right({ ...head, revision, entries, digest })
}
