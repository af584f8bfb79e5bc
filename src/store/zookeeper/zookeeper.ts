// The store on ZooKeeper, for many processes. Where what is in it: layout.ts; how it is written: transact.ts and commit.ts; how it
// is read and watched: read.ts and follow.ts. See docs/decisions/0014-zookeeper.md.

import { randomBytes } from 'node:crypto'
import { E, type Either, type TaskEither } from '../../prelude.ts'
import type { StoreError } from '../error.ts'
import type { Hold, SharedStore } from '../lease.ts'
import type { Compare, Revision } from '../store.ts'
import { showStoreUrl, type ZkUrl } from '../url.ts'
import { badKey, badPrefix, badTransaction } from '../valid.ts'
import { commit, type Writing } from './commit.ts'
import type { Answer, Connection } from './connection.ts'
import { type Follower, follow } from './follow.ts'
import { layoutAt } from './layout.ts'
import { type Held, hold } from './lease.ts'
import { prepare } from './prepare.ts'
import type { Acl } from './protocol.ts'
import { type Reach, reachOver } from './reach.ts'
import { get, getAll, list } from './read.ts'
import { reaper } from './reap.ts'
import { openSession, type Session } from './session.ts'
import { inTime } from './time.ts'

export type ZookeeperOptions = Readonly<{
  url: ZkUrl
  /** How many transactions a watch may look back. */
  history?: number
  /** How long whatever is asked may take, with all attempts. */
  timeoutMs?: number
  /** A server that is silent for two thirds of it is left for another. */
  sessionMs?: number
  /** What the servers take (jute.maxbuffer), unless they were told otherwise. */
  maxRequestBytes?: number
}>

const TIMEOUT_MS = 15_000
/** Who opens a store waits for an answer, and servers that are not there will not be by then. */
const OPEN_MS = 5000
const SESSION_MS = 6000
const MAX_REQUEST_BYTES = 0xfffff
/** How long what was written may take to be told to the watches of a store that is closed. */
const LAST_NEWS_MS = 1000

const loginOf = ({ login }: ZkUrl): string | null => (login === null ? null : `${login.name}:${login.password ?? ''}`)

/** One beginning of names for each store that is open, and a number for each name. */
const namer = (): Readonly<{ own: string; next: () => string }> => {
  const own = `${randomBytes(8).toString('hex')}-`
  let n = 0
  return { own, next: () => `${own}${n++}` }
}

const CLOSED: StoreError = { tag: 'StoreClosed' }

type Parts = Readonly<{
  reach: Reach
  session: Session
  follower: Follower
  writing: Writing
  /** A hold of this store's, in a session of its own. */
  holdApart: (key: string, value: string, ttlMs: number, lost: (error: StoreError) => void) => ReturnType<typeof hold>
}>

/** Of several compares, without writes, the first that fails. */
const compare = async (
  { reach, writing, follower }: Parts,
  compares: ReadonlyArray<Compare>,
): Promise<Either<StoreError, Revision>> => {
  const keys = new Set(compares.map(({ key }) => key))
  const found = await reach.read((connection) => getAll(connection, writing.layout, follower, keys))
  if (E.isLeft(found)) return found
  const revisions = new Map(found.right.entries.map(({ key, revision }) => [key, revision]))
  const stale = compares.find(({ key, revision }) => (revisions.get(key) ?? 0) !== revision)
  return stale === undefined ? E.right(found.right.revision) : E.left({ tag: 'StoreConflict', key: stale.key })
}

