// Entries that last as long as their holder's session. Each hold has a session of its own, for its time to live, in which the
// holder, an ephemeral znode, is made in one transaction with the entry. How it is taken down again: reap.ts.
// Invariant: the holder is told of the loss before ZooKeeper can have ended the session, for it counts from when it asked what
// was last answered, and ZooKeeper from when that came.

import { E, type Either } from '../../prelude.ts'
import type { StoreError } from '../error.ts'
import type { Hold } from '../lease.ts'
import { commit, type Writing } from './commit.ts'
import type { Connection } from './connection.ts'
import type { Op } from './protocol.ts'
import type { Reach } from './reach.ts'
import { takeDown } from './reap.ts'
import { openSession, type Session, type SessionOptions } from './session.ts'

export type HoldOptions = Readonly<{
  key: string
  value: string
  ttlMs: number
  lost: (error: StoreError) => void
  session: Omit<SessionOptions, 'timeoutMs'>
  /** How this hold's session is reached. */
  reach: (session: Session) => Reach
  writing: Writing
}>

export type Held = Hold & Readonly<{ lose: (error: StoreError) => Promise<void> }>

/** Calls when the session may have ended at the server, unless it is stopped before. */
const sessionEnds = (ended: () => void) => {
  let connection: Connection | null = null
  let timer: NodeJS.Timeout | undefined
  const look = (): void => {
    if (connection === null) return
    const leftMs = connection.heardMs() + connection.timeoutMs - performance.now()
    if (leftMs <= 0) ended()
    else timer = setTimeout(look, leftMs)
  }
  return {
    connected: (next: Connection): void => {
      connection = next
      clearTimeout(timer)
      look()
    },
    stop: (): void => clearTimeout(timer),
  }
}

export const hold = async (options: HoldOptions): Promise<Either<StoreError, Held>> => {
  const { key, value, writing, lost } = options
  const { layout, acl } = writing
  const id = writing.newId()
  let over = false
  const finish = async (): Promise<void> => {
    over = true
    ends.stop()
    await session.close()
  }
  const lose = async (error: StoreError): Promise<void> => {
    if (over) return
    const finishing = finish()
    if (held) lost(error)
    await finishing
  }
  const expire = (): void => void lose(reach.unavailable(`has given up what was held as "${key}"`))
  let held = false
  const ends = sessionEnds(expire)
  const session = openSession({
    ...options.session,
    timeoutMs: options.ttlMs,
    onConnected: ends.connected,
    onExpired: expire,
  })
  const reach = options.reach(session)
  const made = await commit(reach, writing, { compares: [{ key, revision: 0 }], writes: [{ key, value }] }, [
    { tag: 'create', path: layout.hold(id), data: key, acl },
    { tag: 'create', path: layout.holder(id), data: '', acl, ephemeral: true },
  ] satisfies ReadonlyArray<Op>)
  if (E.isLeft(made) || over) {
    await finish()
    return E.isLeft(made) ? made : E.left(reach.unavailable(`has given up what was held as "${key}"`))
  }
  held = true
  const release = async (): Promise<void> => {
    if (over) return
    over = true
    await takeDown(reach, writing, id, true)
    await finish()
  }
  return E.right({ revision: made.right, release, lose })
}
