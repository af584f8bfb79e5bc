// Which hosts were cleared, as operations of a history: known by what a watcher saw in the store, and never later than that; since the
// trouble began that made it so.

import type { Operation } from '../../../src/history/event.ts'
import type { Said } from './protocol.ts'
import type { In, Out } from './spec.ts'

type Wrote = Extract<Said, { tag: 'wrote' }>
type Clear = { readonly id: number; readonly host: string; readonly called: number; returned: number }

export type Clears = Readonly<{
  hear: (wrote: Wrote) => void
  operations: () => ReadonlyArray<Operation<In, Out>>
  count: () => number
  /** Clears for which there was no reason. */
  wrong: () => ReadonlyArray<string>
}>

const FENCE = 'fence/'
const MEMBER = 'g/member/'

/**
 * `since`: before what has happened that is heard now, as a place in the history, or null if there was no trouble yet; `now`: the present
 * place.
 */
export const clearsSeen = (since: () => number | null, now: () => number): Clears => {
  const clears: Clear[] = []
  const wrong: string[] = []
  const begin = (host: string): void => {
    const called = since()
    if (called === null) wrong.push(`host ${host} was cleared, and nothing was wrong`)
    clears.push({ id: -1 - clears.length, host, called: called ?? now(), returned: Number.POSITIVE_INFINITY })
  }
  const end = (host: string): void => {
    for (const clear of clears) if (clear.host === host && clear.returned === Infinity) clear.returned = now()
  }
  return {
    hear: ({ writes }) => {
      for (const { key, value } of writes) {
        if (key.startsWith(FENCE)) {
          const host = key.slice(FENCE.length)
          if (value === null) begin(host)
          // It writes again, and who cleared it does not any more.
          else end(host)
        }
        // The last thing that a clear writes.
        if (key.startsWith(MEMBER) && value !== 'mortal') end(key.slice(MEMBER.length))
      }
    },
    operations: () =>
      clears.map(({ id, host, called, returned }) => ({
        ...{ id, called, returned, client: 'the others', output: { said: 'done', ip: null }, required: false },
        input: { do: 'clear', host },
      })),
    count: () => clears.length,
    wrong: () => wrong,
  }
}
