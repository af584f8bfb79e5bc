// Calls under way: for each entry of the ledger that is asked or going, its call is made until the entry is another. What is
// made follows from the ledger alone, so a restart makes again what is owed. One call at a time about one object; each has a
// deadline; what failed and is owed still is tried again, later each time.

import type { Command, PluginFailure } from '../../model/command.ts'
import { readAnswer } from '../../model/plugin/answer.ts'
import { bodyOf, type Call, callId, type Ledger, type PluginKey } from '../../model/plugin/ledger.ts'
import { changesBetween, emptyMap } from '../../net/pmap.ts'
import { E } from '../../prelude.ts'
import type { After, PluginError, Plugins } from './port.ts'

export type CallsOptions = Readonly<{
  plugins: Plugins
  deadlineMs: number
  after: After
  /** Brings news to the inbox. Settles when its turn has ended. */
  tell: (news: Command) => Promise<unknown>
  /** Is told of defects of ours. */
  fail: (defect: unknown) => void
}>

export type Calls = Readonly<{
  /** The ledger as it is in the store now. */
  follow: (ledger: Ledger) => void
  /** Somebody waits for what is at this key: a pause before the next attempt, there or below, ends. */
  hurry: (key: PluginKey) => void
  /** Lets go of everything. Nothing is told any more. */
  stop: () => void
}>

/**
 * `over`: nobody wants its answer. `hurried`: the next attempt is not to be put off. `wake` ends what it waits for: the
 * plugin's answer, by the signal of the request, or the time of the next attempt.
 */
type Flight = {
  readonly number: number
  over: boolean
  hurried: boolean
  pausing: boolean
  wake: () => void
  landed: Promise<void>
}

const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 60_000
const pauseMs = (attempt: number): number => Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS)

const failureOf = (error: PluginError): PluginFailure =>
  error.tag === 'PluginSays' ? { kind: 'refused', why: error.error } : { kind: 'unreachable', why: error.why }

/** What is told of an answer, whatever it is. */
const newsOf = (key: PluginKey, call: Call, answer: E.Either<PluginError, unknown> | 'silent', ms: number): Command => {
  const failed = (failure: PluginFailure): Command => ({ tag: 'PluginFailed', key, number: call.number, failure })
  if (answer === 'silent') return failed({ kind: 'silent', afterMs: ms })
  if (E.isLeft(answer)) return failed(failureOf(answer.left))
  const read = readAnswer(bodyOf(call), answer.right)
  if (E.isLeft(read)) return failed({ kind: 'wrong', why: read.left })
  return { tag: 'PluginAnswered', key, number: call.number, answer: read.right }
}

export const makeCalls = ({ plugins, deadlineMs, after, tell, fail }: CallsOptions): Calls => {
  const flights = new Map<PluginKey, Flight>()
  let followed: Ledger['calls'] = emptyMap()
  let stopped = false

  /** One attempt. Settles when the plugin answers, or at the deadline. */
  const attempt = (call: Call, flight: Flight): Promise<E.Either<PluginError, unknown> | 'silent'> =>
    new Promise((resolve, reject) => {
      const plugin = plugins.get(call.plugin)
      if (plugin === undefined)
        return resolve(E.left({ tag: 'PluginUnreachable', why: 'there is no plugin of that name' }))
      const cancel = new AbortController()
      const forget = after(deadlineMs, () => {
        cancel.abort()
        resolve('silent')
      })
      flight.wake = () => {
        cancel.abort()
        if (stopped) forget()
      }
      plugin({ id: callId(call), body: bodyOf(call), signal: cancel.signal })()
        .finally(forget)
        .then(resolve, reject)
    })

  const pause = (delayMs: number, flight: Flight): Promise<void> =>
    new Promise((resolve) => {
      const forget = after(delayMs, resolve)
      flight.wake = () => {
        forget()
        resolve()
      }
    })

  const fly = async (key: PluginKey, call: Call, flight: Flight, before: Promise<void>): Promise<void> => {
    await before
    for (let n = 0; !flight.over; n++) {
      const answer = await attempt(call, flight)
      if (flight.over) return
      flight.hurried = false
      await tell(newsOf(key, call, answer, deadlineMs))
      if (flight.over || flight.hurried) continue
      flight.pausing = true
      await pause(pauseMs(n), flight)
      flight.pausing = false
    }
  }

  const end = (flight: Flight): void => {
    flight.over = true
    flight.wake()
  }

  const start = (key: PluginKey, call: Call, before: Promise<void>): void => {
    const { number } = call
    const flight: Flight = { number, over: false, hurried: false, pausing: false, wake: () => {}, landed: before }
    flights.set(key, flight)
    flight.landed = fly(key, call, flight, before).catch(fail)
    flight.landed.then(() => {
      if (flights.get(key) === flight) flights.delete(key)
    })
  }

  return {
    follow: ({ calls }) => {
      if (stopped) return
      for (const { key, after: call } of changesBetween(followed, calls)) {
        const flight = flights.get(key)
        const isOwed = call !== undefined && call.state !== 'there'
        if (flight !== undefined && !(isOwed && call.number === flight.number)) end(flight)
        if (isOwed && call.number !== flight?.number) start(key, call, flight?.landed ?? Promise.resolve())
      }
      followed = calls
    },
    hurry: (key) => {
      for (const [other, flight] of flights) {
        if (other !== key && !other.startsWith(`${key}/`)) continue
        flight.hurried = true
        if (flight.pausing) flight.wake()
      }
    },
    stop: () => {
      stopped = true
      for (const flight of flights.values()) end(flight)
      flights.clear()
    },
  }
}
