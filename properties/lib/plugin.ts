// A network plugin that can be told to behave badly, and time that passes when one says so. The plugin takes calls in the order
// in which they come and one that comes twice as one, as the port asks (src/engine/plugin/port.ts); how and when it answers is
// another matter.

import type { After, Plugin, PluginRequest } from '../../src/engine/plugin/port.ts'
import type { PluginAnswered } from '../../src/model/command.ts'
import { readAnswer } from '../../src/model/plugin/answer.ts'
import { keyOf, type PluginKey, parentOf } from '../../src/model/plugin/ledger.ts'
import type { Creation, PluginBody } from '../../src/model/plugin/protocol.ts'
import { E } from '../../src/prelude.ts'

export type Time = Readonly<{
  after: After
  /** Lets so much time pass, and all that follows from it happen. */
  pass: (ms: number) => Promise<void>
}>

/** Everything that needs no time: promises go before this. */
export const calm = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export const fakeTime = (): Time => {
  let now = 0
  const alarms = new Set<Readonly<{ at: number; ring: () => void }>>()
  return {
    after: (delayMs, then) => {
      const alarm = { at: now + delayMs, ring: then }
      alarms.add(alarm)
      return () => alarms.delete(alarm)
    },
    pass: async (ms) => {
      const end = now + ms
      await calm()
      for (;;) {
        const next = [...alarms].sort((a, b) => a.at - b.at)[0]
        if (next === undefined || next.at > end) break
        alarms.delete(next)
        now = next.at
        next.ring()
        await calm()
      }
      now = end
    },
  }
}

/**
 * What becomes of one call. `late`: done, answered so many ms later. `error`, `wrong`: the answer says no, or is nonsense,
 * whether it was `done` or not. `never`: no answer, whether it was done or not.
 */
export type Manner = Readonly<
  { how: 'well' } | { how: 'late'; ms: number } | { how: 'error' | 'wrong' | 'never' | 'down'; done: boolean }
>

export type FakePlugin = Readonly<{
  plugin: Plugin
  /** What it holds, as it was asked for. */
  holds: () => ReadonlyMap<PluginKey, Creation>
  /** Every call that came, in order. */
  calls: () => ReadonlyArray<PluginRequest>
  /** All that was ever said of calls that were done, to be said again. */
  said: () => ReadonlyArray<PluginAnswered>
  /** What it was asked to do that nobody should: the order of things, two calls about one object at once. */
  complaints: () => ReadonlyArray<string>
  /** Whoever called is gone, and hears no answer. */
  hangUp: () => void
  /** How it behaves from now on. */
  behave: (next: (request: PluginRequest) => Manner) => void
}>

const keyOfBody = (body: PluginBody): PluginKey => {
  switch (body.Method) {
    case 'CreateNetwork':
    case 'CreateEndpoint':
    case 'Join':
      return keyOf(body)
    case 'DeleteNetwork':
      return body.NetworkID
    case 'DeleteEndpoint':
      return `${body.NetworkID}/${body.EndpointID}`
    case 'Leave':
      return `${body.NetworkID}/${body.EndpointID}/join`
  }
}

const isCreation = (body: PluginBody): body is Creation =>
  body.Method === 'CreateNetwork' || body.Method === 'CreateEndpoint' || body.Method === 'Join'

/** As Docker's own plugins answer. */
const answerTo = (body: PluginBody): unknown => {
  if (body.Method === 'CreateEndpoint') return { Interface: {} }
  if (body.Method !== 'Join') return {}
  return { InterfaceName: { SrcName: 'plug0', DstPrefix: 'eth' }, Gateway: '10.20.0.1', StaticRoutes: [] }
}

const NONSENSE = [null, 'yes', [], { Interface: { MacAddress: '02:00:00:00:00:99' } }, { Gateway: 'nowhere' }]
const nonsenseFor = (body: PluginBody): unknown => NONSENSE.find((json) => E.isLeft(readAnswer(body, json)))

export const fakePlugin = (time: Time): FakePlugin => {
  const holds = new Map<PluginKey, Creation>()
  const done = new Set<string>()
  const calls: PluginRequest[] = []
  const said: PluginAnswered[] = []
  const complaints: string[] = []
  const underWay = new Map<PluginKey, string>()
  let manner: (request: PluginRequest) => Manner = () => ({ how: 'well' })

  const perform = ({ id, body }: PluginRequest): void => {
    const key = keyOfBody(body)
    const parent = parentOf(key)
    if (done.has(id)) return
    done.add(id)
    if (!isCreation(body)) {
      if ([...holds.keys()].some((other) => other.startsWith(`${key}/`))) complaints.push(`${id}: it is in use`)
      holds.delete(key)
      return
    }
    if (parent !== null && !holds.has(parent)) complaints.push(`${id}: what it needs is not there`)
    if (holds.has(key)) complaints.push(`${id}: there is one`)
    holds.set(key, body)
  }

  /** A caller who gives up hangs up, so another call may come; one who waits must be the only one. */
  const begin = ({ id, body, signal }: PluginRequest): (() => void) => {
    const key = keyOfBody(body)
    const other = underWay.get(key)
    if (other !== undefined) complaints.push(`${id}: ${other} is under way`)
    underWay.set(key, id)
    const end = (): void => {
      if (underWay.get(key) === id) underWay.delete(key)
    }
    signal.addEventListener('abort', end)
    return end
  }

  const plugin: Plugin = (request) => async () => {
    const { id, body } = request
    const end = begin(request)
    calls.push(request)
    const as = manner(request)
    if (as.how === 'well' || as.how === 'late' || as.done) {
      perform(request)
      const read = readAnswer(body, answerTo(body))
      if (E.isLeft(read)) throw new Error(read.left)
      const number = Number(id.slice(id.lastIndexOf('/') + 1))
      said.push({ tag: 'PluginAnswered', key: keyOfBody(body), number, answer: read.right })
    }
    if (as.how === 'never') return new Promise(() => {})
    if (as.how === 'late') await new Promise<void>((resolve) => time.after(as.ms, resolve))
    end()
    if (as.how === 'error') return E.left({ tag: 'PluginSays', error: 'no' })
    if (as.how === 'down') return E.left({ tag: 'PluginUnreachable', why: 'nobody listens' })
    return E.right(as.how === 'wrong' ? nonsenseFor(body) : answerTo(body))
  }

  return {
    plugin,
    holds: () => holds,
    calls: () => calls,
    said: () => said,
    complaints: () => complaints,
    hangUp: () => underWay.clear(),
    behave: (next) => {
      manner = next
    },
  }
}
