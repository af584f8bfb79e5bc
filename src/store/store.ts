// Where a model outlives its process: keys with revisions, changed by transactions of compares and writes, and watched.
// Everything here can be kept on lmdb, etcd, ZooKeeper and Consul alike; the contract is a test (test/store/contract.ts) that
// every store passes.

import type { TaskEither } from '../prelude.ts'
import type { StoreError } from './error.ts'

/**
 * Of the whole store: grows with each transaction that writes, by one or by more. An entry's revision is that of its last
 * write; 0 means absent.
 */
export type Revision = number
export type Entry = Readonly<{ key: string; value: string; revision: Revision }>

/** `value` null removes the key; removing what is absent is no error. */
export type Write = Readonly<{ key: string; value: string | null }>
/** The transaction happens only if the key is still at this revision. */
export type Compare = Readonly<{ key: string; revision: Revision }>
/** Names each key at most once in `writes`. Compares see what was there before; without writes, nothing happens. */
export type Transaction = Readonly<{ compares: ReadonlyArray<Compare>; writes: ReadonlyArray<Write> }>

/** All entries asked for, in the order of their keys as JavaScript compares strings, as they were together at `revision`. */
export type Listing = Readonly<{ entries: ReadonlyArray<Entry>; revision: Revision }>

/**
 * What a watcher is told. `Changed`: the writes below its prefix that led to `revision`; those of one transaction are told
 * together (a store whose server forgets steps in between may tell several transactions as one). `Ended`: nothing more will
 * be told, and why; who still wants to know lists again and watches from there.
 */
export type News = Readonly<
  { tag: 'Changed'; revision: Revision; writes: ReadonlyArray<Write> } | { tag: 'Ended'; error: StoreError }
>

export interface Store {
  readonly get: (key: string) => TaskEither<StoreError, Entry | null>
  /** What is below a prefix; '' is everything. */
  readonly list: (prefix: string) => TaskEither<StoreError, Listing>
  /**
   * All or nothing. Right: the revision at which it is there, to stay: a store with a disk has flushed it. Left:
   * nothing happened, except that after `StoreUnavailable` one must ask to know.
   */
  readonly transact: (transaction: Transaction) => TaskEither<StoreError, Revision>
  /**
   * Tells of every change after `since` below `prefix`, in order, each once, if need be before `watch` returns. `StoreCompacted`
   * ends it if the store has forgotten some of them. Returns how to stop. `tell` must not throw.
   */
  readonly watch: (prefix: string, since: Revision, tell: (news: News) => void) => () => void
  /** Waits for the transactions under way and lets go of everything. Afterwards all answers are `StoreClosed`. */
  readonly close: () => Promise<void>
}
