// What the store holds, as a value, and what must be written for a turn to get there: the model's objects that changed, the
// host's own sysctls, namespaces that are to go, and the journal, all in one transaction. Nothing here writes.

import type { KernelState } from '../kernel/state.ts'
import { storedChanges } from '../model/codec.ts'
import type { Model } from '../model/types.ts'
import type { Write } from '../store/store.ts'
import { condemnedAfter, condemnedWrites } from './condemned.ts'
import { type HostValues, stillNeeded, valueWrites } from './host-values.ts'
import { checkpointWrites, type Deed, turnUnwrite, turnWrite } from './journal.ts'
import type { Remembered } from './load.ts'
import type { Core } from './step.ts'

/**
 * `model`: behind the engine's while a commit is under way, or after one that failed. `settled`: as the last turn that ended
 * left it; a turn under way may still be withdrawn. `turn`: that turn's number.
 */
export type Kept = Readonly<{ model: Model; settled: Model }> & Remembered

export const keptFrom = (model: Model, { values, condemned, turn }: Remembered): Kept => ({
  model,
  settled: model,
  values,
  condemned,
  turn,
})

/** Where a turn leads, seen from the host as it is believed to be and what we know of its sysctls. */
export type Passage = Readonly<{ before: Core; next: Core; believed: KernelState; values: HostValues }>

/** The journal's part: the turn under way has these deeds (none: it did not happen). Null: no journal is kept. */
const journalWrites = (
  { turn, settled }: Kept,
  checkpointTurns: number | null,
  deeds: ReadonlyArray<Deed>,
): ReadonlyArray<Write> => {
  if (checkpointTurns === null) return []
  const number = turn + 1
  if (deeds.length === 0) return [turnUnwrite(number)]
  return [turnWrite({ number, deeds }), ...checkpointWrites(turn, checkpointTurns, settled)]
}

/** What is to be written, and what the store holds once it is. */
export const recording = (
  kept: Kept,
  { before, next, believed, values }: Passage,
  deeds: ReadonlyArray<Deed>,
  checkpointTurns: number | null,
): Readonly<{ writes: ReadonlyArray<Write>; kept: Kept }> => {
  const needed = stillNeeded(values, [next.wanted.state, believed])
  const condemned = condemnedAfter(kept.condemned, before, next, believed)
  const changes = [
    ...storedChanges(kept.model, next.model),
    ...valueWrites(kept.values, needed),
    ...condemnedWrites(kept.condemned, condemned),
  ]
  const nothing = changes.length + deeds.length === 0
  return {
    writes: nothing ? [] : [...changes, ...journalWrites(kept, checkpointTurns, deeds)],
    kept: { ...kept, model: next.model, values: needed, condemned },
  }
}

/** After a turn that ended: what is in the store is in the kernel too. One without deeds is not counted. */
export const settled = (kept: Kept, model: Model, deeds: ReadonlyArray<Deed>): Kept => ({
  ...kept,
  settled: model,
  turn: deeds.length === 0 ? kept.turn : kept.turn + 1,
})
