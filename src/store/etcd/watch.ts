// A watch that outlives connections and members: it goes on after the last revision that it told, at another member if need be, and
// tells of each transaction once. A member that stands still, or that the others have lost, says nothing; so it is asked now and then
// for something that it can only answer while it is one of the cluster.

import { E, type Either } from '../../prelude.ts'
import type { Clock } from '../clock.ts'
import type { StoreError } from '../error.ts'
import { tellSafely } from '../history.ts'
import type { News, Revision, Write } from '../store.ts'
import { entryOf, kvOf, listIn, numberIn, objectIn, revisionOf } from './answer.ts'
import type { Client } from './client.ts'
import { type Fault, faultOf } from './fault.ts'
import { bytesOf, endOf, type Layout } from './layout.ts'
import type { Message } from './messages.ts'

export type Watch = Readonly<{
  /** All changes up to here were told. */
  told: () => Revision
  /** Tells of nothing more but the end. */
  end: (error: StoreError) => void
  stop: () => void
}>

export type Watched = Readonly<{
  client: Client
  clock: Clock
  place: string
  layout: Layout
  prefix: string
  /** Null: the store is still the one that was opened. */
  alive: (at: number) => Promise<Fault | null>
  aliveEveryMs: number
}>

const RETRY_MS = 100
const MAX_RETRY_MS = 1000

type Group = { revision: Revision; writes: Write[] }

const writeIn = (layout: Layout, place: string, event: Message): Either<StoreError, Write> => {
  const kv = kvOf(objectIn(event, 'kv'))
  if (event['type'] === 'DELETE') return E.right({ key: kv.key.slice(layout.entries.length), value: null })
  return entryOf(place, layout.entries, kv)
}

/** Puts the events of one transaction together. */
const grouped = (
  layout: Layout,
  place: string,
  events: ReadonlyArray<Message>,
): Either<StoreError, ReadonlyArray<Group>> => {
  const groups: Group[] = []
  for (const event of events) {
    const write = writeIn(layout, place, event)
    if (E.isLeft(write)) return write
    const { key, value } = write.right
    const { revision } = kvOf(objectIn(event, 'kv'))
    const last = groups.at(-1)
    if (last?.revision === revision) last.writes.push({ key, value })
    else groups.push({ revision, writes: [{ key, value }] })
  }
  return E.right(groups)
}

/** `since`: told is what comes after it. */
export const startWatch = (
  { client, clock, place, layout, prefix, alive, aliveEveryMs }: Watched,
  since: Revision,
  tell: (news: News) => void,
): Watch => {
  let told = since
  let isOver = false
  let retryMs = RETRY_MS
  let stopStream = (): void => {}
  let withdraw = (): void => {}

  const stop = (): void => {
    isOver = true
    stopStream()
    withdraw()
  }
  const end = (error: StoreError): void => {
    if (isOver) return
    stop()
    tellSafely(tell, { tag: 'Ended', error })
  }
  const tellAll = (groups: ReadonlyArray<Group>): void => {
    for (const { revision, writes } of groups) {
      if (isOver) return
      told = revision
      tellSafely(tell, { tag: 'Changed', revision, writes })
    }
  }

  const connect = (at: number): void => {
    if (isOver) return
    let isLeft = false
    const leave = (): void => {
      if (isOver || isLeft) return
      isLeft = true
      stopStream()
      withdraw()
      withdraw = clock.after(retryMs, () => connect(at + 1))
      retryMs = Math.min(2 * retryMs, MAX_RETRY_MS)
    }
    const giveUp = (fault: Fault): void => {
      if (fault.tag === 'Refused') end(fault.error)
      else leave()
    }
    const cancelled = (answer: Message): void => {
      const oldest = numberIn(answer, 'compact_revision')
      if (oldest > 0) end({ tag: 'StoreCompacted', since: told, oldest })
      else giveUp(faultOf(place, 200, String(answer['cancel_reason'] ?? 'the server has ended the watch')))
    }
    const hear = (answer: Message): void => {
      if (answer['canceled'] === true) cancelled(answer)
      else if (answer['created'] === true) retryMs = RETRY_MS
      else hearEvents(answer)
    }
    const hearEvents = (answer: Message): void => {
      const events = listIn(answer, 'events')
      const groups = grouped(layout, place, events)
      if (E.isLeft(groups)) end(groups.left)
      else tellAll(groups.right)
      // Without events it says up to where there are none.
      if (events.length === 0) told = Math.max(told, revisionOf(answer))
    }
    const look = async (): Promise<void> => {
      const fault = await alive(at)
      if (isOver || isLeft) return
      if (fault === null) withdraw = clock.after(aliveEveryMs, look)
      else giveUp(fault)
    }
    const from = layout.entries + prefix
    const create = {
      key: bytesOf(from),
      range_end: endOf(from),
      start_revision: String(told + 1),
      progress_notify: true,
    }
    stopStream = client.stream(at, 'watch', { create_request: create }, hear, giveUp)
    withdraw = clock.after(aliveEveryMs, look)
  }

  connect(client.preferred())
  return { told: () => told, end, stop }
}
