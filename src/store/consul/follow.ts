// Follows the log into this process, from the first watch on: the epoch that is written to is asked for again and again by a query that
// the servers answer when it has changed, and what is new in it is told from this process's history. Consul tells what is there, not
// what happened; the log holds what happened.
// Invariant: transactions are added in their order, each once; where some were forgotten before they were read, every watch ends.

import { setTimeout as sleep } from 'node:timers/promises'
import { E, type Either } from '../../prelude.ts'
import type { StoreError } from '../error.ts'
import { type History, historyFrom, tellSafely } from '../history.ts'
import { asStoreError, type Fault } from '../http/fault.ts'
import { decodeWrites } from '../logged.ts'
import { unpacked } from '../packed.ts'
import type { News, Revision } from '../store.ts'
import type { Kv, Tree } from './client.ts'
import { damaged, type Ground, headIn, replaced } from './ground.ts'
import { beginOf, endOf, epochAt, loggedIn, revisionIn } from './layout.ts'
import { isVoid } from './settle.ts'
import { finish } from './stage.ts'
import { treeOf } from './txn.ts'

export type Follower = Readonly<{
  watch: (prefix: string, since: Revision, tell: (news: News) => void) => () => void
  /** The last revision that is in the history; null: nobody watches. */
  seen: () => Revision | null
  end: (error: StoreError) => void
}>

const RETRY_MS = 100
const MAX_RETRY_MS = 1000
const FIRST_EPOCH = 1

/** `epoch`: the present one. `from`: what happened up to there is forgotten, and what happened after it is in `kvs`. */
type Loaded = Readonly<{ epoch: number; from: Revision; kvs: ReadonlyArray<Kv> }>

/** Null: it could not be asked. */
type Asked<A> = Either<StoreError, A> | null
const asked = (place: string, fault: Fault): Asked<never> =>
  fault.tag === 'Refused' ? E.left(asStoreError(place, fault, null)) : null

/** The whole log. */
const load = async (ground: Ground): Promise<Asked<Loaded>> => {
  const { client, place, layout } = ground
  const read = await client.read([treeOf(layout.log), treeOf(layout.head)])
  if (E.isLeft(read)) return asked(place, read.left)
  const head = headIn(ground, read.right.find(({ key }) => key === layout.head) ?? null)
  const oldest = Math.min(...read.right.flatMap(({ key }) => loggedIn(layout, key)?.epoch ?? []))
  const begin = read.right.find(({ key }) => key === beginOf(layout, oldest))
  if (head === null || begin === undefined) return E.left(replaced(place))
  // Before its first epoch there was nothing of the store, so nothing is missed by beginning there.
  const from = oldest === FIRST_EPOCH ? 0 : revisionIn(begin.flags, begin.index)
  return E.right({ epoch: head.epoch, from, kvs: read.right })
}

/** Sees that the store is still the one that was opened, and that what is pending there comes to its end if nobody else sees to it. */
const look = async (ground: Ground): Promise<Asked<void>> => {
  const answer = await ground.client.get(ground.layout.head)
  if (E.isLeft(answer)) return asked(ground.place, answer.left)
  const head = headIn(ground, answer.right)
  if (head === null) return E.left(replaced(ground.place))
  if (head.pending) await finish(ground, head)
  return E.right(undefined)
}

/** `ready`: when the log may be read. */
export const follow = (ground: Ground, ready: () => Promise<void>): Follower => {
  const { client, place, layout, waitMs } = ground
  let history: History | null = null
  /** What is asked for before there is a history. */
  const waiting = new Set<(history: History) => void>()
  let isStarted = false
  let ended: StoreError | null = null
  let seen: Revision = 0
  /** Null: the log is to be read from its beginning. `isOver`: all of it was heard. */
  let epoch: number | null = null
  let isOver = false
  let index = 0
  let at = client.preferred()

  const end = (error: StoreError): void => {
    if (ended !== null) return
    ended = error
    const last = history ?? historyFrom(0)
    last.end(error)
    for (const begin of waiting) begin(last)
    waiting.clear()
  }
  const absorb = (kvs: ReadonlyArray<Kv>): void => {
    const news = kvs
      .filter((kv) => (loggedIn(layout, kv.key)?.word ?? null) !== null && !isVoid(kv))
      .map((kv) => ({ kv, revision: revisionIn(kv.flags, kv.index) }))
      .filter(({ revision }) => revision > seen)
      .sort((a, b) => a.revision - b.revision)
    for (const { kv, revision } of news) {
      if (ended !== null) return
      const text = unpacked(Buffer.from(kv.value, 'base64'))
      const writes = E.isLeft(text) ? text : decodeWrites(text.right)
      if (E.isLeft(writes)) {
        end(damaged(place, kv.key, writes.left))
        return
      }
      seen = revision
      history?.add({ revision, writes: writes.right })
    }
  }
  /** Begins with what the log holds. Who watched and would miss something is told. */
  const begin = ({ epoch: present, from, kvs }: Loaded): void => {
    epoch = present
    index = 0
    if (history === null || seen < from) {
      const before = history
      history = historyFrom(from, ground.history)
      before?.end({ tag: 'StoreCompacted', since: seen, oldest: from })
      seen = from
    }
    absorb(kvs)
    for (const each of waiting) each(history)
    waiting.clear()
  }
  const hear = (tree: Tree, present: number): void => {
    // An index that went back is that of servers which were set back.
    index = tree.index < index ? 0 : tree.index
    absorb(tree.kvs)
    const has = (name: string): boolean => tree.kvs.some(({ key }) => key === name)
    isOver = has(endOf(layout, present))
    if (!has(beginOf(layout, present))) epoch = null
  }
  /** One answer of the servers. Null: they could not be asked. */
  const step = async (): Promise<Asked<void>> => {
    if (epoch === null) {
      const loaded = await load(ground)
      if (loaded === null || E.isLeft(loaded)) return loaded
      if (ended === null) begin(loaded.right)
    } else if (isOver) {
      const there = await look(ground)
      if (there === null || E.isLeft(there)) return there
      epoch += 1
      index = 0
      isOver = false
    } else {
      const next = await client.next(at, epochAt(layout, epoch), index, waitMs)
      if (E.isLeft(next)) return asked(place, next.left)
      if (next.right.index === index) return look(ground)
      if (ended === null) hear(next.right, epoch)
    }
    return E.right(undefined)
  }
  const run = async (): Promise<void> => {
    await ready()
    for (let retryMs = RETRY_MS; ended === null; ) {
      const done = await step()
      if (done !== null && E.isLeft(done)) return end(done.left)
      if (done !== null) retryMs = RETRY_MS
      else {
        at += 1
        await sleep(retryMs, undefined, { ref: false })
        retryMs = Math.min(2 * retryMs, MAX_RETRY_MS)
      }
    }
  }

  return {
    watch: (prefix, since, tell) => {
      if (!isStarted) {
        isStarted = true
        void run()
      }
      let stop = (): void => {}
      const start = (from: History): void => {
        waiting.delete(start)
        stop = from.watch(prefix, since, tell)
      }
      if (ended !== null) tellSafely(tell, { tag: 'Ended', error: ended })
      else if (history !== null && epoch !== null) start(history)
      else waiting.add(start)
      return () => {
        waiting.delete(start)
        stop()
      }
    },
    seen: () => (isStarted ? seen : null),
    end,
  }
}
