// Follows the log of transactions into this process: a watch tells of each new one, it is read, and added to the history from
// which our own watchers are told. On each new connection the log is read anew, so nothing that happened in between is missed.
// Invariant: transactions are added in their order, each once; where some were forgotten before they were read, every watch ends.

import { E } from '../../prelude.ts'
import type { StoreError } from '../error.ts'
import { HISTORY, type History, historyFrom } from '../history.ts'
import { decodeWrites } from '../logged.ts'
import type { News, Revision } from '../store.ts'
import { type Answer, type Connection, ifThere } from './connection.ts'
import { baseOf, decodeRevision, type Layout } from './layout.ts'
import { addWatch, getChildren, getData, type MultiAnswer, multi, type Stat, type WatchEvent } from './protocol.ts'

export type Follower = Readonly<{
  connected: (connection: Connection) => void
  event: (connection: Connection, event: WatchEvent) => void
  /** Everything is in the history that this connection had been told of when this was called. Right: the last revision. */
  caughtUp: (connection: Connection) => Promise<Answer<Revision>>
  watch: (prefix: string, since: Revision, tell: (news: News) => void) => () => void
  end: (error: StoreError) => void
}>

/** `own` begins the ids of this process's transactions; after those it removes what is too old. */
export type FollowOptions = Readonly<{ layout: Layout; own: string; limit: number | undefined }>

type Logged = Readonly<{ id: string; data: string; stat: Stat }>

/** How many znodes are removed at a time. */
const MOST_REMOVED = 1000

/** Forgets all transactions but the last `keep`. Whoever else has done so in the meantime has changed `log`, and this fails. */
const forget = async (
  connection: Connection,
  layout: Layout,
  ids: ReadonlyMap<string, Revision>,
  keep: number,
): Promise<Answer<MultiAnswer>> => {
  const log = await connection.request(getData(layout.log))
  if (E.isLeft(log)) return log
  const old = [...ids].slice(0, Math.min(MOST_REMOVED, ids.size - keep))
  const [, last] = old.at(-1) ?? ['', 0]
  return connection.request(
    multi([
      { tag: 'setData', path: layout.log, data: `${last}`, version: log.right.stat.version },
      ...old.map(([id]) => ({ tag: 'delete', path: layout.logged(id), version: -1 }) as const),
    ]),
  )
}

/** Null: it was removed meanwhile. */
const readLogged = async (connection: Connection, layout: Layout, id: string): Promise<Answer<Logged | null>> => {
  const read = ifThere(await connection.request(getData(layout.logged(id))))
  if (E.isLeft(read)) return read
  if (read.right === null) return E.right(null)
  return E.right({ id, ...read.right })
}

export const follow = ({ layout, own, limit = HISTORY }: FollowOptions): Follower => {
  let history: History | null = null
  /** The history's last revision, and the last transaction seen: one that wrote nothing is no revision. */
  let revision: Revision = 0
  let seen: Revision = 0
  let ids = new Map<string, Revision>()
  let forgetting = false
  /** What was told over one connection, and is not in the history before all that was told earlier is. */
  let told: Readonly<{ connection: Connection; done: Promise<Answer<null>> }> | null = null

  const restart = (from: Revision, error: StoreError): void => {
    const before = history
    history = historyFrom(from, limit)
    revision = from
    seen = from
    ids = new Map()
    before?.end(error)
  }
  const absorb = ({ id, data, stat }: Logged): void => {
    if (stat.czxid <= seen) return
    ids.set(id, stat.czxid)
    seen = stat.czxid
    const writes = decodeWrites(data)
    if (E.isLeft(writes)) {
      const [file, where] = [layout.logged(id), 'the transaction']
      restart(stat.czxid, { tag: 'StoreDamaged', file, where, why: writes.left })
    } else if (writes.right.length > 0) {
      revision = stat.czxid
      history?.add({ revision, writes: writes.right })
    }
  }
  const reload = async (connection: Connection): Promise<Answer<null>> => {
    const answers = [connection.request(getData(layout.log)), connection.request(getChildren(layout.log))] as const
    const [log, names] = [await answers[0], await answers[1]]
    if (E.isLeft(log)) return log
    if (E.isLeft(names)) return names
    const oldest = decodeRevision(log.right.data)
    if (history === null || oldest > seen) restart(oldest, { tag: 'StoreCompacted', since: revision, oldest })
    const there = new Set(names.right)
    for (const id of [...ids.keys()]) if (!there.has(id)) ids.delete(id)
    const unread = names.right.filter((id) => !ids.has(id))
    const found: Logged[] = []
    for (const reading of unread.map((id) => readLogged(connection, layout, id))) {
      const logged = await reading
      if (E.isLeft(logged)) return logged
      if (logged.right === null) return reload(connection)
      found.push(logged.right)
    }
    for (const logged of found.sort((a, b) => a.stat.czxid - b.stat.czxid)) absorb(logged)
    return E.right(null)
  }
  /** Whatever went wrong, another connection starts over. */
  const orDrop = async (connection: Connection, done: Promise<Answer<null>>): Promise<Answer<null>> => {
    const answer = await done
    if (E.isLeft(answer)) connection.drop('the log of transactions could not be read')
    return answer
  }
  /** Does the work after what was told before, unless that came to nothing. */
  const then = (connection: Connection, work: () => Promise<Answer<null>>): void => {
    if (told?.connection !== connection) return
    const before = told.done
    told = { connection, done: before.then((done) => (E.isLeft(done) ? done : orDrop(connection, work()))) }
  }
  const created = (connection: Connection, id: string): void => {
    const reading = readLogged(connection, layout, id)
    then(connection, async () => {
      const logged = await reading
      if (E.isLeft(logged)) return logged
      if (logged.right === null) return ids.has(id) ? E.right(null) : reload(connection)
      absorb(logged.right)
      if (id.startsWith(own) && ids.size > 2 * limit && !forgetting) {
        forgetting = true
        void forget(connection, layout, ids, limit).then(() => {
          forgetting = false
        })
      }
      return E.right(null)
    })
  }

  return {
    connected: (connection) => {
      const watching = connection.request(addWatch(layout.log))
      const load = async (): Promise<Answer<null>> => {
        const watched = await watching
        return E.isLeft(watched) ? watched : reload(connection)
      }
      told = { connection, done: orDrop(connection, load()) }
    },
    event: (connection, { kind, path }) => {
      if (!path.startsWith(`${layout.log}/`)) return
      const id = baseOf(path)
      if (kind === 'created') created(connection, id)
      if (kind === 'deleted')
        then(connection, async () => {
          ids.delete(id)
          return E.right(null)
        })
    },
    caughtUp: async (connection) => {
      if (told?.connection !== connection) return E.left({ tag: 'Lost', why: 'the connection was replaced' })
      const done = await told.done
      return E.isLeft(done) ? done : E.right(revision)
    },
    watch: (prefix, since, tell) => {
      if (history === null) throw new Error('a store is given out only after its log was read')
      return history.watch(prefix, since, tell)
    },
    end: (error) => history?.end(error),
  }
}
