// What a host has in a store that it shares, as its model is loaded from it: its own part, and what all share. It is read here without taking
// the host's place, as it was at one moment.

import type { HostId } from '../model/types.ts'
import { E, type TaskEither } from '../prelude.ts'
import type { StoreError } from '../store/error.ts'
import type { Entry, Listing, Revision, Store } from '../store/store.ts'
import { LAST, localPrefix, presenceKey, readKey, SHARED } from './layout.ts'
import { ensureShared } from './prefix.ts'

/** Null: it is no object of a model. */
const modelEntry = ({ key, value, revision }: Entry): Entry | null => {
  const about = readKey(key)
  if (about?.of === 'network') return { key: `network/${about.id}`, value, revision }
  return about?.of === 'endpoint' ? { key: `peer/${about.id}`, value, revision } : null
}

/** Those of the host under the keys that one which has a store alone has, and those that are shared under the keys of a model. */
export const hostEntries = (
  host: HostId,
  own: ReadonlyArray<Entry>,
  shared: ReadonlyArray<Entry>,
): ReadonlyArray<Entry> => [
  ...own.map((entry) => ({ ...entry, key: entry.key.slice(localPrefix(host).length) })),
  ...shared.map(modelEntry).filter((entry) => entry !== null),
]

/** `isBusy`: a process is that host. `since`: what to watch for changes of it, and from where. */
export type HostSight = Readonly<{
  entries: ReadonlyArray<Entry>
  isBusy: boolean
  since: ReadonlyArray<Readonly<{ prefix: string; revision: Revision }>>
}>

const sightOf = (host: HostId, own: Listing, shared: Listing): HostSight => ({
  entries: hostEntries(host, own.entries, shared.entries),
  isBusy: shared.entries.some(({ key }) => key === presenceKey(host)),
  since: [
    { prefix: localPrefix(host), revision: own.revision },
    { prefix: SHARED, revision: shared.revision },
  ],
})

/** Left also if one host has the prefix alone. `place`: for sentences. */
export const lookAtHost =
  (store: Store, host: HostId, place: string): TaskEither<StoreError, HostSight> =>
  async () => {
    const local = localPrefix(host)
    const usable = await ensureShared(store, place)()
    if (E.isLeft(usable)) return usable
    const own = await store.list(local)()
    if (E.isLeft(own)) return own
    const shared = await store.list(SHARED)()
    if (E.isLeft(shared)) return shared
    const last = shared.right.entries.find(({ key }) => key === LAST)?.revision ?? 0
    // Nothing that is shared has changed since the host's own part was read, so both were there together.
    if (last <= own.right.revision) return E.right(sightOf(host, own.right, shared.right))
    const whole = await store.list('')()
    if (E.isLeft(whole)) return whole
    const under = (prefix: string): Listing => ({
      ...whole.right,
      entries: whole.right.entries.filter(({ key }) => key.startsWith(prefix)),
    })
    return E.right(sightOf(host, under(local), under(SHARED)))
  }

/** Without who is there: for a copy, in which nobody is. */
export const withoutPresence = (store: Store): Store => ({
  ...store,
  list: (prefix) => async () => {
    const listed = await store.list(prefix)()
    if (E.isLeft(listed)) return listed
    const entries = listed.right.entries.filter(({ key }) => readKey(key)?.of !== 'presence')
    return E.right({ ...listed.right, entries })
  },
})
