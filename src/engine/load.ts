// What is kept for an engine that starts, or begins again: the model's objects, and what is remembered beside them.

import type { Drivers } from '../drivers/registry.ts'
import { keyOf, sameObject } from '../kernel/object.ts'
import { type KernelState, stateOf } from '../kernel/state.ts'
import { loadModel } from '../model/codec.ts'
import type { CnmError } from '../model/error.ts'
import { freshModel } from '../model/model.ts'
import type { HostId } from '../model/types.ts'
import { getIn, hasIn } from '../net/pmap.ts'
import { E, type Either } from '../prelude.ts'
import type { StoreError } from '../store/error.ts'
import type { Entry, Store } from '../store/store.ts'
import { CONDEMNED, type Condemned, condemnedState, readCondemned } from './condemned.ts'
import { HOST_VALUES, type HostValues, readHostValues, valuesState } from './host-values.ts'
import { lastTurn, TURNS } from './journal.ts'
import { unavailable } from './problem.ts'
import { type Core, coreOf } from './step.ts'

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

const PARTS = ['network/', 'sandbox/', 'endpoint/', 'call/', HOST_VALUES, CONDEMNED, TURNS]

/** All of it that a store holds for itself. */
export const entriesIn = async (store: Store): Promise<Either<StoreError, ReadonlyArray<Entry>>> => {
  const entries: Entry[] = []
  for (const prefix of PARTS) {
    const listed = await store.list(prefix)()
    if (E.isLeft(listed)) return listed
    entries.push(...listed.right.entries)
  }
  return E.right(entries)
}

export const rememberedIn = (entries: ReadonlyArray<Entry>): Remembered => {
  const under = (prefix: string) => entries.filter(({ key }) => key.startsWith(prefix))
  return {
    values: readHostValues(under(HOST_VALUES)),
    condemned: readCondemned(under(CONDEMNED)),
    turn: lastTurn(under(TURNS)),
  }
}

/** Left: it is no model, or one that asks for the impossible. */
export const coreIn = (
  entries: ReadonlyArray<Entry>,
  host: HostId | null,
  drivers: Drivers,
): Either<CnmError, Core> => {
  const model = loadModel(freshModel(host), entries, drivers)
  return E.isLeft(model) ? E.left(unavailable(model.left)) : coreOf(drivers, model.right)
}
