// The commands of one turn, stepped one after the other: who was obeyed, and who was refused and why. Of a party, commands that
// came together, all are obeyed or none. Pure but for the callers it carries along, and the breath it takes among many.

import type { Drivers } from '../drivers/registry.ts'
import type { CnmError } from '../model/error.ts'
import type { PluginKey } from '../model/plugin/ledger.ts'
import { wishesBetween } from '../model/plugin/wanted.ts'
import type { Model } from '../model/types.ts'
import { E, type Either } from '../prelude.ts'
import type { Breathe } from './breathe.ts'
import type { Waiting } from './inbox.ts'
import type { Deed } from './journal.ts'
import { type Core, type Step, step } from './step.ts'

/** `wishes`: where plugins should hold something else after it than before. */
export type Done = Readonly<{ waiting: Waiting; before: Model; after: Model; wishes: ReadonlyArray<PluginKey> }> &
  Omit<Step, 'core'>
export type Refused = Readonly<{ waiting: Waiting; error: CnmError }>
export type Stepped = Readonly<{ core: Core; done: ReadonlyArray<Done>; refused: ReadonlyArray<Refused> }>

const partiesOf = (batch: ReadonlyArray<Waiting>): ReadonlyArray<ReadonlyArray<Waiting>> => {
  const parties: Waiting[][] = []
  for (const waiting of batch) {
    const last = parties.at(-1)
    if (last?.[0]?.party === waiting.party) last.push(waiting)
    else parties.push([waiting])
  }
  return parties
}

/** Parts of so many commands at most, in their order; a party stays whole, however large. */
export const inParts = (batch: ReadonlyArray<Waiting>, most: number): ReadonlyArray<ReadonlyArray<Waiting>> => {
  if (batch.length <= most) return [batch]
  const parts: Waiting[][] = []
  for (const party of partiesOf(batch)) {
    const last = parts.at(-1)
    if (last !== undefined && last.length + party.length <= most) last.push(...party)
    else parts.push([...party])
  }
  return parts
}

/** Left: why the first to be refused is. */
const stepParty = (
  drivers: Drivers,
  from: Core,
  party: ReadonlyArray<Waiting>,
): Either<CnmError, Omit<Stepped, 'refused'>> => {
  let core = from
  const done: Done[] = []
  for (const waiting of party) {
    const taken = step(drivers, core, waiting.command)
    if (E.isLeft(taken)) return taken
    const { core: next, ...deed } = taken.right
    const [before, after] = [core.model, next.model]
    // Without calls there is no network of a plugin (model/plugin/requests.ts).
    const hasCalls = before.ledger.calls.root !== null || after.ledger.calls.root !== null
    core = next
    done.push({ waiting, before, after, wishes: hasCalls ? wishesBetween(before, after) : [], ...deed })
  }
  return E.right({ core, done })
}

/** So many take a millisecond at most, also while the code is not warm. */
const COMMANDS_AT_A_STRETCH = 8

/** Between the stretches of a turn, where a batch is more than others should wait for. */
export const pauseOf = (batch: ReadonlyArray<Waiting>, breathe: Breathe): Breathe =>
  batch.length > COMMANDS_AT_A_STRETCH ? breathe : () => Promise.resolve()

export const stepAll = async (
  drivers: Drivers,
  from: Core,
  batch: ReadonlyArray<Waiting>,
  breathe: Breathe,
): Promise<Stepped> => {
  let core = from
  let stretch = 0
  const done: Done[] = []
  const refused: Refused[] = []
  for (const party of partiesOf(batch)) {
    if (stretch >= COMMANDS_AT_A_STRETCH) {
      stretch = 0
      await breathe()
    }
    stretch += party.length
    const taken = stepParty(drivers, core, party)
    if (E.isLeft(taken)) {
      for (const waiting of party) refused.push({ waiting, error: taken.left })
      continue
    }
    core = taken.right.core
    for (const each of taken.right.done) done.push(each)
  }
  return { core, done, refused }
}

/** Those who are to blame, each with its reason, and who came with them, for the reason of the first of their party. */
export const withParties = (
  done: ReadonlyArray<Done>,
  blamed: ReadonlyMap<Done, CnmError>,
): ReadonlyArray<readonly [Waiting, CnmError]> => {
  const reasons = new Map<symbol, CnmError>()
  for (const [{ waiting }, error] of blamed) if (!reasons.has(waiting.party)) reasons.set(waiting.party, error)
  return done.flatMap((each) => {
    const reason = blamed.get(each) ?? reasons.get(each.waiting.party)
    return reason === undefined ? [] : [[each.waiting, reason]]
  })
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
