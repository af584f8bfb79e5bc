// One turn of an engine: commands are decided one after the other, kept in one transaction, and done in the kernel in one pass; who gave
// them is answered after both. See docs/decisions/0002-refusals-withdraw.md for what happens when the kernel says no, and 0016-many-hosts.md for
// what others change meanwhile.

import type { Drivers } from '../drivers/registry.ts'
import type { Kernel, Refusal } from '../kernel/kernel.ts'
import { isTraceable } from '../kernel/owned.ts'
import type { Command } from '../model/command.ts'
import type { CnmError } from '../model/error.ts'
import { E, type Either } from '../prelude.ts'
import { type Done, deedsOf, inParts, pauseOf, reasonFor, type Stepped, stepAll, withParties } from './batch.ts'
import { blame, inWords, ownersOf, refusedWishes } from './blame.ts'
import type { Breathe } from './breathe.ts'
import type { Applied, Host } from './host.ts'
import type { Waiting } from './inbox.ts'
import { inform } from './inform.ts'
import type { Deed } from './journal.ts'
import type { Keeper } from './keeper.ts'
import { unavailable } from './problem.ts'
import { type Core, step } from './step.ts'
import type { Failure, Truth } from './truth.ts'

export type TurnParts = Readonly<{
  drivers: Drivers
  kernel: Kernel
  host: Host
  keeper: Keeper
  truth: Truth
  breathe: Breathe
  /** It is in the store and in the kernel. */
  conclude: (deeds: ReadonlyArray<Deed>) => void
  /** What follows a turn that ended. */
  followUp: (done: ReadonlyArray<Done>) => void
}>

export type Turns = Readonly<{
  /** The turn of these commands. Each is answered. */
  take: (waiting: ReadonlyArray<Waiting>) => Promise<void>
  /** Tells the model of refusals that no waiting command is to blame for; it gives up the owners (model/decide). */
  giveUp: (refusals: ReadonlyArray<Refusal>) => Promise<CnmError | null>
}>

/** A turn is decided anew so often when others change what it rests on; each time one of them got on. */
const MAX_ATTEMPTS = 100
/** Turns of as many commands as went through before have one more, each ten times. */
const MORE_EACH_TIME = 0.1
const CROWDED = unavailable('other hosts changed what this rests on again and again', 'try again later')
const UNKNOWN = unavailable(
  'the shared store was lost and read again meanwhile',
  'look what is there before you repeat this',
)

const asError = (failure: Failure): CnmError => (failure.why === 'changed' ? CROWDED : failure.error)
const lasting = (error: CnmError): Failure => ({ why: 'failed', error })

/** A turn under way. `before`: from where it is decided; `isCurrent`: nothing is unheard of what others did before it began. */
type Attempt = Readonly<{
  batch: ReadonlyArray<Waiting>
  before: Core
  withdrawn: ReadonlyMap<Waiting, CnmError>
  isCurrent: boolean
  number: number
}>

