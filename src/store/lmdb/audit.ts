// Reads a store's file from end to end, without lmdb and without changing it, and says what is in it and what is wrong: the
// pages, the checksum of each record, that the records are those that the head counts. No file is opened before this.

import { closeSync, openSync, readSync } from 'node:fs'
import { E, type Either } from '../../prelude.ts'
import type { StoreError } from '../error.ts'
import type { Entry } from '../store.ts'
import { type Pair, type ReadAt, readPairs } from './pages.ts'
import { combine, decodeHead, decodeRecord, digestOf, HEAD_KEY, type Head, keyText } from './record.ts'

/** `problems` are in the order found; a file without any is well. */
export type Audit = Readonly<{
  head: Head
  entries: ReadonlyArray<Entry>
  problems: ReadonlyArray<StoreError>
}>

const reader =
  (fd: number): ReadAt =>
  (offset, length) => {
    // A damaged page number may point beyond what a file can be.
    if (!Number.isSafeInteger(offset + length)) return null
    const bytes = Buffer.allocUnsafe(length)
    for (let done = 0; done < length; ) {
      const more = readSync(fd, bytes, done, length - done, offset + done)
      if (more === 0) return null
      done += more
    }
    return bytes
  }

const damaged = (file: string, where: string, why: string): StoreError => ({ tag: 'StoreDamaged', file, where, why })

const auditPairs = (file: string, pairs: ReadonlyArray<Pair>): Either<StoreError, Audit> => {
  const [first, ...rest] = pairs
  if (first === undefined || !first[0].equals(HEAD_KEY))
    return E.left({ tag: 'StoreNotOurs', file, why: 'is an lmdb file without the head that cnm writes' })
  const head = decodeHead(first[1])
  if (E.isLeft(head)) return E.left(damaged(file, 'its head', head.left))
  const entries: Entry[] = []
  const problems: StoreError[] = []
  let digest = 0
  for (const [keyBytes, bytes] of rest) {
    const key = keyText(keyBytes)
    const record = decodeRecord(keyBytes, bytes)
    const fault =
      key === null
        ? 'has a key that cnm does not use'
        : E.isLeft(record)
          ? record.left
          : record.right.revision > head.right.revision
            ? `is of revision ${record.right.revision}, later than the store's ${head.right.revision}`
            : null
    if (fault !== null || key === null || E.isLeft(record)) {
      problems.push(damaged(file, `record ${JSON.stringify(key ?? keyBytes.toString('hex'))}`, fault ?? 'is wrong'))
      continue
    }
    digest = combine(digest, digestOf(bytes))
    entries.push({ key, ...record.right })
  }
  if (problems.length === 0 && (entries.length !== head.right.entries || digest !== head.right.digest))
    problems.push(
      damaged(file, 'its head', `counts ${head.right.entries} records, other than the ${entries.length} there`),
    )
  return E.right({ head: head.right, entries, problems })
}

/** Left: it cannot be read, or is so damaged, or so strange, that nothing can be said of its records. */
export const audit = (file: string): Either<StoreError, Audit> => {
  const fd = openSync(file, 'r')
  try {
    const pairs = readPairs(reader(fd))
    if (E.isRight(pairs)) return auditPairs(file, pairs.right)
    const { ours, where, why } = pairs.left
    return E.left(
      ours ? damaged(file, where, why) : { tag: 'StoreNotOurs', file, why: `is no store of cnm: its ${where} ${why}` },
    )
  } finally {
    closeSync(fd)
  }
}
