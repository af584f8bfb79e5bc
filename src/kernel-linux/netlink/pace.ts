// On which thread requests are sent, and when the event loop gets its turn. rtnetlink does its work inside send(2): what takes
// microseconds is sent from here, for a worker thread costs more than that; what may take a millisecond is not, nor anything while
// somebody holds the kernel's lock (rtnl_mutex), which each of our own deletions does for some 20 ms.

import type { Turn } from './socket.ts'

/** A send from here may take so long by its estimate. */
const HERE_MS = 0.3
/** A send from here that took so long waited for the lock; whoever holds it will likely take it again soon. */
const WAITED_MS = 3
const CAREFUL_MS = 100
/** So long the event loop may be kept from everybody else. */
const TURN_MS = 0.8

export type Pace = Readonly<{
  /** For requests that are estimated to take so long together. */
  turnFor: (estimateMs: number) => Turn
  /** What a send took. */
  sent: (turn: Turn, tookMs: number) => void
  /** While `f` runs, the lock is held. */
  whileLocked: <A>(f: () => Promise<A>) => Promise<A>
  /** Lets the event loop go round if it has not for a while. */
  breathe: () => Promise<void>
}>

export const makePace = (): Pace => {
  let holders = 0
  let carefulUntil = 0
  /** When this turn of the event loop began, as far as we know. */
  let began: number | null = null

  return {
    turnFor: (estimateMs) =>
      holders > 0 || estimateMs > HERE_MS || performance.now() < carefulUntil ? 'aside' : 'here',
    sent: (turn, tookMs) => {
      if (turn === 'here' && tookMs > WAITED_MS) carefulUntil = performance.now() + CAREFUL_MS
    },
    whileLocked: async (f) => {
      holders += 1
      try {
        return await f()
      } finally {
        holders -= 1
      }
    },
    breathe: async () => {
      const now = performance.now()
      if (began === null) {
        began = now
        setImmediate(() => {
          began = null
        })
      } else if (now - began > TURN_MS) {
        await new Promise((resolve) => setImmediate(resolve))
      }
    },
  }
}
