// One writer on a store that several processes reach: the right to write is an entry that is held, and every transaction compares its
// revision. So a writer that was given up (it stood still, or was cut off) writes nothing any more, whatever it believes. The one
// writer knows what is stored without reading it; once it does not (a transaction had no answer), it must begin again.

import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import { E, type Either, type TaskEither } from '../prelude.ts'
import type { StoreError } from './error.ts'
import type { Hold, SharedStore } from './lease.ts'
import type { Entry, Store } from './store.ts'

export const OWNER = 'owner'
const TTL_MS = 10_000

/** `world`: this boot of this host, and who sees whose process ids there. Null: it cannot be told. */
type Owner = Readonly<{ host: string; pid: number; world: string | null }>

const world = (): string | null => {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return null
  }
}

const present = (): Owner => ({ host: hostname(), pid: process.pid, world: world() })

const readOwner = (text: string): Owner | null => {
  try {
    const { host, pid, world } = { ...JSON.parse(text) }
    return typeof host === 'string' && typeof pid === 'number' ? { host, pid, world: world ?? null } : null
  } catch {
    return null
  }
}

/** Only who could see it alive may say that it is dead. */
const isDead = (owner: Owner | null): boolean => {
  if (owner === null || owner.world === null || owner.world !== world()) return false
  try {
    process.kill(owner.pid, 0)
    return false
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH'
  }
}

const nameOf = (owner: Owner | null): string =>
  owner === null ? 'another process' : `process ${owner.pid} on ${owner.host}`

/** Takes the place of an owner that has died here, whose entry would last its time; of another, the answer says who it is. */
const take = async (
  store: SharedStore,
  place: string,
  lost: (error: StoreError) => void,
): Promise<Either<StoreError, Hold>> => {
  for (;;) {
    const held = await store.hold(OWNER, JSON.stringify(present()), TTL_MS, lost)()
    if (E.isRight(held) || held.left.tag !== 'StoreConflict') return held
    const entry = await store.get(OWNER)()
    if (E.isLeft(entry)) return entry
    if (entry.right === null) continue
    const owner = readOwner(entry.right.value)
    if (!isDead(owner)) return E.left({ tag: 'StoreHeld', place, by: nameOf(owner) })
    const { revision } = entry.right
    const removed = await store.transact({
      compares: [{ key: OWNER, revision }],
      writes: [{ key: OWNER, value: null }],
    })()
    if (E.isLeft(removed) && removed.left.tag !== 'StoreConflict') return removed
  }
}

const isContent = ({ key }: Entry): boolean => key !== OWNER

/** What there is beside the right to write. */
export const withoutOwner = (store: Store): Store => ({
  ...store,
  list: (prefix) => async () => {
    const listed = await store.list(prefix)()
    return E.isLeft(listed) ? listed : E.right({ ...listed.right, entries: listed.right.entries.filter(isContent) })
  },
})

const ownedBy = (store: SharedStore, place: string, hold: Hold): Store => {
  const mine = { key: OWNER, revision: hold.revision }
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
      await hold.release()
      await store.close()
    },
  }
}

/** The store for one writer: this process. It is closed if that cannot be. `place`: for sentences. */
export const owned =
  (store: SharedStore, place: string): TaskEither<StoreError, Store> =>
  async () => {
    const hold = await take(store, place, () => {})
    if (E.isLeft(hold)) {
      await store.close()
      return hold
    }
    return E.right(ownedBy(store, place, hold.right))
  }

/** Does work while nobody else has the right to write. `place`: for sentences. */
export const whileOwned =
  <A>(store: SharedStore, place: string, work: TaskEither<StoreError, A>): TaskEither<StoreError, A> =>
  async () => {
    const hold = await take(store, place, () => {})
    if (E.isLeft(hold)) return hold
    try {
      return await work()
    } finally {
      await hold.right.release()
    }
  }
