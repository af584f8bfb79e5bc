// Leases of the memory store. The store's clock and the holder's are two: a simulated host whose clock stands still is one that has
// crashed or is cut off, and the store gives up what it held.

import { E } from '../prelude.ts'
import type { Clock } from './clock.ts'
import type { StoreError } from './error.ts'
import { type Leases, RENEWALS } from './lease.ts'
import type { Store } from './store.ts'

/** `clock`: the store's. */
export const memoryLeases = (store: Store, clock: Clock, holder: Clock): Leases => ({
  hold: (key, value, ttlMs, lost) => async () => {
    const made = await store.transact({ compares: [{ key, revision: 0 }], writes: [{ key, value }] })()
    if (E.isLeft(made)) return made
    const revision = made.right
    let isOver = false
    let withdrawExpiry = (): void => {}
    let withdrawRenewal = (): void => {}

    const end = (): void => {
      isOver = true
      withdrawExpiry()
      withdrawRenewal()
      unwatch()
    }
    const remove = async (): Promise<void> => {
      await store.transact({ compares: [{ key, revision }], writes: [{ key, value: null }] })()
    }
    const lose = (error: StoreError): void => {
      if (isOver) return
      end()
      lost(error)
    }
    const expire = (): void => {
      void remove()
      lose({ tag: 'StoreUnavailable', what: `the store has given up ${JSON.stringify(key)}`, hint: null })
    }
    const renew = (): void => {
      withdrawExpiry()
      withdrawExpiry = clock.after(ttlMs, expire)
      withdrawRenewal = holder.after(ttlMs / RENEWALS, renew)
    }
    const unwatch = store.watch(key, revision, (news) => {
      if (news.tag === 'Ended') lose(news.error)
    })
    renew()
    return E.right({
      revision,
      release: async () => {
        if (isOver) return
        end()
        await remove()
      },
    })
  },
})
