// A clock that the test turns.

import type { Clock } from '../../src/store/clock.ts'

export type Turned = Clock & Readonly<{ stop: () => void; turn: (ms: number) => void }>

/** Does what is due in its order. A stopped clock does nothing, whatever it is turned. */
export const turnedClock = (): Turned => {
  let nowMs = 0
  let isStopped = false
  let due: Array<Readonly<{ atMs: number; work: () => void }>> = []
  return {
    after: (ms, work) => {
      const one = { atMs: nowMs + ms, work }
      due.push(one)
      return () => {
        due = due.filter((each) => each !== one)
      }
    },
    stop: () => {
      isStopped = true
    },
    turn: (ms) => {
      nowMs += ms
      if (isStopped) return
      const [ready, later] = [due.filter(({ atMs }) => atMs <= nowMs), due.filter(({ atMs }) => atMs > nowMs)]
      due = later
      for (const { work } of ready.sort((a, b) => a.atMs - b.atMs)) work()
    },
  }
}
