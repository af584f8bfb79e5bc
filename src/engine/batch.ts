// The commands of one turn, stepped one after the other: who was obeyed, and who was refused and why. Pure but for the
// callers it carries along.

import type { Drivers } from '../drivers/registry.ts'
import type { CnmError } from '../model/error.ts'
import type { PluginKey } from '../model/plugin/ledger.ts'
import { wishesBetween } from '../model/plugin/wanted.ts'
import type { Model } from '../model/types.ts'
import { E } from '../prelude.ts'
import type { Waiting } from './inbox.ts'
import type { Deed } from './journal.ts'
import { type Core, type Step, step } from './step.ts'

/** `wishes`: where plugins should hold something else after it than before. */
export type Done = Readonly<{ waiting: Waiting; before: Model; after: Model; wishes: ReadonlyArray<PluginKey> }> &
  Omit<Step, 'core'>
export type Refused = Readonly<{ waiting: Waiting; error: CnmError }>
export type Stepped = Readonly<{ core: Core; done: ReadonlyArray<Done>; refused: ReadonlyArray<Refused> }>

export const stepAll = (drivers: Drivers, from: Core, batch: ReadonlyArray<Waiting>): Stepped => {
  let core = from
  const done: Done[] = []
  const refused: Refused[] = []
  for (const waiting of batch) {
    const taken = step(drivers, core, waiting.command)
    if (E.isLeft(taken)) {
      refused.push({ waiting, error: taken.left })
      continue
    }
    const { core: next, ...deed } = taken.right
    const [before, after] = [core.model, next.model]
    // Without calls there is no network of a plugin (model/plugin/requests.ts).
    const hasCalls = before.ledger.calls.root !== null || after.ledger.calls.root !== null
    core = next
    done.push({ waiting, before, after, wishes: hasCalls ? wishesBetween(before, after) : [], ...deed })
  }
  return { core, done, refused }
}

/** What goes into the journal: commands that changed something. */
export const deedsOf = (done: ReadonlyArray<Done>): ReadonlyArray<Deed> =>
  done.flatMap(({ waiting, events }) => (events.length === 0 ? [] : [{ command: waiting.command, events }]))

/** Why a command is refused: if what it names was to be made by a withdrawn one, for that one's reason. */
export const reasonFor = (error: CnmError, withdrawn: ReadonlyMap<Waiting, CnmError>): CnmError => {
  if (error.tag !== 'NotFound') return error
  for (const [{ command }, reason] of withdrawn)
    if (command.tag.startsWith('Create') && 'id' in command && command.id === error.id) return reason
  return error
}
