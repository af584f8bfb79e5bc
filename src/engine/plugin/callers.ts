// Who waits for plugins: a caller whose command changed what plugins should hold is answered when they hold it. What is kept
// here is whom to tell and nothing else: what is owed, and what was given up, is in the model and its ledger.

import { callOf, failureOf } from '../../model/decide/plugin.ts'
import { lineOf, type PluginKey } from '../../model/plugin/ledger.ts'
import { isAgreed } from '../../model/plugin/requests.ts'
import { wantedAt } from '../../model/plugin/wanted.ts'
import type { Model } from '../../model/types.ts'
import { changesBetween } from '../../net/pmap.ts'
import { E } from '../../prelude.ts'
import type { Done } from '../batch.ts'
import type { Answer, Waiting } from '../inbox.ts'

/** `open`: where plugins do not hold yet what they should. `answer`: what is said when none is left. */
type Caller = Readonly<{ waiting: Waiting; answer: Answer; open: Set<PluginKey> }>

export type Callers = Readonly<{
  /** Answers the commands of a turn that has ended, or lets them wait; and answers those who waited for this turn. */
  hear: (done: ReadonlyArray<Done>, model: Model) => void
  /** How many wait. */
  count: () => number
  /** Settles when nobody waits any more. */
  idle: () => Promise<void>
  reject: (defect: unknown) => void
}>

/** News has no caller who waits for plugins: it is what they wait for. */
const isNews = ({ command: { tag } }: Waiting): boolean =>
  tag === 'PluginAnswered' || tag === 'PluginFailed' || tag === 'KernelRefused'

/** `from`: the model as it is now. */
export const makeCallers = (from: Model): Callers => {
  let heard = from
  const callers = new Set<Caller>()
  const byKey = new Map<PluginKey, Set<Caller>>()
  let awaited: Array<() => void> = []

  const at = (key: PluginKey): ReadonlyArray<Caller> => [...(byKey.get(key) ?? [])]

  const forget = (caller: Caller, key: PluginKey): void => {
    caller.open.delete(key)
    const others = byKey.get(key)
    others?.delete(caller)
    if (others?.size === 0) byKey.delete(key)
  }

  const settle = (caller: Caller, answer: Answer): void => {
    for (const key of [...caller.open]) forget(caller, key)
    callers.delete(caller)
    caller.waiting.resolve(answer)
    if (callers.size > 0) return
    for (const tell of awaited) tell()
    awaited = []
  }

  /** There is nothing more to wait for at this key. */
  const close = (key: PluginKey): void => {
    for (const caller of at(key)) {
      forget(caller, key)
      if (caller.open.size === 0) settle(caller, caller.answer)
    }
  }

  /** A call failed: those whose wish was given up are told why; those who took away are not kept waiting for a deletion. */
  const broken = ({ waiting, wishes, before, after }: Done): void => {
    const { command } = waiting
    const call = command.tag === 'PluginFailed' ? callOf(before, command) : null
    if (command.tag !== 'PluginFailed' || call === null) return
    const error = E.left(failureOf(before, call, command))
    for (const key of wishes)
      if (wantedAt(before, key) !== null && wantedAt(after, key) === null)
        for (const caller of at(key)) settle(caller, error)
    for (const key of lineOf(command.key)) if (!isAgreed(after, key)) close(key)
  }

  const take = ({ waiting, events, wishes }: Done): void => {
    const answer = E.right(events)
    if (wishes.length === 0 || isNews(waiting)) {
      waiting.resolve(answer)
      return
    }
    const caller: Caller = { waiting, answer, open: new Set(wishes) }
    callers.add(caller)
    for (const key of wishes) byKey.set(key, (byKey.get(key) ?? new Set()).add(caller))
  }

  return {
    hear: (done, model) => {
      for (const each of done) {
        broken(each)
        take(each)
      }
      const changed = changesBetween(heard.ledger.calls, model.ledger.calls).map(({ key }) => key)
      for (const key of new Set([...done.flatMap(({ wishes }) => wishes), ...changed]))
        if (byKey.has(key) && isAgreed(model, key)) close(key)
      heard = model
    },
    count: () => callers.size,
    idle: () => (callers.size === 0 ? Promise.resolve() : new Promise((resolve) => awaited.push(resolve))),
    reject: (defect) => {
      for (const caller of [...callers]) {
        caller.waiting.reject(defect)
        settle(caller, caller.answer)
      }
    },
  }
}
