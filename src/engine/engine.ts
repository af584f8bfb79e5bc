// The one writer of a host, and the only imperative part: commands wait in an inbox; a turn takes all that wait, steps them
// in order, commits them in one store transaction, applies them to the kernel in one pass, and answers each caller after
// both. See docs/decisions/0002-refusals-withdraw.md for what happens when the kernel says no.

import { DRIVERS, type Drivers } from '../drivers/registry.ts'
import type { Kernel, Refusal } from '../kernel/kernel.ts'
import type { ObjectKey } from '../kernel/object.ts'
import type { KernelOp } from '../kernel/op.ts'
import { isTraceable } from '../kernel/owned.ts'
import { EMPTY_STATE, type KernelState } from '../kernel/state.ts'
import { loadModel } from '../model/codec.ts'
import type { Command, Owner } from '../model/command.ts'
import type { CnmError } from '../model/error.ts'
import { violations } from '../model/invariants.ts'
import { freshModel } from '../model/model.ts'
import type { Model } from '../model/types.ts'
import { E, type Either } from '../prelude.ts'
import { memoryStore } from '../store/memory.ts'
import type { Store } from '../store/store.ts'
import { type Done, deedsOf, pauseOf, reasonFor, stepAll, withParties } from './batch.ts'
import { blame, inWords, ownersOf, refusedWishes } from './blame.ts'
import { type Breathe, systemBreath } from './breathe.ts'
import { foresee, operations, type Preview } from './foresee.ts'
import { type Applied, makeHost } from './host.ts'
import { type Answer, makeInbox, type SubmitOptions, type Waiting } from './inbox.ts'
import { inform } from './inform.ts'
import type { Deed, Turn } from './journal.ts'
import { leftBehind, modelIn, type Remembered, rememberedIn } from './load.ts'
import { makeCallers } from './plugin/callers.ts'
import { makeCalls } from './plugin/calls.ts'
import { type After, type Plugins, systemTime } from './plugin/port.ts'
import { storeProblem, unavailable } from './problem.ts'
import { keptFrom, recording, settled } from './record.ts'
import { type Core, coreOf, FRESH_CORE, step } from './step.ts'
import { ownersOfKey } from './wanted.ts'

export type { Preview } from './foresee.ts'
export type { Answer, SubmitOptions } from './inbox.ts'

export type Engine = Readonly<{
  /** Answers in the order of the commands. They share turns with whatever else waits. */
  submit: (commands: ReadonlyArray<Command>, options?: SubmitOptions) => Promise<ReadonlyArray<Answer>>
  model: () => Model
  /** The host as it should be. */
  wanted: () => KernelState
  /** Who wants an object of it. */
  ownersOf: (key: ObjectKey) => ReadonlyArray<Owner>
  /** What these commands would do, if they came now; nothing is done. Left: why the first would be refused that would be. */
  preview: (commands: ReadonlyArray<Command>) => Promise<Either<CnmError, Preview>>
  /** Looks at the kernel. Right: the operations that a sweep would do. */
  differences: () => Promise<Either<CnmError, ReadonlyArray<KernelOp>>>
  /**
   * Looks at the kernel and repairs what differs from what is wanted; what it refuses is given up. Right: how many
   * operations that took.
   */
  sweep: () => Promise<Either<CnmError, number>>
  /** Tells of every turn that changed something, once it is in the store and the kernel. Returns how to stop. */
  listen: (hear: (turn: Turn) => void) => () => void
  /**
   * Takes no more commands, ends the turn under way and answers all that wait, then lets go of the store. Calls of
   * plugins that nobody waits for are left to the next start.
   */
  close: () => Promise<void>
}>

export type EngineOptions = Readonly<{
  kernel: Kernel
  store?: Store
  drivers?: Drivers
  /** Checks the model's invariants after each turn and throws on a violation; for tests and simulations. */
  check?: boolean
  /** Keeps a journal in the store, with a checkpoint every so many turns (see journal.ts). */
  checkpointTurns?: number
  /** How many commands may wait, for a turn or for plugins; beyond that, new ones are refused as busy. */
  maxWaiting?: number
  /** Who makes what networks of remote drivers are made of. Absent: nobody is called or waited for; all that stays owed. */
  plugins?: Plugins
  /** How long a plugin may take to answer. */
  callDeadlineMs?: number
  /** The time by which deadlines and pauses go. */
  after?: After
  /** Between the stretches of a long turn. */
  breathe?: Breathe
}>

const MAX_WAITING = 100_000
/** After so long libnetwork gives up calling a plugin, too. */
const CALL_DEADLINE_MS = 30_000

/** What an engine begins with: its core, what it believes to be there, and what it remembers beside the model. */
type Start = Readonly<{ core: Core; believed: KernelState }> & Remembered
const FRESH: Start = {
  core: FRESH_CORE,
  believed: EMPTY_STATE,
  values: new Map(),
  condemned: new Map(),
  turn: 0,
}

