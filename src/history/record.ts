// Writes a history down while it happens: events are in the order of these calls, so `invoke` comes before the request leaves,
// and an end after its answer is here.

import type { Event, History } from './event.ts'

export type Recorder<In, Out> = Readonly<{
  /** The operation's id. */
  invoke: (client: string, input: In) => number
  ok: (id: number, output: Out) => void
  fail: (id: number) => void
  unknown: (id: number) => void
  history: () => History<In, Out>
}>

export const recorder = <In, Out>(): Recorder<In, Out> => {
  const events: Event<In, Out>[] = []
  let next = 0
  return {
    invoke: (client, input) => {
      events.push({ tag: 'invoke', id: next, client, input })
      return next++
    },
    ok: (id, output) => void events.push({ tag: 'ok', id, output }),
    fail: (id) => void events.push({ tag: 'fail', id }),
    unknown: (id) => void events.push({ tag: 'unknown', id }),
    history: () => [...events],
  }
}
