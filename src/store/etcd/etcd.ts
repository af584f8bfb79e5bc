// The store on etcd. Every transaction compares the head, so nothing is written to a store that was removed, or brought to a newer
// version, since it was opened. Reads are linearizable: they are answered by a majority. See
// docs/decisions/0013-etcd-by-grpc.md.

import { setTimeout as sleep } from 'node:timers/promises'
import { E, type Either } from '../../prelude.ts'
import { type Clock, systemClock } from '../clock.ts'
import type { StoreError } from '../error.ts'
import { tellSafely } from '../history.ts'
import type { SharedStore } from '../lease.ts'
import type { Entry, Listing, Revision, Transaction } from '../store.ts'
import { badKey, badPrefix, badTransaction } from '../valid.ts'
import { effectsOf, entryOf, kvsOf, rangesOf, revisionOf } from './answer.ts'
import type { Client } from './client.ts'
import { asStoreError, type Fault } from './fault.ts'
import { holdOn, type Lose } from './hold.ts'
import { bytesOf, endOf, type Layout } from './layout.ts'
import type { Message } from './messages.ts'
import { makeSender, UNCHANGED } from './send.ts'
import { isAt, lookAtKey, type Written, written } from './txn.ts'
import { startWatch, type Watch } from './watch.ts'

/** `head`: its revision; it is written when the store is made or brought to another version, and never else. */
export type Ground = Readonly<{
  client: Client
  place: string
  layout: Layout
  head: Revision
  patienceMs: number
  aliveEveryMs: number
}>

const RETRY_HINT = 'it goes on by itself when a majority of the servers can be reached'

/** So many keys are asked for at once. */
const PAGE = 1000
/** A range that was forgotten while it was read is read anew; who cannot finish in so many attempts is told. */
const LIST_ATTEMPTS = 5
/**
 * What compares look at is asked for with them, should they fail, if it is so little. What is asked for ahead is a third of a
 * request, and hardly ever needed.
 */
const MOST_ASKED_AHEAD = 4
/** For watches to tell of what this process itself wrote. */
const LAST_NEWS_MS = 2000
const LAST_NEWS_EVERY_MS = 5

/** JavaScript's order differs from that of the bytes above the surrogates. */
const byKey = (a: Entry, b: Entry): number => (a.key < b.key ? -1 : 1)

/** All keys below a prefix as they were at one revision. */
const rangeAll = async (
  client: Client,
  from: string,
): Promise<Either<Fault, Readonly<{ pages: Message[]; revision: Revision }>>> => {
  const pages: Message[] = []
  let revision = 0
  for (let key = bytesOf(from); ; ) {
    const at = revision === 0 ? {} : { revision: String(revision) }
    const answer = await client.ask('range', { key, range_end: endOf(from), limit: String(PAGE), ...at })
    if (E.isLeft(answer)) return answer
    pages.push(answer.right)
    if (revision === 0) revision = revisionOf(answer.right)
    const last = kvsOf(answer.right).at(-1)
    if (answer.right['more'] !== true || last === undefined) return E.right({ pages, revision })
    key = bytesOf(`${last.key}\0`)
  }
}

const list = async ({ client, place, layout }: Ground, prefix: string): Promise<Either<StoreError, Listing>> => {
  for (let attempt = 1; ; attempt++) {
    const all = await rangeAll(client, layout.entries + prefix)
    if (E.isLeft(all)) {
      if (all.left.tag === 'Compacted' && attempt < LIST_ATTEMPTS) continue
      return E.left(asStoreError(place, all.left, RETRY_HINT))
    }
    const entries: Entry[] = []
    for (const kv of all.right.pages.flatMap(kvsOf)) {
      const entry = entryOf(place, layout.entries, kv)
      if (E.isLeft(entry)) return entry
      entries.push(entry.right)
    }
    return E.right({ entries: entries.sort(byKey), revision: all.right.revision })
  }
}

const get = async ({ client, place, layout }: Ground, key: string): Promise<Either<StoreError, Entry | null>> => {
  const answer = await client.ask('range', { key: bytesOf(layout.entries + key) })
  if (E.isLeft(answer)) return E.left(asStoreError(place, answer.left, RETRY_HINT))
  const [kv] = kvsOf(answer.right)
  return kv === undefined ? E.right(null) : entryOf(place, layout.entries, kv)
}

const replaced = (place: string): StoreError => ({
  tag: 'StoreUnavailable',
  what: `the store of ${place} was removed or replaced while it was open`,
  hint: 'begin again',
})

/**
 * Which compare is not met; null: they all are. `ranges`: what they look at, the head first.
 */
const conflictIn = (
  { place, head }: Ground,
  { compares }: Transaction,
  ranges: ReadonlyArray<Message>,
): StoreError | null => {
  const revisions = ranges.map((range) => kvsOf(range)[0]?.revision ?? 0)
  if (revisions[0] !== head) return replaced(place)
  const stale = compares.find(({ revision }, i) => revisions[i + 1] !== revision)
  return stale === undefined ? null : { tag: 'StoreConflict', key: stale.key }
}

