// The store on this host's disk, for one process. Answers to `transact` come after the flush that made it durable; those that
// wait when a turn of the event loop ends share one. See docs/decisions/0005-embedded-store.md.

import { resolve as absolute } from 'node:path'
import { E, type Either, type TaskEither } from '../../prelude.ts'
import type { StoreError } from '../error.ts'
import { historyFrom } from '../history.ts'
import { MIGRATIONS, type Migration } from '../migrate.ts'
import type { Entry, Listing, Revision, Store, Transaction, Write } from '../store.ts'
import { badKey, badPrefix, badTransaction } from '../valid.ts'
import { makeDir, openFile } from './file.ts'
import { filesIn, unavailable } from './files.ts'
import { whileLocked } from './lock.ts'
import { decodeRecord, encodeHead, HEAD_KEY, type Head, keyBytes, keyText } from './record.ts'
import { apply, type Database, readHead } from './transact.ts'

export type LmdbOptions = Readonly<{
  /** Made if it is missing. */
  dir: string
  /** How many transactions a watch may look back; those of an earlier process never. */
  history?: number
  migrations?: ReadonlyArray<Migration>
}>

type Outcome = Either<StoreError, Revision>
type Waiting = Readonly<{ transaction: Transaction; resolve: (outcome: Outcome) => void }>
type Change = Readonly<{ revision: Revision; writes: ReadonlyArray<Write> }>
type Group = Readonly<{ head: Head; outcomes: ReadonlyArray<Outcome>; changes: ReadonlyArray<Change> }>

const read = (db: Database, file: string, key: string): Either<StoreError, Entry | null> => {
  const bytes = keyBytes(key)
  const record = db.get(bytes)
  if (record === undefined) return E.right(null)
  const entry = decodeRecord(bytes, record)
  return E.isLeft(entry)
    ? E.left({ tag: 'StoreDamaged', file, where: `record ${JSON.stringify(key)}`, why: entry.left })
    : E.right({ key, ...entry.right })
}

/** lmdb's order is that of the bytes, which differs from JavaScript's above the surrogates. */
const byKey = (a: Entry, b: Entry): number => (a.key < b.key ? -1 : 1)

const list = (db: Database, file: string, prefix: string): Either<StoreError, ReadonlyArray<Entry>> => {
  const entries: Entry[] = []
  for (const { key: bytes, value } of db.getRange({ start: keyBytes(prefix) })) {
    const key = keyText(bytes)
    if (key === null || !key.startsWith(prefix)) break
    const entry = decodeRecord(bytes, value)
    if (E.isLeft(entry))
      return E.left({ tag: 'StoreDamaged', file, where: `record ${JSON.stringify(key)}`, why: entry.left })
    entries.push({ key, ...entry.right })
  }
  return E.right(entries.sort(byKey))
}

/** All of the group in one transaction of lmdb, flushed when this returns. Throws if it could not be: then none of it happened. */
const commit = (db: Database, file: string, before: Head, group: ReadonlyArray<Waiting>): Group =>
  db.transactionSync(() => {
    let head = before
    const changes: Change[] = []
    const outcomes = group.map(({ transaction }): Outcome => {
      const next = apply(db, file, head, transaction)
      if (E.isLeft(next)) return next
      if (next.right !== head) changes.push({ revision: next.right.revision, writes: transaction.writes })
      head = next.right
      return E.right(head.revision)
    })
    if (head !== before) db.putSync(HEAD_KEY, encodeHead(head))
    return { head, outcomes, changes }
  })

type Place = Readonly<{
  dir: string
  file: string
  /** A new database on the same file, audited. */
  open: () => Promise<Either<StoreError, Database>>
  /** Gives the directory back. */
  release: () => void
}>

/**
 * A commit that fails leaves the file well but lmdb's binding in a state that the next commit may not survive, so that one opens
 * the file anew first. `db` is null while that has not succeeded.
 */
const storeOn = ({ dir, file, open, release }: Place, opened: Database, limit: number | undefined): Store => {
  let db: Database | null = opened
  let head = readHead(opened)
  let broken = false
  let closed = false
  let repairing: Promise<StoreError | null> | null = null
  let waiting: Waiting[] = []
  const history = historyFrom(head.revision, limit)

  const repair = async (): Promise<StoreError | null> => {
    try {
      await db?.close()
      db = null
      const again = await open()
      if (E.isLeft(again)) return again.left
      db = again.right
      head = readHead(db)
      broken = false
      return null
    } catch (defect) {
      return unavailable(dir, defect)
    } finally {
      repairing = null
    }
  }
  const settle = (group: ReadonlyArray<Waiting>): ReadonlyArray<Outcome> => {
    try {
      if (db === null) throw new Error('it is not open')
      const done = commit(db, file, head, group)
      head = done.head
      for (const change of done.changes) history.add(change)
      return done.outcomes
    } catch (defect) {
      broken = true
      return group.map(() => E.left(unavailable(dir, defect)))
    }
  }
  const flush = async (): Promise<void> => {
    repairing ??= broken ? repair() : null
    const problem = await repairing
    const group = waiting
    waiting = []
    if (group.length === 0) return
    const outcomes = problem === null ? settle(group) : group.map(() => E.left(problem))
    for (const [i, { resolve }] of group.entries()) resolve(outcomes[i] ?? E.left({ tag: 'StoreClosed' }))
  }
  const answer =
    <A>(bad: StoreError | null, work: (db: Database) => Either<StoreError, A>): TaskEither<StoreError, A> =>
    async () => {
      if (closed) return E.left({ tag: 'StoreClosed' })
      if (bad !== null) return E.left(bad)
      try {
        return db === null ? E.left(unavailable(dir, 'it is not open')) : work(db)
      } catch (defect) {
        return E.left(unavailable(dir, defect))
      }
    }

  return {
    get: (key) => answer(badKey(key), (at) => read(at, file, key)),
    list: (prefix) =>
      answer(badPrefix(prefix), (at) =>
        E.map((entries: ReadonlyArray<Entry>): Listing => ({ entries, revision: head.revision }))(
          list(at, file, prefix),
        ),
      ),
    transact: (transaction) => async () => {
      if (closed) return E.left({ tag: 'StoreClosed' })
      const bad = badTransaction(transaction)
      if (bad !== null) return E.left(bad)
      return new Promise((resolve) => {
        if (waiting.push({ transaction, resolve }) === 1) setImmediate(flush)
      })
    },
    watch: history.watch,
    close: async () => {
      if (closed) return
      closed = true
      await flush()
      history.end({ tag: 'StoreClosed' })
      await db?.close()
      release()
    },
  }
}

/** Opens the store of a directory, or makes one. Left: it is somebody else's, damaged, newer, or in use; it was not changed. */
export const lmdbStore =
  (options: LmdbOptions): TaskEither<StoreError, Store> =>
  async () => {
    const { migrations = MIGRATIONS } = options
    const files = filesIn(absolute(options.dir))
    const { dir, data: file } = files
    try {
      makeDir(dir)
      return await whileLocked(files, async (release) => {
        const open = () => openFile(files, migrations)
        const db = await open()
        return E.isLeft(db) ? db : E.right(storeOn({ dir, file, open, release }, db.right, options.history))
      })
    } catch (defect) {
      return E.left(unavailable(dir, defect))
    }
  }
