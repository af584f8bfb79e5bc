// The store that forgets: for simulations, tests, and runs that take everything down again. It is the reference of what a
// store does.

import { emptyMap, entriesUnder, getIn, type PMap, removeIn, setIn } from '../net/pmap.ts'
import { E, type Either } from '../prelude.ts'
import { type Clock, systemClock } from './clock.ts'
import type { StoreError } from './error.ts'
import { historyFrom } from './history.ts'
import type { Leases } from './lease.ts'
import { memoryLeases } from './memory-lease.ts'
import type { Entry, Revision, Store, Transaction } from './store.ts'
import { badKey, badPrefix, badTransaction } from './valid.ts'

/** `history`: how many transactions a watch may look back. `clock`: by which it gives up what is held. */
export type MemoryOptions = Readonly<{ history?: number; clock?: Clock }>

/** `leases`: those of a host with this clock. */
export type MemoryStore = Store & Readonly<{ leases: (holder: Clock) => Leases }>

export const memoryStore = (options: MemoryOptions = {}): MemoryStore => {
  let entries: PMap<Entry> = emptyMap()
  let revision: Revision = 0
  let closed = false
  const history = historyFrom(0, options.history)

  const answer =
    <A>(fault: () => StoreError | null, work: () => Either<StoreError, A>) =>
    async (): Promise<Either<StoreError, A>> => {
      const error = closed ? ({ tag: 'StoreClosed' } as const) : fault()
      return error === null ? work() : E.left(error)
    }
  const commit = ({ compares, writes }: Transaction): Either<StoreError, Revision> => {
    const stale = compares.find((each) => (getIn(entries, each.key)?.revision ?? 0) !== each.revision)
    if (stale !== undefined) return E.left({ tag: 'StoreConflict', key: stale.key })
    if (writes.length === 0) return E.right(revision)
    revision += 1
    for (const { key, value } of writes)
      entries = value === null ? removeIn(entries, key) : setIn(entries, key, { key, value, revision })
    history.add({ revision, writes })
    return E.right(revision)
  }

  const store: Store = {
    get: (key) =>
      answer(
        () => badKey(key),
        () => E.right(getIn(entries, key) ?? null),
      ),
    list: (prefix) =>
      answer(
        () => badPrefix(prefix),
        () => E.right({ entries: entriesUnder(entries, prefix).map(([, entry]) => entry), revision }),
      ),
    transact: (transaction) =>
      answer(
        () => badTransaction(transaction),
        () => commit(transaction),
      ),
    watch: history.watch,
    close: async () => {
      closed = true
      history.end({ tag: 'StoreClosed' })
    },
  }
  return { ...store, leases: (holder) => memoryLeases(store, options.clock ?? systemClock, holder) }
}