/** Whether a member is one of the cluster, and the store still there. */
const alive =
  ({ client, layout, place, head }: Ground) =>
  async (at: number): Promise<Fault | null> => {
    const answer = await client.askMember(at, 'range', { key: bytesOf(layout.head), keys_only: true })
    if (E.isLeft(answer)) return answer.left
    return kvsOf(answer.right)[0]?.revision === head ? null : { tag: 'Refused', error: replaced(place) }
  }

export const etcdStore = (ground: Ground, clock: Clock = systemClock): SharedStore => {
  const { client, place, layout, head, patienceMs, aliveEveryMs } = ground
  const sender = makeSender({ client, clock, place, marks: layout.marks, patienceMs })
  /** With what each must have been told when the store is closed. */
  const watches = new Map<Watch, { readonly prefix: string; owed: Revision }>()
  const underWay = new Set<Promise<unknown>>()
  const losing = new Set<Lose>()
  let closing: Promise<void> | null = null

  const answer =
    <A>(bad: StoreError | null, work: () => Promise<Either<StoreError, A>>) =>
    async (): Promise<Either<StoreError, A>> => {
      if (closing !== null) return E.left({ tag: 'StoreClosed' })
      if (bad !== null) return E.left(bad)
      const working = work()
      underWay.add(working)
      try {
        return await working
      } finally {
        underWay.delete(working)
      }
    }

  const owe = ({ writes }: Transaction, revision: Revision, effects: ReadonlyArray<number>): void => {
    // Nobody told us what a transaction did of which we had no answer.
    const changed = writes.filter((_, i) => (effects[i] ?? 0) > 0)
    for (const watched of watches.values())
      if (changed.some(({ key }) => key.startsWith(watched.prefix))) watched.owed = Math.max(watched.owed, revision)
  }
  const transact = async (transaction: Transaction): Promise<Either<StoreError, Revision>> => {
    const parts = written(layout, transaction)
    if ('tag' in parts) return E.left(parts)
    const { compares, writes } = parts
    const reads = [lookAtKey(layout.head), ...parts.reads]
    const asksLater = writes.length > 0 && reads.length > MOST_ASKED_AHEAD
    const whole: Written = { compares: [isAt(layout.head, head), ...compares], reads: asksLater ? [] : reads, writes }
    const marks = writes.length === 0 ? 0 : 1
    const until = performance.now() + patienceMs
    do {
      const done = await sender.send(whole)
      if (E.isLeft(done)) return done
      if (done.right['succeeded'] === true) {
        const revision = revisionOf(done.right)
        owe(transaction, revision, effectsOf(done.right).slice(marks))
        return E.right(revision)
      }
      const failed = asksLater ? await client.ask('txn', { success: reads }) : done
      if (E.isLeft(failed)) return E.left(asStoreError(place, failed.left, UNCHANGED))
      const conflict = conflictIn(ground, transaction, rangesOf(failed.right).slice(asksLater ? 0 : marks))
      if (conflict !== null) return E.left(conflict)
      if (!asksLater) throw new Error('a transaction failed whose compares are all met')
      // It did not happen by what was there then, and is not any more; so it may be tried again.
    } while (performance.now() < until)
    return E.left({
      tag: 'StoreUnavailable',
      what: `${place} changes too quickly for this transaction`,
      hint: UNCHANGED,
    })
  }

  const close = async (): Promise<void> => {
    await Promise.allSettled(underWay)
    const until = performance.now() + LAST_NEWS_MS
    const isWaiting = () => [...watches].some(([watch, { owed }]) => watch.told() < owed)
    while (isWaiting() && performance.now() < until) await sleep(LAST_NEWS_EVERY_MS)
    const closed: StoreError = { tag: 'StoreClosed' }
    for (const watch of [...watches.keys()]) watch.end(closed)
    await Promise.all([...losing].map((lose) => lose(closed)))
    await sender.close()
    client.close()
  }

  return {
    get: (key) => answer(badKey(key), () => get(ground, key)),
    list: (prefix) => answer(badPrefix(prefix), () => list(ground, prefix)),
    transact: (transaction) => answer(badTransaction(transaction), () => transact(transaction)),
    hold: (key, value, ttlMs, lost) =>
      answer(badTransaction({ compares: [], writes: [{ key, value }] }), () =>
        holdOn(ground, clock, losing, { key, value, ttlMs, lost }),
      ),
    watch: (prefix, since, tell) => {
      const bad = closing === null ? badPrefix(prefix) : ({ tag: 'StoreClosed' } as const)
      if (bad !== null) {
        tellSafely(tell, { tag: 'Ended', error: bad })
        return () => undefined
      }
      const watched = { client, clock, place, layout, prefix, alive: alive(ground), aliveEveryMs }
      // Before its head there was nothing of the store, so nothing is missed by beginning there.
      const watch = startWatch(watched, Math.max(since, head), (news) => {
        if (news.tag === 'Ended') watches.delete(watch)
        tell(news)
      })
      watches.set(watch, { prefix, owed: 0 })
      return () => {
        watches.delete(watch)
        watch.stop()
      }
    },
    close: () => {
      closing ??= close()
      return closing
    },
  }
}
