// A transaction until its outcome is known, over as many connections as it takes. When an answer is lost, its place in the log is
// taken by a mark of ours, if it is still free: then the transaction has not happened, and cannot any more, so it is tried again.
// Invariant: it happens once at most; when that is not known at the end, the answer is `StoreUnavailable` and says so.

import { E, type Either } from '../../prelude.ts'
import type { StoreError } from '../error.ts'
import { encodeWrites } from '../logged.ts'
import type { Revision, Transaction } from '../store.ts'
import type { Answer, Connection } from './connection.ts'
import { decodeRevision, type Layout } from './layout.ts'
import { type Acl, CODE, create, getData, type Op, sync } from './protocol.ts'
import type { Reach } from './reach.ts'
import { attempt, type Outcome, type Task } from './transact.ts'

/** `since`: what had happened before it was sent. */
type Unsettled = Readonly<{ id: string; since: Revision }>
type Settled = Readonly<{ tag: 'Done'; revision: Revision } | { tag: 'Never' } | { tag: 'Unknown' }>

const NOTHING = encodeWrites([])

const settle = async (
  connection: Connection,
  layout: Layout,
  acl: Acl,
  { id, since }: Unsettled,
): Promise<Answer<Settled>> => {
  const path = layout.logged(id)
  const asked = [
    connection.request(create(path, NOTHING, acl)),
    connection.request(sync(layout.prefix)),
    connection.request(getData(path)),
    connection.request(getData(layout.log)),
  ] as const
  const [marked, , found, log] = [await asked[0], await asked[1], await asked[2], await asked[3]]
  if (E.isLeft(marked) && !(marked.left.tag === 'Refused' && marked.left.code === CODE.nodeExists)) return marked
  if (E.isLeft(log)) return log
  // A transaction that has happened may have been forgotten since: then its place is free although it has.
  if (E.isLeft(found) || decodeRevision(log.right.data) > since) return E.right({ tag: 'Unknown' })
  return E.right(found.right.data === NOTHING ? { tag: 'Never' } : { tag: 'Done', revision: found.right.stat.czxid })
}

const inDoubt = (error: StoreError): StoreError =>
  error.tag === 'StoreUnavailable'
    ? { ...error, hint: 'what was asked may have been done or not: look before it is asked again' }
    : error

/** What is the same for all transactions of a store. `newId`: one for each time that one is sent. */
export type Writing = Pick<Task, 'layout' | 'acl' | 'place' | 'maxRequestBytes'> & Readonly<{ newId: () => string }>

/** `also`: what else is done with it, or nothing is. */
export const commit = async (
  reach: Reach,
  { newId, ...writing }: Writing,
  transaction: Transaction,
  also: ReadonlyArray<Op> = [],
): Promise<Either<StoreError, Revision>> => {
  const task = { ...writing, transaction, also }
  const untilMs = reach.deadlineMs()
  let unsettled: Unsettled | null = null
  for (;;) {
    const id = newId()
    const before: Unsettled | null = unsettled
    let isOver = false
    const done = await reach.once(untilMs, async (connection): Promise<Answer<Outcome | Settled>> => {
      if (before !== null) {
        const settled = await settle(connection, task.layout, task.acl, before)
        if (E.isLeft(settled) || settled.right.tag !== 'Never') return settled
      }
      unsettled = null
      return attempt(connection, { ...task, id }, () => {
        if (!isOver) unsettled = { id, since: connection.zxid() }
        return !isOver
      })
    })
    isOver = true
    if (E.isLeft(done)) return E.left(unsettled === null ? done.left : inDoubt(done.left))
    const outcome = done.right
    switch (outcome.tag) {
      case 'Done':
        return E.right(outcome.revision)
      case 'Conflict':
        return E.left({ tag: 'StoreConflict', key: outcome.key })
      case 'Failed':
        return E.left(outcome.error)
      case 'Unknown':
        return E.left(inDoubt(reach.unavailable('has forgotten too much')))
      case 'Again':
        unsettled = null
        break
      case 'Never':
      case 'Lost':
        break
    }
  }
}
