// How a store comes to a connection and what it says when it cannot: work that loses its connection is done again over the next,
// until its time is over. Every sentence about servers is made here.

import { E, type Either } from '../../prelude.ts'
import type { StoreError } from '../error.ts'
import type { Answer, Connection } from './connection.ts'
import { CODE } from './protocol.ts'
import type { Session } from './session.ts'
import { inTime } from './time.ts'

/** The connection was lost, there will be another. */
export type Lost = Readonly<{ tag: 'Lost' }>

export type Reach = Readonly<{
  /** When what is asked now must have been answered. */
  deadlineMs: () => number
  /** Does the work over the present connection, or the next if there is none. */
  once: <A>(
    untilMs: number,
    work: (connection: Connection) => Promise<Answer<A>>,
  ) => Promise<Either<StoreError, A | Lost>>
  /** The same, over as many connections as it takes. Only for what may be done twice. */
  read: <A>(work: (connection: Connection) => Promise<Answer<A>>, patienceMs?: number) => Promise<Either<StoreError, A>>
  /** `why`: a clause that follows the store's place. */
  unavailable: (why: string) => StoreError
}>

const LOST: Lost = { tag: 'Lost' }

/** `place`: the store's URL without a password. */
export const reachOver = (session: Session, place: string, timeoutMs: number, login: boolean): Reach => {
  const unavailable = (why: string): StoreError => ({
    tag: 'StoreUnavailable',
    what: `${place} ${why}`,
    hint: 'see that its servers run; they are asked again and again',
  })
  const refused = (code: number): StoreError => {
    switch (code) {
      case CODE.noAuth:
        return {
          tag: 'StoreDenied',
          place,
          why: login ? 'was made by another user, or with another password' : 'was made by a user who has a password',
          hint: 'write zk://USER:PASSWORD@ as when it was made',
        }
      case CODE.unimplemented:
        return { tag: 'StoreUnavailable', what: `${place} is kept by a ZooKeeper before 3.6`, hint: 'use a newer one' }
      case CODE.badArguments:
        return { tag: 'StoreDenied', place, why: 'is no path that ZooKeeper takes', hint: 'choose another prefix' }
      default:
        return unavailable(`answers with ZooKeeper’s error ${code}`)
    }
  }
  const once: Reach['once'] = async (untilMs, work) => {
    const connection = await session.connection(untilMs)
    if (E.isLeft(connection)) {
      const { left } = connection
      return E.left(unavailable(`cannot be reached: ${left.tag === 'Lost' ? left.why : 'its session has expired'}`))
    }
    const answer = await inTime(untilMs, work(connection.right))
    if (answer === null) return E.left(unavailable('did not answer in time'))
    if (E.isRight(answer)) return answer
    return answer.left.tag === 'Refused' ? E.left(refused(answer.left.code)) : E.right(LOST)
  }
  return {
    deadlineMs: () => performance.now() + timeoutMs,
    once,
    read: async <A>(work: (connection: Connection) => Promise<Answer<A>>, patienceMs = timeoutMs) => {
      const untilMs = performance.now() + patienceMs
      for (;;) {
        const done = await once(untilMs, work)
        if (E.isLeft(done) || done.right !== LOST) return done as Either<StoreError, A> // not LOST, so of the work
      }
    },
    unavailable,
  }
}
