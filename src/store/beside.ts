// A store read beside whoever is at work on it, again and again as it changes.

import { E, type Either } from '../prelude.ts'
import type { StoreError } from './error.ts'
import { readBeside, type Sight, stampOf } from './lmdb/beside.ts'
import { findShared } from './open.ts'
import { OWNER } from './owner.ts'
import type { Entry, Revision, Store } from './store.ts'
import { type ServersUrl, type StoreUrl, showStoreUrl } from './url.ts'

export type { Sight } from './lmdb/beside.ts'

export type Beside = Readonly<{
  /** Right null: there is no store. */
  read: () => Promise<Either<StoreError, Sight | null>>
  /** Another than that of what was read: it has changed since, or reading it says what is wrong. Null: there is no store. */
  stamp: () => string | null
  close: () => Promise<void>
}>

const inDirectory = (dir: string): Beside => ({
  read: readBeside(dir),
  stamp: () => {
    try {
      return stampOf(dir)
    } catch {
      return 'unreadable'
    }
  },
  close: async () => {},
})

/** What is looked at of a store on servers: `since` says what to watch for changes of it, and from where. */
export type Part = Readonly<{
  entries: ReadonlyArray<Entry>
  isBusy: boolean
  since: ReadonlyArray<Readonly<{ prefix: string; revision: Revision }>>
}>

const whole = async (store: Store): Promise<Either<StoreError, Part>> => {
  const listed = await store.list('')()
  if (E.isLeft(listed)) return listed
  const { entries, revision } = listed.right
  return E.right({
    entries: entries.filter(({ key }) => key !== OWNER),
    isBusy: entries.some(({ key }) => key === OWNER),
    since: [{ prefix: '', revision }],
  })
}

/** What is read is watched from then on. As long as there is no store, only reading shows whether there is one. */
export const besideServers = (
  url: ServersUrl,
  look: (store: Store) => Promise<Either<StoreError, Part>> = whole,
): Beside => {
  let store: Store | null = null
  let stops: ReadonlyArray<() => void> = []
  let stamp: string | null = null
  let hasEnded = false
  const stop = (): void => {
    for (const each of stops) each()
    stops = []
  }

  const read = async (): Promise<Either<StoreError, Sight | null>> => {
    stop()
    if (hasEnded) {
      await store?.close()
      store = null
      hasEnded = false
    }
    if (store === null) {
      const found = await findShared(url)()
      if (E.isLeft(found)) return found
      store = found.right
    }
    const there = store
    if (there === null) return E.right(null)
    const part = await look(there)
    if (E.isLeft(part)) return part
    const { since, ...rest } = part.right
    const read = since.map(({ revision }) => revision).join('-')
    stamp = read
    stops = since.map(({ prefix, revision }) =>
      there.watch(prefix, revision, (news) => {
        hasEnded ||= news.tag === 'Ended'
        stamp = news.tag === 'Ended' ? news.error.tag : `${read} then ${news.revision}`
      }),
    )
    return E.right({ stamp: read, id: showStoreUrl(url), ...rest })
  }
  return {
    read,
    stamp: () => (store === null ? 'unread' : stamp),
    close: async () => {
      stop()
      await store?.close()
    },
  }
}

const NOTHING: Beside = { read: async () => E.right(null), stamp: () => null, close: async () => {} }

export const besideStore = (url: StoreUrl): Beside => {
  switch (url.tag) {
    case 'memory':
      return NOTHING
    case 'lmdb':
      return inDirectory(url.dir)
    default:
      return besideServers(url)
  }
}
