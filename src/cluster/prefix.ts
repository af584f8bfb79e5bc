// A prefix of a store is one host's alone, or shared by hosts, and never both: what the one writes, the other would not see. Whoever comes
// first decides, holding the right that who has a prefix alone holds while it writes; so of two who begin it otherwise at once, one is refused.

import { E, type Either, type TaskEither } from '../prelude.ts'
import type { StoreError } from '../store/error.ts'
import type { SharedStore } from '../store/lease.ts'
import { OWNER, owned, whileOwned } from '../store/owner.ts'
import type { Entry, Store } from '../store/store.ts'
import { isSharedKey, MEMBER, SHARED } from './layout.ts'

/** Names of hosts that a sentence holds. */
const MOST = 6

const namesIn = (members: ReadonlyArray<Entry>): string => {
  const names = members.map(({ key }) => key.slice(MEMBER.length))
  const rest = names.length > MOST ? [`${names.length - MOST} more`] : []
  return names.length === 0 ? '' : ` (${[...names.slice(0, MOST), ...rest].join(', ')})`
}

/** Of what a prefix holds: Left, hosts share it. `place`: for sentences. */
export const soleOf = (entries: ReadonlyArray<Entry>, place: string): Either<StoreError, void> => {
  if (!entries.some(({ key }) => key.startsWith(SHARED))) return E.right(undefined)
  const members = entries.filter(({ key }) => key.startsWith(MEMBER))
  return E.left({
    tag: 'StoreOtherUse',
    place,
    why: `is shared by hosts${namesIn(members)}`,
    hint: 'say which of them this machine is with --host NAME, or choose another prefix for this host alone',
  })
}

/** Left: hosts share it. */
export const ensureSole =
  (store: Store, place: string): TaskEither<StoreError, void> =>
  async () => {
    const listed = await store.list(SHARED)()
    return E.isLeft(listed) ? listed : soleOf(listed.right.entries, place)
  }

/** Right: whether hosts have written there already. Left: one host has it alone. */
export const ensureShared =
  (store: Store, place: string): TaskEither<StoreError, boolean> =>
  async () => {
    const members = await store.list(MEMBER)()
    if (E.isLeft(members) || members.right.entries.length > 0) return E.map(() => true)(members)
    const all = await store.list('')()
    if (E.isLeft(all)) return all
    const content = all.right.entries.filter(({ key }) => key !== OWNER)
    if (content.every(({ key }) => isSharedKey(key))) return E.right(content.length > 0)
    return E.left({
      tag: 'StoreOtherUse',
      place,
      why: 'holds the networks of one host alone',
      hint: 'leave out --host (and CNM_HOST), or choose another prefix for hosts to share',
    })
  }

/** The store for one writer, which it is closed for if that cannot be; whose prefix hosts do not share. */
export const takeSole =
  (store: SharedStore, place: string): TaskEither<StoreError, Store> =>
  async () => {
    const before = await ensureSole(store, place)()
    if (E.isLeft(before)) {
      await store.close()
      return before
    }
    const taken = await owned(store, place)()
    if (E.isLeft(taken)) return taken
    const after = await ensureSole(store, place)()
    if (E.isRight(after)) return taken
    await taken.right.close()
    return after
  }

/** What a host does to take its place, where hosts share the prefix or may begin to. */
export const enterShared =
  <A>(store: SharedStore, place: string, enter: TaskEither<StoreError, A>): TaskEither<StoreError, A> =>
  async () => {
    const begun = await ensureShared(store, place)()
    if (E.isLeft(begun)) return begun
    if (begun.right) return enter()
    return whileOwned(store, place, async () => {
      const still = await ensureShared(store, place)()
      return E.isLeft(still) ? still : enter()
    })()
  }
