// What clients saw of a system, as events in the order in which they were seen, and the operations that those make. An operation
// happens at one instant between its two events: `ok`, and this is its answer; `fail`, it certainly did not happen; `unknown`,
// or no second event at all, it may have happened, or happen at any later time. The words are Jepsen's, whose `info` is `unknown`.

import { E, type Either } from '../prelude.ts'

/** `id` is the operation's own; a client waits for one before it begins another, unless it hears that it is unknown. */
export type Event<In, Out> = Readonly<
  | { tag: 'invoke'; id: number; client: string; input: In }
  | { tag: 'ok'; id: number; output: Out }
  | { tag: 'fail'; id: number }
  | { tag: 'unknown'; id: number }
>
export type History<In, Out> = ReadonlyArray<Event<In, Out>>

/**
 * What may have happened between two places of a history. `returned` is Infinity where nobody heard of an end, `output`
 * undefined where nobody heard the answer. Without `required`, it may also not have happened.
 */
export type Operation<In, Out> = Readonly<{
  id: number
  client: string
  input: In
  output: Out | undefined
  called: number
  returned: number
  required: boolean
}>

/** `at`: which event, counted from 0. */
export type HistoryError = Readonly<
  | { tag: 'InvokedTwice'; at: number; id: number }
  | { tag: 'NotUnderWay'; at: number; id: number; event: 'ok' | 'fail' | 'unknown' }
  | { tag: 'ClientBusy'; at: number; id: number; client: string; with: number }
>

export const explainHistory = (error: HistoryError): string => {
  const place = `event ${error.at + 1} of the history`
  switch (error.tag) {
    case 'InvokedTwice':
      return `${place} invokes operation ${error.id}, which was invoked before; give each one an id of its own`
    case 'NotUnderWay':
      return `${place} ends operation ${error.id} (${error.event}), which is not under way; each one is invoked first and ends once`
    case 'ClientBusy':
      return `${place}: client ${JSON.stringify(error.client)} invokes operation ${error.id} before the end of its operation ${error.with}; take a client for each thread of calls`
  }
}

/** The operations in the order of their calls; those that failed are left out. */
export const operationsOf = <In, Out>(
  history: History<In, Out>,
): Either<HistoryError, ReadonlyArray<Operation<In, Out>>> => {
  const all = new Map<number, Operation<In, Out>>()
  const underWay = new Set<number>()
  const failed = new Set<number>()
  const busy = new Map<string, number>()
  for (const [at, event] of history.entries()) {
    const { id } = event
    if (event.tag === 'invoke') {
      const { client, input } = event
      if (all.has(id)) return E.left({ tag: 'InvokedTwice', at, id })
      const other = busy.get(client)
      if (other !== undefined) return E.left({ tag: 'ClientBusy', at, id, client, with: other })
      const never = Number.POSITIVE_INFINITY
      all.set(id, { id, client, input, output: undefined, called: at, returned: never, required: false })
      underWay.add(id)
      busy.set(client, id)
      continue
    }
    const operation = all.get(id)
    if (operation === undefined || !underWay.delete(id)) return E.left({ tag: 'NotUnderWay', at, id, event: event.tag })
    busy.delete(operation.client)
    if (event.tag === 'ok') all.set(id, { ...operation, output: event.output, returned: at, required: true })
    if (event.tag === 'fail') failed.add(id)
  }
  return E.right([...all.values()].filter(({ id }) => !failed.has(id)))
}
