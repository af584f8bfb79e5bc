// How the contents of a store change when their meaning does: one pure function for each schema version, from it to the next.
// It sees everything that is stored and answers with everything that is to be; keys or values it does not touch keep their
// revisions.

import { E, type Either } from '../prelude.ts'

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
