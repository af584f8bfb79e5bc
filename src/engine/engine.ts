// The one writer of a host, and the only imperative part: commands wait in an inbox; a turn takes all that wait, steps them
// in order, commits them in one store transaction, applies them to the kernel in one pass, and answers each caller after
// both. See docs/decisions/0002-refusals-withdraw.md for what happens when the kernel says no.

import type { Membership } from '../cluster/membership.ts'
import { DRIVERS, type Drivers } from '../drivers/registry.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { ObjectKey } from '../kernel/object.ts'
import type { KernelOp } from '../kernel/op.ts'
import { EMPTY_STATE, type KernelState } from '../kernel/state.ts'
import type { Command, Owner } from '../model/command.ts'
import type { CnmError } from '../model/error.ts'
import { violations } from '../model/invariants.ts'
import type { Model } from '../model/types.ts'
import { E, type Either } from '../prelude.ts'
import { memoryStore } from '../store/memory.ts'
import type { Store } from '../store/store.ts'
import type { Done } from './batch.ts'
import { refusedWishes } from './blame.ts'
import { type Breathe, systemBreath } from './breathe.ts'
import { foresee, operations, type Preview } from './foresee.ts'
import { makeHost } from './host.ts'
import { type Answer, makeInbox, type SubmitOptions, type Waiting } from './inbox.ts'
import { inform } from './inform.ts'
import type { Deed, Turn } from './journal.ts'
import { clusterKeeper, soleKeeper } from './keeper.ts'
import { coreIn, leftBehind, type Remembered, rememberedIn } from './load.ts'
import { makeCallers } from './plugin/callers.ts'
import { makeCalls } from './plugin/calls.ts'
import { type After, type Plugins, systemTime } from './plugin/port.ts'
import { storeProblem } from './problem.ts'
import { type Core, FRESH_CORE } from './step.ts'
import { makeTruth } from './truth.ts'
import { makeTurns } from './turn.ts'
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
  /** A store that other hosts share, in the place of one of its own. */
  cluster?: Membership
  drivers?: Drivers
  /** Checks the model's invariants after each turn and throws on a violation; for tests and simulations. */
  check?: boolean
  /** Keeps a journal in the store (of one host), with a checkpoint every so many turns (see journal.ts). */
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
/** Until what is kept is asked for again, when it could not be read, or done, when the kernel could not be asked. */
const RETRY_MS = 1000
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
  const { checkpointTurns = null, maxWaiting = MAX_WAITING, cluster } = options
  const { plugins, callDeadlineMs = CALL_DEADLINE_MS, after = systemTime, breathe = systemBreath } = options
  const keeper = cluster === undefined ? soleKeeper(store) : clusterKeeper(cluster)
  const host = makeHost(kernel, start)
  const truth = makeTruth(keeper, drivers, host, keeper.host === null ? checkpointTurns : null, start)
  const callers = makeCallers(start.core.model)
  const listeners = new Set<(turn: Turn) => void>()

  /** Ends a turn: it is in the store and in the kernel. */
  const conclude = (deeds: ReadonlyArray<Deed>): void => {
    truth.settle(deeds)
    if (deeds.length === 0) return
    const turn = { number: truth.turn(), deeds }
    for (const hear of listeners) hear(turn)
  }

  /** What follows a turn that ended: calls that are owed now, and callers who have waited for it. */
  const followUp = (done: ReadonlyArray<Done>): void => {
    if (calls === null) {
      for (const { waiting, events } of done) waiting.resolve(E.right(events))
      return
    }
    const { model } = truth.core()
    calls.follow(model.ledger)
    callers.hear(done, model)
    for (const { wishes } of done) wishes.forEach(calls.hurry)
  }

  const { take, giveUp } = makeTurns({ drivers, kernel, host, keeper, truth, breathe, conclude, followUp })

  const safely = async (batch: ReadonlyArray<Waiting>): Promise<void> => {
    const before = truth.core()
    try {
      await take(batch)
    } catch (defect) {
      truth.reset(before)
      for (const { reject } of batch) reject(defect)
      // Nobody else hears of a defect in what follows from news alone.
      if (check && batch.length === 0) throw defect
      return
    }
    const wrong = check ? violations(truth.core().model) : []
    if (wrong.length > 0) throw new Error(`the model is unsound: ${wrong.join('; ')}`)
    if (truth.isAstray() || isBehind()) stopRetry = after(RETRY_MS, follow)
  }
  /** What others did is not in the kernel, which would not have it, and nobody is there to be told and to ask again. */
  const isBehind = (): boolean => keeper.host !== null && host.believed() !== truth.core().wanted.state

  /** What others did reaches the model and the kernel also while nobody asks for anything. */
  const follow = (): void => {
    stopRetry()
    if (isFollowing) return
    isFollowing = true
    void inbox.inTurn(() => {
      isFollowing = false
      return isClosing ? Promise.resolve() : safely([])
    })
  }
  let stopRetry = (): void => {}
  let isFollowing = false
  let isClosing = false

  const sweep = async (): Promise<Either<CnmError, number>> => {
    const heard = await truth.absorb(truth.core())
    if (E.isLeft(heard)) return heard
    const wanted = heard.right.wanted.state
    const failed = await host.look(wanted)
    if (failed !== null) return E.left(failed)
    const regained = await host.regain(wanted)
    if (E.isLeft(regained)) return regained
    const applied = await host.apply(wanted)
    if (E.isLeft(applied)) return applied
    const wishes = refusedWishes(applied.right.refusals)
    const lost = wishes.length > 0 ? await giveUp(wishes) : null
    if (lost === null) followUp([])
    return lost === null ? E.right(regained.right + applied.right.ops) : E.left(lost)
  }

  const differences = async (): Promise<Either<CnmError, ReadonlyArray<KernelOp>>> => {
    const wanted = truth.core().wanted.state
    const failed = await host.look(wanted)
    return failed === null ? E.right(operations(host.believed(), wanted, host.values())) : E.left(failed)
  }

  const preview: Engine['preview'] = async (commands) => {
    const core = truth.core()
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

  keeper.listen(follow)
  return {
    submit: inbox.submit,
    model: () => truth.core().model,
    wanted: () => truth.core().wanted.state,
    ownersOf: (key) => ownersOfKey(truth.core().wanted, key),
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
        isClosing = true
        stopRetry()
        await truth.commit(truth.core(), [])
        // Who opens the store next looks at the kernel.
        await kernel.settled()
        await keeper.close()
      }),
  }
}

/** An engine that knows nothing yet, on a host without objects of ours. */
export const freshEngine = (options: EngineOptions): Engine => makeEngine(options, FRESH)

/**
 * Recovery: load what the store holds, look at what the kernel holds, and bring one to the other. What the kernel refuses to
 * hold any more is given up. Left: the store or the kernel cannot be asked, or the store holds what cannot be.
 */
export const openEngine = async (
  options: EngineOptions & ({ store: Store } | { cluster: Membership }),
): Promise<Either<CnmError, Engine>> => {
  const { drivers = DRIVERS, cluster } = options
  const keeper = cluster === undefined ? soleKeeper(options.store ?? memoryStore()) : clusterKeeper(cluster)
  const entries = await keeper.begin()
  if (E.isLeft(entries)) return E.left(storeProblem(entries.left))
  const core = coreIn(entries.right, keeper.host, drivers)
  if (E.isLeft(core)) return core
  const remembered = rememberedIn(entries.right)
  const believed = leftBehind(remembered, core.right.wanted.state)
  const engine = makeEngine(options, { core: core.right, believed, ...remembered })
  const swept = await engine.sweep()
  return E.isLeft(swept) ? swept : E.right(engine)
}
