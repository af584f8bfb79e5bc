// The store on Consul, for many processes. Where what is in it: layout.ts; how it is written: commit.ts, stage.ts and settle.ts; how it is
// read and watched: read.ts and follow.ts. See docs/decisions/0017-consul.md.

import { setTimeout as sleep } from 'node:timers/promises'
import { E, type Either } from '../../prelude.ts'
import type { Clock } from '../clock.ts'
import type { StoreError } from '../error.ts'
import { tellSafely } from '../history.ts'
import type { SharedStore } from '../lease.ts'
import type { Compare, Revision, Transaction } from '../store.ts'
import { badKey, badPrefix, badTransaction } from '../valid.ts'
import { type Committer, makeCommitter, plain } from './commit.ts'
import { type Follower, follow } from './follow.ts'
import { forget } from './forget.ts'
import type { Ground } from './ground.ts'
import { makeHeads } from './head.ts'
import { holdOn, type Lose } from './hold.ts'
import { get, list, seeKeys } from './read.ts'
import { keepReaping, sweep } from './reap.ts'

/** An epoch of the log is a part of what it holds: it is read whole when something in it is new. */
const EPOCHS = 16
const EPOCH_SIZE = 256_000
/** For watches to tell of what this process itself wrote. */
const LAST_NEWS_MS = 2000
const LAST_NEWS_EVERY_MS = 5

const CLOSED: StoreError = { tag: 'StoreClosed' }

/** How a store is written to, and what it needs so that it does not grow. */
export const committerOn = (ground: Ground): Readonly<{ committer: Committer; forgotten: () => Promise<void> }> => {
  const epochLength = Math.max(1, Math.ceil(ground.history / EPOCHS))
  let forgetting: Promise<void> = Promise.resolve()
  const committer = makeCommitter(ground, makeHeads(ground), {
    // Nobody counts what all write, so that nobody waits for another: an epoch is as long as chance has it.
    rotates: (size) => Math.random() < 1 / epochLength + size / EPOCH_SIZE,
    rotated: () => {
      forgetting = forgetting.then(() => forget(ground))
    },
  })
  return { committer, forgotten: () => forgetting }
}

/** Of several compares, without writes, the first that fails. */
const compare = async (ground: Ground, compares: ReadonlyArray<Compare>): Promise<Either<StoreError, Revision>> => {
  const seen = await seeKeys(
    ground,
    compares.map(({ key }) => key),
  )
  if (E.isLeft(seen)) return seen
  const stale = compares.find(({ key, revision }) => (seen.right.found.get(key)?.entry.revision ?? 0) !== revision)
  return stale === undefined ? E.right(seen.right.revision) : E.left({ tag: 'StoreConflict', key: stale.key })
}

/** Tells who watches of everything up to there, if that comes in time. */
const caughtUp = async (follower: Follower, revision: Revision): Promise<void> => {
  const until = performance.now() + LAST_NEWS_MS
  const isBehind = (): boolean => (follower.seen() ?? revision) < revision
  while (isBehind() && performance.now() < until) await sleep(LAST_NEWS_EVERY_MS)
}

/** Right: what nobody holds any more has been taken down, if we may. */
export const consulStore = async (ground: Ground, clock: Clock): Promise<Either<StoreError, SharedStore>> => {
  const { committer, forgotten } = committerOn(ground)
  const swept = await sweep(ground, committer)
  // Who may only read leaves it to others.
  if (E.isLeft(swept) && swept.left.tag !== 'StoreDenied') return swept
  const follower = follow(ground, forgotten)
  const stopReaping = keepReaping(ground, committer)
  const underWay = new Set<Promise<unknown>>()
  const losing = new Set<Lose>()
  let written: Revision = 0
  let closing: Promise<void> | null = null

  const answer =
    <A>(bad: StoreError | null, work: () => Promise<Either<StoreError, A>>) =>
    async (): Promise<Either<StoreError, A>> => {
      if (closing !== null) return E.left(CLOSED)
      if (bad !== null) return E.left(bad)
      const working = work()
      underWay.add(working)
      try {
        return await working
      } finally {
        underWay.delete(working)
      }
    }
  const transact = async (transaction: Transaction): Promise<Either<StoreError, Revision>> => {
    if (transaction.writes.length === 0) return compare(ground, transaction.compares)
    const done = await committer.commit(plain(transaction))
    if (E.isRight(done)) written = Math.max(written, done.right)
    return done
  }
  const close = async (): Promise<void> => {
    await Promise.allSettled(underWay)
    stopReaping()
    await Promise.all([...losing].map((lose) => lose(CLOSED)))
    await caughtUp(follower, written)
    follower.end(CLOSED)
    // Servers that cannot be reached now are not waited for.
    await Promise.race([forgotten(), sleep(LAST_NEWS_MS, undefined, { ref: false })])
    ground.client.close()
  }

  return E.right({
    get: (key) => answer(badKey(key), () => get(ground, key)),
    list: (prefix) => answer(badPrefix(prefix), () => list(ground, prefix)),
    transact: (transaction) => answer(badTransaction(transaction), () => transact(transaction)),
    hold: (key, value, ttlMs, lost) =>
      answer(badTransaction({ compares: [], writes: [{ key, value }] }), () =>
        holdOn(ground, committer, clock, losing, { key, value, ttlMs, lost }),
      ),
    watch: (prefix, since, tell) => {
      const bad = closing === null ? badPrefix(prefix) : CLOSED
      if (bad === null) return follower.watch(prefix, since, tell)
      tellSafely(tell, { tag: 'Ended', error: bad })
      return () => undefined
    },
    close: () => {
      closing ??= close()
      return closing
    },
  })
}
