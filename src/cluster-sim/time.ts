// Virtual time: one queue of events, taken in the order of their times, and of those at one time in the order in which they were asked for.
// Invariant: between two events all that was waited for is done, as far as it does not wait for another event.

import type { Clock } from '../store/clock.ts'

export type Time = Clock &
  Readonly<{
    /** In milliseconds, from 0 on. */
    now: () => number
    /** Does what comes until then, event by event, or until `isOver`; then it is that late. */
    runUntil: (end: number, isOver?: () => boolean) => Promise<void>
    /** How many events there were. */
    events: () => number
  }>

type Event = { readonly at: number; readonly order: number; work: (() => void) | null }

const isBefore = (one: Event, other: Event): boolean =>
  one.at < other.at || (one.at === other.at && one.order < other.order)

/** A binary heap. */
const queueOfEvents = () => {
  const heap: Event[] = []
  // Casts: every place is one of the heap.
  const at = (place: number): Event => heap[place] as Event
  const put = (event: Event): void => {
    let place = heap.length
    heap.push(event)
    while (place > 0) {
      const above = (place - 1) >> 1
      if (!isBefore(event, at(above))) break
      heap[place] = at(above)
      place = above
    }
    heap[place] = event
  }
  const sink = (event: Event): void => {
    let place = 0
    for (;;) {
      let below = 2 * place + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && isBefore(at(below + 1), at(below))) below += 1
      if (!isBefore(at(below), event)) break
      heap[place] = at(below)
      place = below
    }
    heap[place] = event
  }
  const take = (): void => {
    const last = heap.pop()
    if (last !== undefined && heap.length > 0) sink(last)
  }
  return { put, take, first: (): Event | undefined => heap[0] }
}

/** Node takes up an immediate only when the queue of microtasks is empty, so whoever awaited something that has come has gone on. */
const allIsDone = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

export const virtualTime = (): Time => {
  const queue = queueOfEvents()
  let now = 0
  let order = 0
  let events = 0
  return {
    now: () => now,
    events: () => events,
    after: (ms, work) => {
      const event: Event = { at: now + Math.max(0, ms), order: order++, work }
      queue.put(event)
      return () => {
        event.work = null
      }
    },
    runUntil: async (end, isOver = () => false) => {
      await allIsDone()
      while (!isOver()) {
        const next = queue.first()
        if (next === undefined || next.at > end) {
          now = Math.max(now, end)
          return
        }
        queue.take()
        if (next.work === null) continue
        now = next.at
        events += 1
        next.work()
        await allIsDone()
      }
    },
  }
}