export const makeTurns = (parts: TurnParts): Turns => {
  const { drivers, kernel, host, keeper, truth, breathe, conclude, followUp } = parts
  const isAlone = keeper.host === null
  /** Commands of one turn: as far as the store takes what they write in one transaction. */
  let most = Number.POSITIVE_INFINITY

  const giveUp: Turns['giveUp'] = async (refusals) => {
    const { wanted } = truth.core()
    let next = truth.core()
    const deeds: Deed[] = []
    for (const refusal of refusals)
      for (const owner of ownersOf(wanted, refusal)) {
        const command: Command = { tag: 'KernelRefused', owner, ...inWords(refusal) }
        const taken = step(drivers, next, command)
        if (E.isLeft(taken)) continue
        next = taken.right.core
        deeds.push({ command, events: taken.right.events })
      }
    const failed = await truth.commit(next, deeds)
    if (failed !== null) return asError(failed)
    const applied = await host.apply(next.wanted.state)
    conclude(deeds)
    if (E.isLeft(applied)) return applied.left
    followUp([])
    return null
  }

  /**
   * Into the store and into the kernel: first on record, then done, unless what is done can be told for ours without the record.
   * Left: neither happened, or nobody knows.
   */
  const enact = async (next: Core, deeds: ReadonlyArray<Deed>, pause: Breathe): Promise<Either<Failure, Applied>> => {
    const wanted = next.wanted.state
    const unknown = await host.learn(truth.core().wanted.state, wanted)
    if (unknown !== null) return E.left(lasting(unknown))
    const plan = host.plan(wanted)
    await pause()
    const committing = truth.commit(next, deeds)
    const applying = isAlone && kernel.marksAtOnce && plan.every(isTraceable) ? host.apply(wanted, plan) : null
    const failed = await committing
    if (failed === null) return E.mapLeft(lasting)(await (applying ?? host.apply(wanted, plan)))
    if (applying === null) return E.left(failed)
    await applying
    const undone = await host.apply(truth.core().wanted.state)
    return E.isLeft(undone) ? E.left(lasting(undone.left)) : E.left(failed)
  }

  /** The end of a turn that failed for all. */
  const giveBack = async (
    { before, withdrawn, isCurrent }: Attempt,
    { done, refused }: Stepped,
    error: CnmError,
  ): Promise<void> => {
    await truth.revert(before)
    for (const { waiting } of done) waiting.resolve(E.left(error))
    // Who was refused after one of those may have been so for what has not happened; or for what others have changed unheard.
    const isSo = isCurrent && done.length === 0
    for (const each of refused) each.waiting.resolve(E.left(isSo ? each.error : error))
    for (const [waiting, reason] of withdrawn) waiting.resolve(E.left(reason))
  }

  /** The turn, from what others have made of it meanwhile. Null: it is over. */
  const renewed = async (attempt: Attempt, stepped: Stepped): Promise<Attempt | null> => {
    const beginnings = truth.beginnings()
    const heard = await truth.catchUp(attempt.before)
    if (E.isLeft(heard)) {
      await giveBack(attempt, stepped, heard.left)
      return null
    }
    const next = { ...attempt, before: heard.right, isCurrent: true, number: attempt.number + 1 }
    // What was kept of those who are withdrawn is taken for granted then.
    if (attempt.withdrawn.size === 0 || truth.beginnings() === beginnings) return next
    await giveBack({ ...next, isCurrent: false }, stepped, UNKNOWN)
    return null
  }

  const failedAt = async (attempt: Attempt, stepped: Stepped, failure: Failure): Promise<Attempt | null> => {
    if (failure.why === 'changed' && attempt.number < MAX_ATTEMPTS) return renewed(attempt, stepped)
    if (failure.why !== 'too large' || attempt.withdrawn.size > 0) return failedForAll(attempt, stepped, failure)
    most = Math.max(1, Math.floor(attempt.batch.length * failure.share))
    const parts = inParts(attempt.batch, most)
    if (parts.length === 1) return failedForAll(attempt, stepped, failure)
    await truth.revert(attempt.before)
    for (const part of parts) await turn(part, truth.core())
    return null
  }

  const failedForAll = async (attempt: Attempt, stepped: Stepped, failure: Failure): Promise<null> => {
    await giveBack(attempt, stepped, asError(failure))
    return null
  }

  /**
   * Commands whose objects the kernel refuses are withdrawn, and those that came together with one: the turn is decided again without
   * them, from the model as it was before, and the next diff takes back what was half done. It is decided again, too, where others have
   * changed what it rests on. Nobody is refused, or told that it is so already, for what others may have changed unheard: no transaction
   * would find that out. Null: the turn is over.
   */
  const attempted = async (attempt: Attempt): Promise<Attempt | null> => {
    const left = attempt.batch.filter((waiting) => !attempt.withdrawn.has(waiting))
    const pause = pauseOf(left, breathe)
    const stepped = await stepAll(drivers, attempt.before, left, breathe)
    const { core: next, done, refused } = stepped
    const changesNothing = refused.length > 0 || done.some(({ events }) => events.length === 0)
    if (changesNothing && !attempt.isCurrent) {
      const again = await renewed(attempt, stepped)
      if (again === null || again.before !== attempt.before) return again
    }
    const deeds = deedsOf(done)
    await pause()
    const applied = await enact(next, deeds, pause)
    if (E.isLeft(applied)) return failedAt(attempt, stepped, applied.left)
    const wishes = refusedWishes(applied.right.refusals)
    const blamed = withParties(done, blame(truth.core().wanted, done, wishes))
    const withdrawn = new Map([...attempt.withdrawn, ...blamed])
    if (blamed.length > 0) return { ...attempt, withdrawn, number: attempt.number + 1 }
    conclude(deeds)
    for (const [waiting, error] of withdrawn) waiting.resolve(E.left(error))
    for (const { waiting, error } of refused) waiting.resolve(E.left(reasonFor(error, withdrawn)))
    followUp(done)
    if (wishes.length > 0) await giveUp(wishes)
    return null
  }

  const turn = async (batch: ReadonlyArray<Waiting>, before: Core): Promise<void> => {
    let attempt: Attempt | null = { batch, before, withdrawn: new Map(), isCurrent: isAlone, number: 1 }
    while (attempt !== null) attempt = await attempted(attempt)
  }

  const refuse = (waiting: ReadonlyArray<Waiting>, error: CnmError): void => {
    for (const { resolve } of waiting) resolve(E.left(error))
  }

  /** What others did is heard first, and what the host is like. */
  const take: Turns['take'] = async (waiting) => {
    const heard = await truth.absorb(truth.core())
    const commands = waiting.map(({ command }) => command)
    if (E.isLeft(heard)) return refuse(waiting, heard.left)
    const told = await inform(host, drivers, heard.right.model, commands)
    if (E.isLeft(told)) return refuse(waiting, told.left)
    const batch = waiting.map((each, i) => ({ ...each, command: told.right[i] ?? each.command }))
    const parts = inParts(batch, Math.floor(most))
    for (const part of parts) await turn(part, truth.core())
    // What was too large once was so for what was in it; others may fit.
    if (parts.length > 1) most += MORE_EACH_TIME
  }

  return { take, giveUp }
}