const storeOf = (parts: Parts): SharedStore => {
  const { reach, session, follower, writing } = parts
  const { layout } = writing
  const underWay = new Set<Promise<unknown>>()
  const holds = new Set<Held>()
  let closed: Promise<void> | null = null

  const answer =
    <A>(bad: StoreError | null, work: () => Promise<Either<StoreError, A>>): TaskEither<StoreError, A> =>
    async () => {
      if (closed !== null) return E.left(CLOSED)
      return bad === null ? work() : E.left(bad)
    }
  /** Closing waits for it. */
  const awaited = async <A>(work: Promise<A>): Promise<A> => {
    underWay.add(work)
    try {
      return await work
    } finally {
      underWay.delete(work)
    }
  }
  const held = async (taking: ReturnType<typeof hold>): Promise<Either<StoreError, Hold>> => {
    const taken = await taking
    if (E.isRight(taken)) holds.add(taken.right)
    return taken
  }
  const end = async (): Promise<void> => {
    await Promise.all(underWay)
    await Promise.all([...holds].map(({ lose }) => lose(CLOSED)))
    const last = await session.connection(0)
    if (E.isRight(last)) await inTime(performance.now() + LAST_NEWS_MS, follower.caughtUp(last.right))
    follower.end(CLOSED)
    await session.close()
  }

  return {
    get: (key) => answer(badKey(key), () => reach.read((connection) => get(connection, layout, key))),
    list: (prefix) =>
      answer(badPrefix(prefix), () => reach.read((connection) => list(connection, layout, follower, prefix))),
    transact: (transaction) =>
      answer(badTransaction(transaction), () =>
        transaction.writes.length === 0
          ? compare(parts, transaction.compares)
          : awaited(commit(reach, writing, transaction)),
      ),
    watch: follower.watch,
    hold: (key, value, ttlMs, lost) =>
      answer(badTransaction({ compares: [], writes: [{ key, value }] }), () =>
        awaited(held(parts.holdApart(key, value, ttlMs, lost))),
      ),
    close: () => {
      closed ??= end()
      return closed
    },
  }
}

const open =
  (options: ZookeeperOptions, makes: boolean): TaskEither<StoreError, SharedStore | null> =>
  async () => {
    const { url, timeoutMs = TIMEOUT_MS, sessionMs = SESSION_MS, maxRequestBytes = MAX_REQUEST_BYTES } = options
    const place = showStoreUrl(url)
    if (url.login !== null && url.login.password === null)
      return E.left({ tag: 'StoreBadUrl', url: place, why: 'has a user without a password; write USER:PASSWORD@' })
    const names = namer()
    const acl: Acl = url.login === null ? 'everybody' : 'creator'
    const layout = layoutAt(url.prefix)
    const writing: Writing = { layout, acl, place, maxRequestBytes, newId: names.next }
    const servers = { members: url.members, login: loginOf(url) }
    const follower = follow({ layout, own: names.own, limit: options.history })
    const reachOf = (over: Session): Reach => reachOver(over, place, timeoutMs, url.login !== null)
    let prepared = false
    const connected = (connection: Connection): void => {
      follower.connected(connection)
      reaping.connected(connection)
    }
    const session = openSession({
      ...servers,
      timeoutMs: sessionMs,
      onConnected: (connection) => prepared && connected(connection),
      onEvent: (connection, event) => {
        follower.event(connection, event)
        reaping.event(event)
      },
    })
    const reach = reachOf(session)
    const reaping = reaper(reach, writing)

    const begin = async (connection: Connection): Promise<Answer<StoreError | 'there' | 'missing'>> => {
      const found = await prepare(connection, layout, acl, place, makes)
      if (E.isLeft(found) || found.right !== 'there') return found
      if (!prepared) connected(connection)
      prepared = true
      const begun = await follower.caughtUp(connection)
      return E.isLeft(begun) ? begun : found
    }
    const given = async (): Promise<Either<StoreError, boolean>> => {
      const begun = await reach.read(begin, Math.min(timeoutMs, OPEN_MS))
      if (E.isLeft(begun)) return begun
      if (begun.right === 'missing') return E.right(false)
      if (begun.right !== 'there') return E.left(begun.right)
      // What nobody holds any more is not to be found by whoever opens the store next.
      const swept = await reaping.sweep()
      return E.isLeft(swept) ? swept : E.right(true)
    }
    const isThere = await given()
    if (E.isLeft(isThere) || !isThere.right) {
      await session.close()
      return E.isLeft(isThere) ? isThere : E.right(null)
    }
    const holdApart: Parts['holdApart'] = (key, value, ttlMs, lost) =>
      hold({ key, value, ttlMs, lost, session: servers, reach: reachOf, writing })
    return E.right(storeOf({ reach, session, follower, writing, holdApart }))
  }

/** Makes one if there is none. */
export const zookeeperStore =
  (options: ZookeeperOptions): TaskEither<StoreError, SharedStore> =>
  async () => {
    const opened = await open(options, true)()
    if (E.isRight(opened) && opened.right === null) throw new Error('a store that is to be made is there then')
    return opened as Either<StoreError, SharedStore> // not null, as above
  }

/** Right null: there is none, and none is made. */
export const findZookeeper = (options: ZookeeperOptions): TaskEither<StoreError, SharedStore | null> =>
  open(options, false)
