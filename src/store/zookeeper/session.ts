// A session of ZooKeeper, kept over as many connections as it takes: when one is lost another server is tried, by itself, as long
// as the session is not closed. A session that has expired is followed by a new one.
// Invariant: there is at most one connection, and no server is believed that knows less than was seen before (it refuses us).

import { setTimeout as sleep } from 'node:timers/promises'
import { E } from '../../prelude.ts'
import type { Member } from '../url.ts'
import { type Answer, type Connection, connect } from './connection.ts'
import { closeSession, NO_SESSION, type SessionId, type WatchEvent } from './protocol.ts'
import { inTime } from './time.ts'

export type SessionOptions = Readonly<{
  members: ReadonlyArray<Member>
  login: string | null
  /** Asked for; the server grants what it allows. */
  timeoutMs: number
  onConnected?: (connection: Connection) => void
  onEvent?: (connection: Connection, event: WatchEvent) => void
  /** The server has ended the session, and what it kept alive is gone. */
  onExpired?: () => void
}>

export type Session = Readonly<{
  /** The connection, as soon as there is one. Left: there was none before `performance.now` was `untilMs`, and why. */
  connection: (untilMs: number) => Promise<Answer<Connection>>
  /** Ends the session at the server, if it can be told. */
  close: () => Promise<void>
}>

const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 1000
const GOODBYE_MS = 500

const shuffled = <A>(items: ReadonlyArray<A>): ReadonlyArray<A> =>
  items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)

export const openSession = (options: SessionOptions): Session => {
  const members = shuffled(options.members)
  let id: SessionId = NO_SESSION
  let lastZxid = 0
  let current: Connection | null = null
  let why = 'no server has been asked yet'
  const waiting = new Set<() => void>()
  const ending = new AbortController()
  const { signal } = ending

  /** Until there is a connection, the session is closed, or the time is over. */
  const connected = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const go = (): void => {
        clearTimeout(timer)
        waiting.delete(go)
        resolve()
      }
      const timer = setTimeout(go, ms)
      waiting.add(go)
    })
  const release = (): void => {
    for (const go of [...waiting]) go()
  }

  const attempt = async (member: Member): Promise<Answer<Connection>> => {
    let made: Connection | null = null
    const answer = await connect({
      member,
      session: id,
      timeoutMs: options.timeoutMs,
      lastZxid,
      patienceMs: Math.max(500, options.timeoutMs / 3),
      login: options.login,
      signal,
      onEvent: (event) => made !== null && options.onEvent?.(made, event),
    })
    if (E.isRight(answer)) made = answer.right
    return answer
  }
  const keep = async (connection: Connection): Promise<void> => {
    id = connection.session
    current = connection
    options.onConnected?.(connection)
    release()
    why = await connection.ended
    lastZxid = Math.max(lastZxid, connection.zxid())
    current = null
  }
  /** Whether the server was of any use. */
  const once = async (member: Member): Promise<boolean> => {
    const answer = await attempt(member)
    if (E.isRight(answer)) {
      const sinceMs = performance.now()
      await keep(answer.right)
      return answer.right.heardMs() > sinceMs
    }
    if (answer.left.tag === 'Lost') why = answer.left.why
    if (answer.left.tag !== 'Expired') return false
    id = NO_SESSION
    options.onExpired?.()
    return true
  }
  const run = async (): Promise<void> => {
    for (let turn = 0, failures = 0; !signal.aborted; turn++) {
      const member = members[turn % members.length]
      if (member === undefined) return
      failures = (await once(member)) ? 0 : failures + 1
      // Every server is asked before any is waited for longer.
      const longestMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.floor(failures / members.length))
      await sleep(longestMs * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => undefined)
    }
  }
  const running = run()

  return {
    connection: async (untilMs) => {
      for (;;) {
        if (signal.aborted) return E.left({ tag: 'Lost', why: 'it was closed' })
        if (current?.alive()) return E.right(current)
        if (performance.now() >= untilMs) return E.left({ tag: 'Lost', why })
        await connected(untilMs - performance.now())
      }
    },
    close: async () => {
      if (signal.aborted) return
      ending.abort()
      release()
      const last: Connection | null = current
      if (last !== null) {
        await inTime(performance.now() + GOODBYE_MS, last.request(closeSession))
        last.drop('it was closed')
      }
      await running
    },
  }
}
