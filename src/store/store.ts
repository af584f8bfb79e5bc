// Where a model outlives its process: keys with revisions, changed by transactions of compares and writes, and watched.
// The contract is a test (test/store/contract.ts) that every store passes.

import type { TaskEither } from '../prelude.ts'

/** Counts transactions of the whole store, from 1. An entry's revision is that of its last write; 0 means absent. */
export type Revision = number
export type Entry = Readonly<{ key: string; value: string; revision: Revision }>

/** `value` null removes the key; removing what is absent is no error. */
export type Write = Readonly<{ key: string; value: string | null }>
/** The transaction happens only if the key is still at this revision. */
export type Compare = Readonly<{ key: string; revision: Revision }>
export type Transaction = Readonly<{ compares: ReadonlyArray<Compare>; writes: ReadonlyArray<Write> }>

export type StoreError = Readonly<
  { tag: 'StoreConflict'; key: string } | { tag: 'StoreUnavailable'; what: string; hint: string | null }
>

/** One transaction's writes below a watched prefix. */
export type News = Readonly<{ revision: Revision; writes: ReadonlyArray<Write> }>

export interface Store {
  readonly get: (key: string) => TaskEither<StoreError, Entry | null>
  /** All entries below a prefix, in key order, as they were together at `revision`. */
  readonly list: (
    prefix: string,
  ) => TaskEither<StoreError, Readonly<{ entries: ReadonlyArray<Entry>; revision: Revision }>>
  /** All or nothing; right: the store's new revision. */
  readonly transact: (transaction: Transaction) => TaskEither<StoreError, Revision>
  /** Tells of every transaction after `since` that writes below `prefix`, in order, each once. Returns how to stop. */
  readonly watch: (prefix: string, since: Revision, tell: (news: News) => void) => () => void
}
