// Clears hosts that died: whose presence ended without a word. Of those that are there the first by name does it, after a while; should it
// die, too, the next. Doing it twice does no harm, and a host that comes back in time keeps what it has.

import type { HostId } from '../model/types.ts'
import { E } from '../prelude.ts'
import type { Clock } from '../store/clock.ts'
import type { Store } from '../store/store.ts'
import { clearHost } from './hosts.ts'
import type { View } from './view.ts'

export type WatchOver = Readonly<{
  /** Who is there may have changed. */
  look: (view: View) => void
  stop: () => void
}>

/** `graceMs`: for a process that takes the place of one that died. */
export const watchOver = (store: Store, self: HostId, place: string, clock: Clock, graceMs: number): WatchOver => {
  const due = new Map<HostId, () => void>()
  let now: View | null = null

  const isDead = (host: HostId): boolean =>
    now !== null && !now.isPresent(host) && now.members().some((member) => member.host === host && member.mortal)

  const clear = (host: HostId): void => {
    due.delete(host)
    if (!isDead(host)) return
    void clearHost(store, host, place)().then((cleared) => {
      // Whoever is back is not dead; what failed otherwise is tried again.
      if (E.isLeft(cleared) && cleared.left.tag !== 'StoreHeld' && cleared.left.tag !== 'StoreClosed') wait(host)
    })
  }
  const wait = (host: HostId): void => {
    const before =
      now === null ? [] : now.members().filter((member) => member.host < self && now?.isPresent(member.host))
    if (!due.has(host))
      due.set(
        host,
        clock.after(graceMs * (1 + before.length), () => clear(host)),
      )
  }

  return {
    look: (view) => {
      now = view
      for (const [host, withdraw] of due)
        if (!isDead(host)) {
          withdraw()
          due.delete(host)
        }
      for (const { host } of view.members()) if (host !== self && isDead(host)) wait(host)
    },
    stop: () => {
      now = null
      for (const withdraw of due.values()) withdraw()
      due.clear()
    },
  }
}
