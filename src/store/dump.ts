// A store's contents as text, for keeping and for carrying to another store: a line of JSON that says what it is, one for each
// entry, one that counts them and holds a checksum of all lines before. What was cut off or altered is not imported.

import { crc32 } from 'node:zlib'
import { E, type Either, type TaskEither } from '../prelude.ts'
import type { StoreError } from './error.ts'
import { type Content, MIGRATIONS, type Migration, migrate, schemaOf } from './migrate.ts'
import type { Entry, Revision, Store } from './store.ts'

const FORMAT = 'cnm-store-export'
const VERSION = 1

const hex = (sum: number): string => sum.toString(16).padStart(8, '0')

/** Revisions are for the reader's eyes: an import gives new ones. */
export const exportStore =
  (store: Store): TaskEither<StoreError, string> =>
  async () => {
    const listed = await store.list('')()
    if (E.isLeft(listed)) return listed
    const { entries, revision } = listed.right
    const header = { format: FORMAT, version: VERSION, schema: schemaOf(MIGRATIONS), revision }
    const lines = [header, ...entries.map(({ key, value, revision }: Entry) => ({ key, revision, value }))]
    const body = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
    return E.right(`${body}${JSON.stringify({ entries: entries.length, crc32: hex(crc32(body)) })}\n`)
  }

type Fields = Readonly<Record<string, unknown>>
export type Dump = Readonly<{ schema: number; content: Content }>

const fieldsOf = (line: string): Fields => {
  try {
    return { ...JSON.parse(line) }
  } catch {
    return {}
  }
}

/** `file` is for the sentences. */
export const readDump = (file: string, text: string): Either<StoreError, Dump> => {
  const bad = (line: number, why: string): Either<StoreError, never> =>
    E.left({ tag: 'StoreBadExport', file, line, why })
  const lines = text.split('\n')
  const { format, version, schema } = fieldsOf(lines[0] ?? '')
  if (format !== FORMAT) return bad(1, 'does not begin as an export of a store does')
  if (version !== VERSION || typeof schema !== 'number' || !Number.isInteger(schema) || schema < 1)
    return bad(1, `is of version ${version}, this cnm reads ${VERSION}`)
  if (lines.at(-1) !== '') return bad(lines.length, 'is cut off')
  const trailer = fieldsOf(lines.at(-2) ?? '')
  const body = text.slice(0, text.lastIndexOf('\n', text.length - 2) + 1)
  if (typeof trailer['crc32'] !== 'string') return bad(lines.length - 1, 'is not the last of an export')
  if (trailer['crc32'] !== hex(crc32(body))) return bad(lines.length - 1, 'does not match what is before it')

  const content: Array<{ key: string; value: string }> = []
  for (const [i, line] of lines.slice(1, -2).entries()) {
    const { key, value } = fieldsOf(line)
    if (typeof key !== 'string' || typeof value !== 'string') return bad(i + 2, 'is no entry')
    content.push({ key, value })
  }
  if (trailer['entries'] !== content.length)
    return bad(lines.length - 1, `counts ${trailer['entries']} entries, there are ${content.length}`)
  return E.right({ schema, content })
}

/**
 * Brings an export into an empty store, in one transaction. Right: the store's revision then. Of the store, nobody else may be
 * writing to it.
 */
export const importStore =
  (
    store: Store,
    file: string,
    text: string,
    migrations: ReadonlyArray<Migration> = MIGRATIONS,
  ): TaskEither<StoreError, Revision> =>
  async () => {
    const dump = readDump(file, text)
    if (E.isLeft(dump)) return dump
    const { schema: from, content } = dump.right
    const known = schemaOf(migrations)
    if (from > known) return E.left({ tag: 'StoreNewer', file, schema: from, known })
    const present = migrate(migrations, from, content)
    if (E.isLeft(present)) return E.left({ tag: 'StoreNotMigrated', file, from, why: present.left })
    const there = await store.list('')()
    if (E.isLeft(there)) return there
    if (there.right.entries.length > 0) return E.left({ tag: 'StoreNotEmpty', entries: there.right.entries.length })
    return store.transact({ compares: [], writes: present.right })()
  }
