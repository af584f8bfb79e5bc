// Where what an engine decides is kept: in a store of its own, or in one that it shares with other hosts, which change what it knows. What
// the two have in common is all that a turn needs.

import { sharedChange } from '../cluster/change.ts'
import type { Membership, Setback } from '../cluster/membership.ts'
import type { SharedNews } from '../model/command.ts'
import type { HostId, Model } from '../model/types.ts'
import { E, type Either } from '../prelude.ts'
import type { StoreError } from '../store/error.ts'
import type { Entry, Store, Write } from '../store/store.ts'
import { entriesIn } from './load.ts'

export type Keeper = Readonly<{
  /** Null: nobody else changes what is kept. */
  host: HostId | null
  /** All that is kept. It may be asked again: what was believed then counts no more. */
  begin: () => Promise<Either<StoreError, ReadonlyArray<Entry>>>
  /** Keeps what leads from one model to another: `writes`, and what hosts share of it. */
  commit: (writes: ReadonlyArray<Write>, before: Model, after: Model) => Promise<Either<Setback, void>>
  /** Null: there is none. Left: one must begin again. */
  news: () => Either<StoreError, SharedNews | null>
  /** Waits until all was heard that others were told is done. */
  catchUp: () => Promise<Either<StoreError, void>>
  listen: (hear: () => void) => void
  close: () => Promise<void>
}>

/** For a store that nobody else writes to. */
export const soleKeeper = (store: Store): Keeper => ({
  host: null,
  begin: () => entriesIn(store),
  commit: async (writes) => {
    const done = writes.length === 0 ? E.right(0) : await store.transact({ compares: [], writes })()
    return E.isLeft(done) ? E.left({ tag: 'Refused', error: done.left }) : E.right(undefined)
  },
  news: () => E.right(null),
  catchUp: async () => E.right(undefined),
  listen: () => {},
  close: store.close,
})

export const clusterKeeper = (membership: Membership): Keeper => ({
  ...membership,
  commit: (writes, before, after) => membership.commit(writes, sharedChange(before, after)),
})