const makeEngine = (options: EngineOptions, start: Start): Engine => {
  const { kernel, drivers = DRIVERS, store = memoryStore(), check = false } = options
  const { checkpointTurns = null, maxWaiting = MAX_WAITING } = options
  const { plugins, callDeadlineMs = CALL_DEADLINE_MS, after = systemTime, breathe = systemBreath } = options
  let { core } = start
  let kept = keptFrom(core.model, start)
  const host = makeHost(kernel, start)
  const callers = makeCallers(core.model)
  const listeners = new Set<(turn: Turn) => void>()

  /** Makes `next` the truth, here and in the store. Left: it is not, and nothing changed. */
  const commit = async (next: Core, deeds: ReadonlyArray<Deed>): Promise<CnmError | null> => {
    const passage = { before: core, next, believed: host.believed(), values: host.values() }
    const { writes, kept: then } = recording(kept, passage, deeds, checkpointTurns)
    const committed = writes.length === 0 ? E.right(0) : await store.transact({ compares: [], writes })()
    if (E.isLeft(committed)) return storeProblem(committed.left)
    kept = then
    host.forget(next.wanted.state)
    core = next
    return null
  }

  /** Goes back to a former core. If the store cannot follow, the next commit takes it along. */
  const revert = async (former: Core): Promise<void> => {
    await commit(former, [])
    core = former
  }

  /** Ends a turn: it is in the store and in the kernel. */
  const conclude = (deeds: ReadonlyArray<Deed>): void => {
    kept = settled(kept, core.model, deeds)
    host.forget(core.wanted.state)
    if (deeds.length === 0) return
    const turn = { number: kept.turn, deeds }
    for (const hear of listeners) hear(turn)
  }

  /** What follows a turn that ended: calls that are owed now, and callers who have waited for it. */
  const followUp = (done: ReadonlyArray<Done>): void => {
    if (calls === null) {
      for (const { waiting, events } of done) waiting.resolve(E.right(events))
      return
    }
    calls.follow(core.model.ledger)
    callers.hear(done, core.model)
    for (const { wishes } of done) wishes.forEach(calls.hurry)
  }

  /** Tells the model of refusals that no waiting command is to blame for; it gives up the owners (model/decide). */
  const giveUp = async (refusals: ReadonlyArray<Refusal>): Promise<CnmError | null> => {
    let next = core
    const deeds: Deed[] = []
    for (const refusal of refusals)
      for (const owner of ownersOf(core.wanted, refusal)) {
        const command: Command = { tag: 'KernelRefused', owner, ...inWords(refusal) }
        const taken = step(drivers, next, command)
        if (E.isLeft(taken)) continue
        next = taken.right.core
        deeds.push({ command, events: taken.right.events })
      }
    const failed = await commit(next, deeds)
    if (failed !== null) return failed
    const applied = await host.apply(core.wanted.state)
    conclude(deeds)
    if (E.isLeft(applied)) return applied.left
    followUp([])
    return null
  }

  /**
   * Into the store and into the kernel: first on record, then done, unless what is done can be told for ours without the record.
   * Left: neither happened, or nobody knows.
   */
  const enact = async (next: Core, deeds: ReadonlyArray<Deed>, pause: Breathe): Promise<Either<CnmError, Applied>> => {
    const wanted = next.wanted.state
    const plan = host.plan(wanted)
    await pause()
    const committing = commit(next, deeds)
    const applying = kernel.marksAtOnce && plan.every(isTraceable) ? host.apply(wanted, plan) : null
    const failed = await committing
    if (failed === null) return applying ?? host.apply(wanted, plan)
    if (applying === null) return E.left(failed)
    await applying
    const undone = await host.apply(core.wanted.state)
    return E.isLeft(undone) ? undone : E.left(failed)
  }

  /**
   * One turn. Commands whose objects the kernel refuses are withdrawn, and those that came together with one: the turn is
   * decided again without them, from the model as it was before, and the next diff takes back what was half done.
   */
  const turn = async (waiting: ReadonlyArray<Waiting>): Promise<void> => {
    const before = core
    const told = await inform(
      host,
      drivers,
      before.model,
      waiting.map(({ command }) => command),
    )
    if (E.isLeft(told)) {
      for (const { resolve } of waiting) resolve(told)
      return
    }
    const batch = waiting.map((each, i) => ({ ...each, command: told.right[i] ?? each.command }))
    const withdrawn = new Map<Waiting, CnmError>()
    for (;;) {
      const left = batch.filter((waiting) => !withdrawn.has(waiting))
      const pause = pauseOf(left, breathe)
      const { core: next, done, refused } = await stepAll(drivers, before, left, breathe)
      const deeds = deedsOf(done)
      await pause()
      const unknown = await host.learn(core.wanted.state, next.wanted.state)
      const applied = unknown === null ? await enact(next, deeds, pause) : E.left(unknown)
      if (E.isLeft(applied)) {
        await revert(before)
        for (const { waiting } of done) waiting.resolve(applied)
        // Who was refused after one of those may have been so for what has not happened.
        for (const { waiting, error } of refused) waiting.resolve(done.length === 0 ? E.left(error) : applied)
        for (const [waiting, error] of withdrawn) waiting.resolve(E.left(error))
        return
      }
      const wishes = refusedWishes(applied.right.refusals)
      const blamed = blame(core.wanted, done, wishes)
      for (const [waiting, error] of withParties(done, blamed)) withdrawn.set(waiting, error)
      if (blamed.size > 0) continue
      conclude(deeds)
      for (const [waiting, error] of withdrawn) waiting.resolve(E.left(error))
      for (const { waiting, error } of refused) waiting.resolve(E.left(reasonFor(error, withdrawn)))
      followUp(done)
      if (wishes.length > 0) await giveUp(wishes)
      return
    }
  }

  const safely = async (batch: ReadonlyArray<Waiting>): Promise<void> => {
    const before = core
    try {
      await turn(batch)
    } catch (defect) {
      core = before
      for (const { reject } of batch) reject(defect)
      return
    }
    const wrong = check ? violations(core.model) : []
    if (wrong.length > 0) throw new Error(`the model is unsound: ${wrong.join('; ')}`)
  }

  const sweep = async (): Promise<Either<CnmError, number>> => {
    const failed = await host.look(core.wanted.state)
    if (failed !== null) return E.left(failed)
    const regained = await host.regain(core.wanted.state)
    if (E.isLeft(regained)) return regained
    const applied = await host.apply(core.wanted.state)
    if (E.isLeft(applied)) return applied
    const wishes = refusedWishes(applied.right.refusals)
    const lost = wishes.length > 0 ? await giveUp(wishes) : null
    if (lost === null) followUp([])
    return lost === null ? E.right(regained.right + applied.right.ops) : E.left(lost)
  }

  const differences = async (): Promise<Either<CnmError, ReadonlyArray<KernelOp>>> => {
    const failed = await host.look(core.wanted.state)
    return failed === null ? E.right(operations(host.believed(), core.wanted.state, host.values())) : E.left(failed)
  }

  const preview: Engine['preview'] = async (commands) => {
    const told = await inform(host, drivers, core.model, commands)
    if (E.isLeft(told)) return told
    return foresee(drivers, { core, believed: host.believed(), values: host.values() }, told.right)
  }

  /** Every call has its deadline, so every caller is answered; what is owed then is for the next start. */
  const settle = async (): Promise<void> => {
    await callers.idle()
    calls?.stop()
  }

  const inbox = makeInbox(maxWaiting, callers.count, safely)
  const calls =
    plugins === undefined
      ? null
      : makeCalls({ plugins, deadlineMs: callDeadlineMs, after, tell: inbox.tell, fail: callers.reject })

  return {
    submit: inbox.submit,
    model: () => core.model,
    wanted: () => core.wanted.state,
    ownersOf: (key) => ownersOfKey(core.wanted, key),
    preview,
    differences: () => inbox.inTurn(differences),
    sweep: () => inbox.inTurn(sweep),
    listen: (hear) => {
      listeners.add(hear)
      return () => {
        listeners.delete(hear)
      }
    },
    close: () =>
      inbox.close(settle, async () => {
        await commit(core, [])
        // Who opens the store next looks at the kernel.
        await kernel.settled()
        await store.close()
      }),
  }
}

/** An engine that knows nothing yet, on a host without objects of ours. */
export const freshEngine = (options: EngineOptions): Engine => makeEngine(options, FRESH)

/**
 * Recovery: load what the store holds, look at what the kernel holds, and bring one to the other. What the kernel refuses to
 * hold any more is given up. Left: the store or the kernel cannot be asked, or the store holds what cannot be.
 */
export const openEngine = async (options: EngineOptions & { store: Store }): Promise<Either<CnmError, Engine>> => {
  const { store, drivers = DRIVERS } = options
  const loaded = await modelIn(store)
  if (E.isLeft(loaded)) return E.left(storeProblem(loaded.left))
  const remembered = await rememberedIn(store)
  if (E.isLeft(remembered)) return E.left(storeProblem(remembered.left))
  const model = loadModel(freshModel(), loaded.right, drivers)
  if (E.isLeft(model)) return E.left(unavailable(model.left))
  const core = coreOf(drivers, model.right)
  if (E.isLeft(core)) return core
  const believed = leftBehind(remembered.right, core.right.wanted.state)
  const engine = makeEngine(options, { core: core.right, believed, ...remembered.right })
  const swept = await engine.sweep()
  return E.isLeft(swept) ? swept : E.right(engine)
}
