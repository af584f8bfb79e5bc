// What a store holds for an engine that starts: the model's objects, and what is remembered beside them.

import { keyOf, sameObject } from '../kernel/object.ts'
import { type KernelState, stateOf } from '../kernel/state.ts'
import { getIn, hasIn } from '../net/pmap.ts'
import { E, type Either } from '../prelude.ts'
import type { StoreError } from '../store/error.ts'
import type { Entry, Store } from '../store/store.ts'
import { CONDEMNED, type Condemned, condemnedState, readCondemned } from './condemned.ts'
import { HOST_VALUES, type HostValues, readHostValues, valuesState } from './host-values.ts'
import { lastTurn, TURNS } from './journal.ts'

/** The host's own sysctls, the namespaces that are to go, and the number of the last turn. */
export type Remembered = Readonly<{ values: HostValues; condemned: Condemned; turn: number }>

/** What may still be there of what is not wanted any more, or otherwise: namespaces that are to go, sysctls that are to go back. */
export const leftBehind = ({ condemned, values }: Remembered, wanted: KernelState): KernelState =>
  stateOf([
    ...condemnedState(condemned).filter((netns) => {
      const goal = getIn(wanted, keyOf(netns))
      return goal === undefined || !sameObject(netns, goal)
    }),
    ...valuesState(values).filter((sysctl) => !hasIn(wanted, keyOf(sysctl))),
  ])

type Listed<A> = Promise<Either<StoreError, A>>

const entriesUnder = async (store: Store, prefixes: ReadonlyArray<string>): Listed<ReadonlyArray<Entry>> => {
  const entries: Entry[] = []
  for (const prefix of prefixes) {
    const listed = await store.list(prefix)()
    if (E.isLeft(listed)) return listed
    entries.push(...listed.right.entries)
  }
  return E.right(entries)
}

export const modelIn = (store: Store): Listed<ReadonlyArray<Entry>> =>
  entriesUnder(store, ['network/', 'sandbox/', 'endpoint/', 'call/'])

export const rememberedIn = async (store: Store): Listed<Remembered> => {
  const values = await entriesUnder(store, [HOST_VALUES])
  if (E.isLeft(values)) return values
  const condemned = await entriesUnder(store, [CONDEMNED])
  if (E.isLeft(condemned)) return condemned
  const turns = await entriesUnder(store, [TURNS])
  if (E.isLeft(turns)) return turns
  return E.right({
    values: readHostValues(values.right),
    condemned: readCondemned(condemned.right),
    turn: lastTurn(turns.right),
  })
}
