// A host's way to what hosts share, and to what it keeps there for itself. Each of its transactions compares its fence, which whoever
// takes its place, or clears what it had, changes: so one that stood still, or was cut off, writes nothing by what it believed. Who does
// not know whether a transaction happened begins again behind a new fence, where no late one can follow.

import type { SharedNews } from '../model/command.ts'
import type { HostId } from '../model/types.ts'
import { E, type Either } from '../prelude.ts'
import { type Clock, systemClock } from '../store/clock.ts'
import type { StoreError } from '../store/error.ts'
import type { Hold, SharedStore } from '../store/lease.ts'
import { hold, type Identity, processIdentity } from '../store/presence.ts'
import type { Compare, Entry, News, Revision, Write } from '../store/store.ts'
import type { SharedChange } from './change.ts'
import { fenceKey, LAST, localPrefix, memberKey, presenceKey, readKey, SHARED } from './layout.ts'
import { hostEntries } from './sight.ts'
import { GUEST, MORTAL, type ReadRecord, type View, viewOf } from './view.ts'
import { watchOver } from './watch-over.ts'

/**
 * Why a transaction did not happen, or may not have: `Changed`, something that it rests on is another now; `Behind`, this host has not
 * heard enough to say; `Displaced`, it was cleared by another, or another process took its place: it must begin again; `Unknown`, nobody
 * knows whether it happened: the same.
 */
export type Setback = Readonly<
  { tag: 'Changed' | 'Behind' | 'Displaced' } | { tag: 'Unknown' | 'Refused'; error: StoreError }
>

export interface Membership {
  readonly host: HostId
  /**
   * All that is kept, of this host under the keys that it is stored by, and what hosts share under those of a model (`network/ID`,
   * `peer/ID`). News is of what comes after.
   */
  readonly begin: () => Promise<Either<StoreError, ReadonlyArray<Entry>>>
  readonly commit: (local: ReadonlyArray<Write>, shared: SharedChange) => Promise<Either<Setback, void>>
  /** What was heard since it was asked last; null: nothing. Left: this host must begin again. */
  readonly news: () => Either<StoreError, SharedNews | null>
  /** Waits until everything was heard that others were told is done. */
  readonly catchUp: () => Promise<Either<StoreError, void>>
  /** Tells that there may be news. */
  readonly listen: (hear: () => void) => void
  readonly view: () => View | null
  readonly close: () => Promise<void>
}

export type MembershipOptions = Readonly<{
  store: SharedStore
  host: HostId
  /** For sentences. */
  place: string
  /** For how long it counts as there when nothing is heard of it. */
  ttlMs?: number
  /** Whether it is cleared by the others if it goes without a word, and clears them: for engines that run on. */
  mortal?: boolean
  identity?: Identity
  clock?: Clock
  /** For many hosts in one process, which need not each read the same. */
  read?: ReadRecord
}>

const TTL_MS = 10_000
/** News of what is done already comes within so long, or the store cannot be reached. */
const NEWS_PATIENCE_MS = 15_000
/** For a fence that others change at the same moment. */
const FENCE_ATTEMPTS = 5

const NOT_BEGUN: StoreError = { tag: 'StoreUnavailable', what: 'nothing was read of the shared store yet', hint: null }

