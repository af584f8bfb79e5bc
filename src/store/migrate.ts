// How the contents of a store change when their meaning does: one pure function for each schema version, from it to the next.
// It sees everything that is stored and answers with everything that is to be; keys or values it does not touch keep their
// revisions.

import { E, type Either } from '../prelude.ts'
import type { StoreError } from './error.ts'
import type { Write } from './store.ts'

export type Content = ReadonlyArray<Readonly<{ key: string; value: string }>>

/** Left: why this content cannot be carried over, as a clause. */
export type Migration = (content: Content) => Either<string, Content>

/** The first leads from version 1 to version 2. */
export const MIGRATIONS: ReadonlyArray<Migration> = []

export const schemaOf = (migrations: ReadonlyArray<Migration>): number => migrations.length + 1

/** Content of version `from`, 1 or later, brought to the present one. */
export const migrate = (
  migrations: ReadonlyArray<Migration>,
  from: number,
  content: Content,
): Either<string, Content> => {
  let now = content
  for (const step of migrations.slice(from - 1)) {
    const next = step(now)
    if (E.isLeft(next)) return next
    now = next.right
  }
  return E.right(now)
}

/** What must be written to bring a store of version `from` that holds `before` to the present one. `file`: for sentences. */
export const migrationWrites = (
  migrations: ReadonlyArray<Migration>,
  file: string,
  from: number,
  before: ReadonlyMap<string, string>,
): Either<StoreError, ReadonlyArray<Write>> => {
  const content = migrate(
    migrations,
    from,
    [...before].map(([key, value]) => ({ key, value })),
  )
  if (E.isLeft(content)) return E.left({ tag: 'StoreNotMigrated', file, from, why: content.left })
  const after = new Map(content.right.map(({ key, value }) => [key, value]))
  return E.right([
    ...[...before.keys()].filter((key) => !after.has(key)).map((key) => ({ key, value: null })),
    ...[...after].filter(([key, value]) => before.get(key) !== value).map(([key, value]) => ({ key, value })),
  ])
}
