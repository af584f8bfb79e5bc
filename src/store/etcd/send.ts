// Transactions that happen once. Each also writes a mark, and only if that mark is as the one before left it. When no answer comes,
// nobody knows whether it happened, or will yet (a member may hold it back); so the next thing that is written to the mark is
// something else, under the same compare. One of the two happens, never both: either the mark then says that the transaction
// happened, or it never will, and may be sent again.
// Marks belong to a lease, so those of a process that died go with it.

import { randomBytes } from 'node:crypto'
import { E, type Either } from '../../prelude.ts'
import type { Clock } from '../clock.ts'
import type { StoreError } from '../error.ts'
import { makeGate } from '../gate.ts'
import type { Revision } from '../store.ts'
import { kvsOf, rangesOf, revisionOf } from './answer.ts'
import type { Client } from './client.ts'
import { asStoreError, type Fault } from './fault.ts'
import { textOf } from './layout.ts'
import { grant, keepLease, revoke } from './lease.ts'
import type { Message } from './messages.ts'
import { isAt, putOf, readOf, type Written } from './txn.ts'

/** What is written to it next must find it at this revision; 0: it was never written. */
type Mark = { readonly key: string; revision: Revision }
type Session = { readonly lease: string; readonly idle: Mark[]; isOver: boolean; marks: number; stop: () => void }

const SESSION_TTL_MS = 60_000

/** Right: what etcd answered, its compares met or not. */
type Outcome = Either<StoreError, Message>

/** So many are under way at once; the others wait. */
const MOST_AT_ONCE = 16

export type Sender = Readonly<{
  send: (parts: Written) => Promise<Outcome>
  /** Takes the marks away. */
  close: () => Promise<void>
}>

type Surroundings = Readonly<{ client: Client; clock: Clock; place: string; marks: string; patienceMs: number }>

/** `absent`: the lease is over, and with it what the mark said. */
type Settled = Readonly<
  { tag: 'happened'; answer: Message } | { tag: 'never' } | { tag: 'absent' } | { tag: 'unknown' }
>

export const UNCHANGED = 'nothing was changed'
const UNKNOWN = 'whether the last transaction happened is not known: read again before repeating it'

const word = (): string => randomBytes(9).toString('base64url')

export const makeSender = ({ client, clock, place, marks, patienceMs }: Surroundings): Sender => {
  let session: Promise<Either<Fault, Session>> | null = null
  const gate = makeGate(MOST_AT_ONCE)

  const begin = async (): Promise<Either<Fault, Session>> => {
    const lease = await grant(client, SESSION_TTL_MS)
    if (E.isLeft(lease)) return lease
    const { id } = lease.right
    const made: Session = { lease: id, idle: [], isOver: false, marks: 0, stop: () => {} }
    made.stop = keepLease({ client, clock }, id, SESSION_TTL_MS, () => {
      made.isOver = true
    })
    return E.right(made)
  }
  const present = async (): Promise<Either<Fault, Session>> => {
    session ??= begin()
    const asked = session
    const had = await asked
    if (E.isRight(had) && !had.right.isOver) return had
    if (session === asked) session = null
    if (E.isLeft(had)) return had
    had.right.stop()
    return present()
  }
  const markOf = (mine: Session): Mark => {
    const idle = mine.idle.pop()
    if (idle !== undefined) return idle
    mine.marks += 1
    return { key: `${marks}${mine.lease}/${mine.marks}`, revision: 0 }
  }

  /** Writes something else to the mark, so that what may be under way has happened or never will. */
  const settle = async (mine: Session, mark: Mark, said: string, until: number): Promise<Settled> => {
    const fence = word()
    const body = {
      compare: [isAt(mark.key, mark.revision)],
      success: [putOf(mark.key, fence, mine.lease)],
      failure: [readOf(mark.key)],
    }
    while (performance.now() < until) {
      const answer = await client.ask('txn', body, until - performance.now())
      if (E.isLeft(answer)) {
        if (answer.left.tag === 'NoLease') return { tag: 'absent' }
        continue
      }
      if (answer.right['succeeded'] === true) {
        mark.revision = revisionOf(answer.right)
        return { tag: 'never' }
      }
      const [found] = rangesOf(answer.right).flatMap(kvsOf)
      if (found === undefined) return { tag: 'absent' }
      mark.revision = found.revision
      if (textOf(found.value) !== said) return { tag: 'never' }
      return { tag: 'happened', answer: { succeeded: true, header: { revision: found.revision } } }
    }
    return { tag: 'unknown' }
  }

  /** Null: it did not happen and never will; it may be sent again, with another mark. */
  const attempt = async (mine: Session, parts: Written, until: number): Promise<Outcome | null> => {
    const { compares, reads, writes } = parts
    const mark = markOf(mine)
    const said = word()
    const answer = await client.send('txn', {
      compare: [isAt(mark.key, mark.revision), ...compares],
      success: [putOf(mark.key, said, mine.lease), ...writes],
      failure: [readOf(mark.key), ...reads],
    })
    if (E.isRight(answer)) {
      const hasHappened = answer.right['succeeded'] === true
      const [found] = hasHappened ? [] : rangesOf(answer.right).slice(0, 1).flatMap(kvsOf)
      // If not, the lease is over, and the mark gone with it.
      mine.isOver ||= !hasHappened && (found?.revision ?? 0) !== mark.revision
      if (mine.isOver) return hasHappened ? answer : null
      if (hasHappened) mark.revision = revisionOf(answer.right)
      mine.idle.push(mark)
      return answer
    }
    const fault = answer.left
    if (fault.tag === 'NoLease') {
      mine.isOver = true
      return null
    }
    if (fault.tag !== 'Unclear') {
      mine.idle.push(mark)
      return E.left(asStoreError(place, fault, UNCHANGED))
    }
    const settled = await settle(mine, mark, said, until)
    if (settled.tag === 'absent') mine.isOver = true
    if (settled.tag === 'absent' || settled.tag === 'unknown') return E.left(asStoreError(place, fault, UNKNOWN))
    mine.idle.push(mark)
    return settled.tag === 'happened' ? E.right(settled.answer) : null
  }

  /** Sends until it has happened, been refused, or nobody knows in the time there is. */
  const sendMarked = async (parts: Written): Promise<Outcome> => {
    const until = performance.now() + patienceMs
    do {
      const mine = await present()
      if (E.isLeft(mine)) return E.left(asStoreError(place, mine.left, UNCHANGED))
      const outcome = await attempt(mine.right, parts, until)
      if (outcome !== null) return outcome
    } while (performance.now() < until)
    return E.left({ tag: 'StoreUnavailable', what: `${place} does not answer in time`, hint: UNCHANGED })
  }

  /** Nothing is written, so it may be done twice. */
  const sendUnmarked = async ({ compares, reads }: Written): Promise<Outcome> => {
    const answer = await client.ask('txn', { compare: compares, failure: reads })
    return E.isLeft(answer) ? E.left(asStoreError(place, answer.left, null)) : answer
  }

  return {
    send: (parts) => (parts.writes.length === 0 ? sendUnmarked(parts) : gate(() => sendMarked(parts))),
    close: async () => {
      const had = await session
      if (had === null || E.isLeft(had)) return
      had.right.stop()
      await revoke(client, had.right.lease)
    },
  }
}
