// Entries that last as long as who made them: presence of a host, the right to write. The store gives the entry up by itself when
// its holder has not been heard of for the time to live; a watch tells of that as of any removal.
// Invariant: whoever holds is told that it is lost not later than the store gives it up, by the holder's clock, if the holder runs.
// Nobody can promise that the holder runs: what must not be done by two is written with a compare on the entry's revision.

import type { TaskEither } from '../prelude.ts'
import type { StoreError } from './error.ts'
import type { Revision, Store } from './store.ts'

/** A hold is renewed so many times in its time to live. */
export const RENEWALS = 3

/** `revision`: the entry's, for compares. */
export type Hold = Readonly<{
  revision: Revision
  /** Gives the entry up; if the store cannot be told, it is given up when its time is over. `lost` is not called any more. */
  release: () => Promise<void>
}>

export interface Leases {
  /**
   * Writes an entry that is not there yet (Left `StoreConflict`: it is) and keeps it. `lost` is called at most once: the store has
   * given the entry up or may do so from now on, or was closed. The time to live is at least what the server allows.
   */
  readonly hold: (
    key: string,
    value: string,
    ttlMs: number,
    lost: (error: StoreError) => void,
  ) => TaskEither<StoreError, Hold>
}

/** A store that several processes share. */
export type SharedStore = Store & Leases
