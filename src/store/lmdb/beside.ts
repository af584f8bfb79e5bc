// Reads the store of a directory beside whoever is at work on it: without its lock, and without lmdb, which would map a file that
// others write. What is read is proved as by an audit (pages, checksums, the digest of all records), so it is what was there
// together at one moment, or it is read again.

import { statSync } from 'node:fs'
import { resolve as absolute } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { E, type Either, type TaskEither } from '../../prelude.ts'
import type { StoreError } from '../error.ts'
import { MIGRATIONS, schemaOf } from '../migrate.ts'
import type { Entry } from '../store.ts'
import { audit } from './audit.ts'
import { filesIn, unavailable } from './files.ts'
import { isLocked } from './lock.ts'

/** `stamp` is another after every change of the file. `id`: of the store; another one may be put in its place. */
export type Sight = Readonly<{
  stamp: string
  id: string
  entries: ReadonlyArray<Entry>
  /** Somebody was at work, who may yet take back what came last. */
  isBusy: boolean
}>

/** Null: there is no store. Throws what the file system throws. */
export const stampOf = (dir: string): string | null => {
  const { data } = filesIn(absolute(dir))
  const found = statSync(data, { bigint: true, throwIfNoEntry: false })
  return found === undefined ? null : `${found.ino} ${found.size} ${found.mtimeNs}`
}

const look = (file: string): Either<StoreError, Omit<Sight, 'stamp' | 'isBusy'>> => {
  const audited = audit(file)
  if (E.isLeft(audited)) return audited
  const { head, entries, problems } = audited.right
  const known = schemaOf(MIGRATIONS)
  if (head.schema > known) return E.left({ tag: 'StoreNewer', file, schema: head.schema, known })
  const [problem] = problems
  if (problem !== undefined) return E.left(problem)
  if (head.schema === known) return E.right({ id: head.id, entries })
  return E.left({
    tag: 'StoreNotMigrated',
    file,
    from: head.schema,
    why: 'it is only looked at; change something first',
  })
}

const ATTEMPTS = 50
const BETWEEN_MS = 20

/** Right null: there is no store yet. Left: it cannot be read, and not because somebody was writing. */
export const readBeside =
  (dir: string): TaskEither<StoreError, Sight | null> =>
  async () => {
    const { data: file, lock } = filesIn(absolute(dir))
    let failedAt: string | null = null
    try {
      for (let attempt = 1; ; attempt++) {
        const isBusy = isLocked(lock)
        const stamp = stampOf(dir)
        if (stamp === null) return E.right(null)
        const seen = look(file)
        const isStill = stampOf(dir) === stamp
        if (E.isRight(seen)) return E.right({ stamp, ...seen.right, isBusy: isBusy || !isStill })
        // The same file twice, and nobody has touched it in between: that is how it is.
        if ((isStill && failedAt === stamp) || attempt === ATTEMPTS) return seen
        failedAt = stamp
        await sleep(BETWEEN_MS)
      }
    } catch (defect) {
      const isGone = defect instanceof Error && 'code' in defect && defect.code === 'ENOENT'
      return isGone ? E.right(null) : E.left(unavailable(dir, defect))
    }
  }
