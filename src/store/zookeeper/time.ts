// Waiting for what may never come. Times are those of `performance.now`, in milliseconds.

import { setTimeout as sleep } from 'node:timers/promises'

/** Null: the time is over. */
export const inTime = async <A>(untilMs: number, work: Promise<A>): Promise<A | null> => {
  const over = new AbortController()
  const { signal } = over
  const timer = sleep(Math.max(0, untilMs - performance.now()), null, { signal }).catch(() => null)
  try {
    return await Promise.race([work, timer])
  } finally {
    over.abort()
  }
}
