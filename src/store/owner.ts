// One writer on a store that several processes reach: the right to write is an entry that is held, and every transaction compares its
// revision. So a writer that was given up (it stood still, or was cut off) writes nothing any more, whatever it believes. The one
// writer knows what is stored without reading it; once it does not (a transaction had no answer), it must begin again.

import { E, type TaskEither } from '../prelude.ts'
import type { StoreError } from './error.ts'
import type { Hold, SharedStore } from './lease.ts'
import { hold, processIdentity } from './presence.ts'
import type { Entry, Store } from './store.ts'

export const OWNER = 'owner'
const TTL_MS = 10_000

const isContent = ({ key }: Entry): boolean => key !== OWNER

/** What there is beside the right to write. */
export const withoutOwner = (store: Store): Store => ({
  ...store,
  list: (prefix) => async () => {
    const listed = await store.list(prefix)()
    return E.isLeft(listed) ? listed : E.right({ ...listed.right, entries: listed.right.entries.filter(isContent) })
  },
})

const ownedBy = (store: SharedStore, place: string, held: Hold): Store => {
  const mine = { key: OWNER, revision: held.revision }
  const gone: StoreError = {
    tag: 'StoreUnavailable',
    what: `${place} is not ours to write to any more: this process was not heard of for ${TTL_MS / 1000} s`,
    hint: 'begin again',
  }
  const uncertain: StoreError = {
    tag: 'StoreUnavailable',
    what: `${place} left a transaction without an answer, so what it holds is not certain`,
    hint: 'begin again',
  }
  let isCertain = true
  return {
    ...withoutOwner(store),
    transact: (transaction) => async () => {
      if (!isCertain) return E.left(uncertain)
      const done = await store.transact({ ...transaction, compares: [mine, ...transaction.compares] })()
      if (E.isRight(done)) return done
      if (done.left.tag === 'StoreUnavailable') isCertain = false
      return done.left.tag === 'StoreConflict' && done.left.key === OWNER ? E.left(gone) : done
    },
    close: async () => {
      await held.release()
      await store.close()
    },
  }
}

/** The store for one writer: this process. It is closed if that cannot be. `place`: for sentences. */
export const owned =
  (store: SharedStore, place: string): TaskEither<StoreError, Store> =>
  async () => {
    const held = await hold(store, OWNER, processIdentity(), place, TTL_MS, () => {})
    if (E.isLeft(held)) {
      await store.close()
      return held
    }
    return E.right(ownedBy(store, place, held.right))
  }

/** Does work while nobody else has the right to write. `place`: for sentences. */
export const whileOwned =
  <A>(store: SharedStore, place: string, work: TaskEither<StoreError, A>): TaskEither<StoreError, A> =>
  async () => {
    const held = await hold(store, OWNER, processIdentity(), place, TTL_MS, () => {})
    if (E.isLeft(held)) return held
    try {
      return await work()
    } finally {
      await held.right.release()
    }
  }
