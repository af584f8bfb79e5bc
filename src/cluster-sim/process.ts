// A process on a host: it runs, stands still, or has ended. All that reaches it, an answer, news, its own timers, comes through `enter`: one
// thing at a time, and nothing any more once it has ended. So what was in its memory is gone although the promises are still there.

import type { Clock } from '../store/clock.ts'
import type { Time } from './time.ts'

export type Process = Readonly<{
  /** Does it in the process: now, or when it goes on; never, if it has ended. */
  enter: (work: () => void) => void
  /** Timers that come while it stands still come when it goes on. */
  clock: Clock
  pause: () => void
  resume: () => void
  end: () => void
  /** Tells once, when it ends. */
  atEnd: (work: () => void) => void
  isAlive: () => boolean
  isRunning: () => boolean
}>

export const startProcess = (time: Time): Process => {
  let state: 'running' | 'standing' | 'ended' = 'running'
  let waiting: (() => void)[] = []
  let isPumping = false
  const ends: (() => void)[] = []

  /** One after the other, each as an event of its own. */
  const pump = (): void => {
    if (state !== 'running' || isPumping || waiting.length === 0) return
    isPumping = true
    time.after(0, () => {
      isPumping = false
      if (state === 'running') waiting.shift()?.()
      pump()
    })
  }
  const enter = (work: () => void): void => {
    if (state === 'ended') return
    if (state === 'running' && waiting.length === 0) work()
    else {
      waiting.push(work)
      pump()
    }
  }

  return {
    enter,
    clock: {
      after: (ms, work) => {
        let isWithdrawn = false
        const withdraw = time.after(ms, () => enter(() => (isWithdrawn ? undefined : work())))
        return () => {
          isWithdrawn = true
          withdraw()
        }
      },
    },
    pause: () => {
      if (state === 'running') state = 'standing'
    },
    resume: () => {
      if (state === 'standing') state = 'running'
      pump()
    },
    end: () => {
      if (state === 'ended') return
      state = 'ended'
      waiting = []
      for (const each of ends) each()
    },
    atEnd: (work) => {
      ends.push(work)
    },
    isAlive: () => state !== 'ended',
    isRunning: () => state === 'running',
  }
}
