// The store's file: made so that it is either whole or not there, opened only when an audit found nothing wrong, brought to the
// present schema in one transaction. What is refused is left byte for byte as it was.

import { randomUUID } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { open } from 'lmdb'
import { E, type Either } from '../../prelude.ts'
import type { StoreError } from '../error.ts'
import { type Migration, migrationWrites, schemaOf } from '../migrate.ts'
import { audit } from './audit.ts'
import type { Files } from './files.ts'
import { encodeHead, HEAD_KEY, type Head } from './record.ts'
import { apply, type Database, readHead } from './transact.ts'

const syncDir = (dir: string): void => {
  const fd = openSync(dir, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

const makeOne = (dir: string): void => {
  try {
    mkdirSync(dir, { mode: 0o700 })
  } catch (defect) {
    // Another process was quicker.
    if (!(defect instanceof Error && 'code' in defect && defect.code === 'EEXIST')) throw defect
  }
}

/**
 * The directory, and those above it that were missing, on disk. One by one: `recursive` of Node 20 never ends where nothing can be
 * made and the system says ENOENT, as below /proc.
 */
export const makeDir = (dir: string): void => {
  if (existsSync(dir)) return
  makeDir(dirname(dir))
  makeOne(dir)
  syncDir(dirname(dir))
}

/**
 * lmdb's own order of writing: pages, flush, the meta page through a descriptor that flushes. Its binding's default
 * (overlappingSync) shows a transaction before it is on disk.
 */
const openLmdb = (path: string): Database =>
  open({ path, noSubdir: true, overlappingSync: false, keyEncoding: 'binary', encoding: 'binary' })

const removeFresh = ({ fresh }: Files): void => {
  for (const file of [fresh, `${fresh}-lock`]) rmSync(file, { force: true })
}

const create = async (files: Files, schema: number): Promise<void> => {
  removeFresh(files)
  const db = openLmdb(files.fresh)
  const head: Head = { schema, id: randomUUID(), revision: 0, entries: 0, digest: 0 }
  db.transactionSync(() => db.putSync(HEAD_KEY, encodeHead(head)))
  await db.close()
  renameSync(files.fresh, files.data)
  removeFresh(files)
  syncDir(files.dir)
}

/** Opens what is there, or makes it. The directory is ours to write to: its lock is held. Throws what lmdb and the disk throw. */
export const openFile = async (
  files: Files,
  migrations: ReadonlyArray<Migration>,
): Promise<Either<StoreError, Database>> => {
  const schema = schemaOf(migrations)
  const file = files.data
  if (!existsSync(file)) await create(files, schema)
  const audited = audit(file)
  if (E.isLeft(audited)) return audited
  const { head, entries, problems } = audited.right
  if (head.schema > schema) return E.left({ tag: 'StoreNewer', file, schema: head.schema, known: schema })
  const [problem] = problems
  if (problem !== undefined) return E.left(problem)
  if (head.schema === schema) return E.right(openLmdb(file))

  const writes = migrationWrites(migrations, file, head.schema, new Map(entries.map(({ key, value }) => [key, value])))
  if (E.isLeft(writes)) return writes
  const db = openLmdb(file)
  db.transactionSync(() => {
    const next = apply(db, file, { ...readHead(db), schema }, { compares: [], writes: writes.right })
    if (E.isLeft(next)) throw new Error(`a record that was well is damaged: ${next.left.tag}`)
    db.putSync(HEAD_KEY, encodeHead(next.right))
  })
  return E.right(db)
}