export const membership = (options: MembershipOptions): Membership => {
  const { store, host, place, ttlMs = TTL_MS, mortal = false, clock = systemClock } = options
  const { identity = processIdentity(), read } = options
  const local = localPrefix(host)
  const fence = fenceKey(host)
  let held: Hold | null = null
  let entering: Promise<StoreError | null> | null = null
  let fencedAt: Revision = 0
  let view: View | null = null
  let wroteAt: Revision = 0
  /** Keys of which one may be known at a revision that it never had. */
  let doubtful: ReadonlyArray<string> = []
  let ended: StoreError | null = NOT_BEGUN
  let unwatch = (): void => {}
  let withdrawReturn = (): void => {}
  let isClosed = false
  const hearers = new Set<() => void>()
  const watch = mortal ? watchOver(store, host, place, clock, ttlMs / 2) : null
  const tellAll = (): void => {
    if (view !== null) watch?.look(view)
    for (const hear of [...hearers]) hear()
  }

  const take = async (): Promise<StoreError | null> => {
    const taken = await hold(store, presenceKey(host), identity, `host ${host} of ${place}`, ttlMs, lose)
    if (E.isLeft(taken)) return taken.left
    if (isClosed) await taken.right.release()
    else held = taken.right
    return null
  }
  /** Takes the place of this host, or keeps it. */
  const enter = async (): Promise<StoreError | null> => {
    if (held !== null) return null
    entering ??= take().finally(() => {
      entering = null
    })
    return entering
  }
  /** What is kept is as it was; it is others who may think that this host is gone. */
  const lose = (): void => {
    held = null
    comeBack()
  }
  const comeBack = (): void => {
    withdrawReturn()
    if (isClosed) return
    withdrawReturn = clock.after(ttlMs / 3, () => {
      void enter().then((failed) => {
        if (failed !== null && failed.tag !== 'StoreHeld' && failed.tag !== 'StoreClosed') comeBack()
      })
    })
  }

  const raiseFence = async (): Promise<StoreError | null> => {
    let last: StoreError = NOT_BEGUN
    for (let attempt = 0; attempt < FENCE_ATTEMPTS; attempt++) {
      const before = await store.get(fence)()
      if (E.isLeft(before)) return before.left
      const raised = await store.transact({
        compares: [{ key: fence, revision: before.right?.revision ?? 0 }],
        writes: [
          { key: fence, value: identity.text },
          { key: memberKey(host), value: mortal ? MORTAL : GUEST },
        ],
      })()
      if (E.isRight(raised)) {
        fencedAt = raised.right
        return null
      }
      last = raised.left
      if (last.tag !== 'StoreConflict') return last
    }
    return last
  }

  const tell = (on: View) => (news: News) => {
    if (on !== view) return
    if (news.tag === 'Changed') on.hear(news.revision, news.writes)
    else ended = news.error
    tellAll()
  }

  const begin: Membership['begin'] = async () => {
    unwatch()
    const failed = (await enter()) ?? (await raiseFence())
    if (failed !== null) return E.left(failed)
    const shared = await store.list(SHARED)()
    if (E.isLeft(shared)) return shared
    const own = await store.list(local)()
    if (E.isLeft(own)) return own
    const { entries, revision } = shared.right
    view = viewOf(entries, revision, host, read)
    ended = null
    unwatch = store.watch(SHARED, revision, tell(view))
    watch?.look(view)
    return E.right(hostEntries(host, own.right.entries, entries))
  }

  const setbackOf = (error: StoreError): Setback => {
    if (error.tag === 'StoreUnavailable') return { tag: 'Unknown', error }
    if (error.tag !== 'StoreConflict') return { tag: 'Refused', error }
    return { tag: error.key === fence ? 'Displaced' : 'Changed' }
  }

  const commit: Membership['commit'] = async (writes, shared) => {
    if (view === null || ended !== null) return E.left({ tag: 'Displaced' })
    const now = view
    if (shared.known.some((key) => readKey(key)?.of === 'use') && now.told() < wroteAt) return E.left({ tag: 'Behind' })
    if (writes.length + shared.writes.length === 0) return E.right(undefined)
    const compares: Compare[] = [
      { key: fence, revision: fencedAt },
      ...shared.absent.map((key) => ({ key, revision: 0 })),
      ...shared.known.map((key) => ({ key, revision: now.revisionOf(key) })),
    ]
    const own = writes.map(({ key, value }) => ({ key: local + key, value }))
    const done = await store.transact({ compares, writes: [...own, ...shared.writes] })()
    if (E.isLeft(done)) {
      doubtful = shared.known
      return E.left(setbackOf(done.left))
    }
    if (shared.writes.length > 0) {
      wroteAt = done.right
      now.wrote(done.right, shared.writes)
    }
    return E.right(undefined)
  }

  const confirmed = async (): Promise<Either<StoreError, void>> => {
    for (const key of doubtful) {
      const entry = await store.get(key)()
      if (E.isLeft(entry)) return entry
      if (entry.right !== null) view?.read(entry.right)
    }
    doubtful = []
    return E.right(undefined)
  }

  const catchUp: Membership['catchUp'] = async () => {
    const last = await store.get(LAST)()
    if (E.isLeft(last)) return last
    const heard = await untilHeard(last.right?.revision ?? 0)
    return E.isLeft(heard) ? heard : confirmed()
  }

  const untilHeard = (revision: Revision): Promise<Either<StoreError, void>> =>
    new Promise((resolve) => {
      const withdraw = clock.after(NEWS_PATIENCE_MS, () =>
        done(E.left({ tag: 'StoreUnavailable', what: `no news came from ${place}`, hint: 'try again later' })),
      )
      const done = (answer: Either<StoreError, void>): void => {
        withdraw()
        hearers.delete(look)
        resolve(answer)
      }
      const look = (): void => {
        if (ended !== null) done(E.left(ended))
        else if (view !== null && view.heard() >= revision) done(E.right(undefined))
      }
      hearers.add(look)
      look()
    })

  const close = async (): Promise<void> => {
    isClosed = true
    unwatch()
    watch?.stop()
    withdrawReturn()
    if (mortal && fencedAt > 0)
      await store.transact({
        compares: [{ key: fence, revision: fencedAt }],
        writes: [{ key: memberKey(host), value: GUEST }],
      })()
    await held?.release()
    await store.close()
  }

  return {
    host,
    begin,
    commit,
    news: () => {
      if (view === null || ended !== null) return E.left(ended ?? NOT_BEGUN)
      const news = view.news()
      return E.isLeft(news)
        ? E.left({ tag: 'StoreNotOurs', file: place, why: `holds what is none of cnm: ${news.left}` })
        : news
    },
    catchUp,
    listen: (hear) => {
      hearers.add(hear)
    },
    view: () => view,
    close,
  }
}
