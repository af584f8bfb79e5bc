// The one writer of a host, and the only imperative part: commands wait in an inbox; a turn takes all that wait, steps them
// in order, commits them in one store transaction, applies them to the kernel in one pass, and answers each caller after
// both. See docs/decisions/0002-refusals-withdraw.md for what happens when the kernel says no.

import { DRIVERS, type Drivers } from '../drivers/registry.ts'
import { after, diff } from '../kernel/diff.ts'
import type { Kernel, KernelError, Refusal } from '../kernel/kernel.ts'
import type { ObjectKey } from '../kernel/object.ts'
import type { KernelOp } from '../kernel/op.ts'
import { EMPTY_STATE, type KernelState, objectsOf, stateOf } from '../kernel/state.ts'
import { loadModel, storedChanges } from '../model/codec.ts'
import type { Command, Owner } from '../model/command.ts'
import type { CnmError } from '../model/error.ts'
import type { CnmEvent } from '../model/event.ts'
import { violations } from '../model/invariants.ts'
import { freshModel } from '../model/model.ts'
import type { Model } from '../model/types.ts'
import { E, type Either } from '../prelude.ts'
import { explainStore, type StoreError } from '../store/error.ts'
import { memoryStore } from '../store/memory.ts'
import type { Store, Write } from '../store/store.ts'
import { blame, inWords, ownersOf, refusedWishes } from './blame.ts'
import { condemnedAfter, condemnedWrites } from './condemned.ts'
import { scopeOfValues, settingBack, stillNeeded, unknownValues, valueWrites, withValues } from './host-values.ts'
import { checkpointWrites, type Deed, type Turn, turnUnwrite, turnWrite } from './journal.ts'
import { leftBehind, modelIn, type Remembered, rememberedIn } from './load.ts'
import { oursOf, scopeOf } from './look.ts'
import { type Core, coreOf, FRESH_CORE, type Step, step } from './step.ts'
import { ownersOfKey } from './wanted.ts'

/** What a command did, once it is both committed and in the kernel. */
export type Answer = Either<CnmError, ReadonlyArray<CnmEvent>>

/** What commands would do: events, and the operations that lead from the host as we believe it is. */
export type Preview = Readonly<{ events: ReadonlyArray<CnmEvent>; ops: ReadonlyArray<KernelOp> }>

/** Commands that still wait when it aborts are withdrawn; one whose turn has begun is answered as it ends. */
export type SubmitOptions = Readonly<{ signal?: AbortSignal }>

export type Engine = Readonly<{
  /** Answers in the order of the commands. They share turns with whatever else waits. */
  submit: (commands: ReadonlyArray<Command>, options?: SubmitOptions) => Promise<ReadonlyArray<Answer>>
  model: () => Model
  /** The host as it should be. */
  wanted: () => KernelState
  /** Who wants an object of it. */
  ownersOf: (key: ObjectKey) => ReadonlyArray<Owner>
  /** What these commands would do, if they came now; nothing is done. Left: the first that would be refused. */
  preview: (commands: ReadonlyArray<Command>) => Either<CnmError, Preview>
  /** Looks at the kernel. Right: the operations that a sweep would do. */
  differences: () => Promise<Either<CnmError, ReadonlyArray<KernelOp>>>
  /**
   * Looks at the kernel and repairs what differs from what is wanted; what it refuses is given up. Right: how many
   * operations that took.
   */
  sweep: () => Promise<Either<CnmError, number>>
  /** Tells of every turn that changed something, once it is in the store and the kernel. Returns how to stop. */
  listen: (hear: (turn: Turn) => void) => () => void
  /** Takes no more commands, ends the turn under way and answers all that wait, then lets go of the store. */
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
  /** How many commands may wait; beyond that, new ones are refused as busy. */
  maxWaiting?: number
}>

const MAX_WAITING = 100_000

type Waiting = Readonly<{ command: Command; resolve: (answer: Answer) => void; reject: (defect: unknown) => void }>
type Done = Readonly<{ waiting: Waiting }> & Omit<Step, 'core'>
type Refused = Readonly<{ waiting: Waiting; error: CnmError }>
type Stepped = Readonly<{ core: Core; done: ReadonlyArray<Done>; refused: ReadonlyArray<Refused> }>

const kernelProblem = ({ what, hint }: KernelError): CnmError => ({ tag: 'Unavailable', what, hint })
const unavailable = (what: string, hint: string | null): CnmError => ({ tag: 'Unavailable', what, hint })
const storeProblem = (error: StoreError): CnmError => ({ tag: 'Unavailable', what: explainStore(error), hint: null })

const stepAll = (drivers: Drivers, from: Core, batch: ReadonlyArray<Waiting>): Stepped => {
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
    core = next
    done.push({ waiting, ...deed })
  }
  return { core, done, refused }
}

const refuseAll = (commands: ReadonlyArray<Command>, error: CnmError): ReadonlyArray<Answer> =>
  commands.map(() => E.left(error))

/** What goes into the journal: commands that changed something. */
const deedsOf = (done: ReadonlyArray<Done>): ReadonlyArray<Deed> =>
  done.flatMap(({ waiting, events }) => (events.length === 0 ? [] : [{ command: waiting.command, events }]))

/** Why a command is refused: if what it names was to be made by a withdrawn one, for that one's reason. */
const reasonFor = (error: CnmError, withdrawn: ReadonlyMap<Waiting, CnmError>): CnmError => {
  if (error.tag !== 'NotFound') return error
  for (const [{ command }, reason] of withdrawn)
    if (command.tag.startsWith('Create') && 'id' in command && command.id === error.id) return reason
  return error
}

/** What an engine begins with: its core, what it believes to be there, and what it remembers beside the model. */
type Start = Readonly<{ core: Core; believed: KernelState }> & Remembered
const FRESH: Start = {
  core: FRESH_CORE,
  believed: EMPTY_STATE,
  values: new Map(),
  condemned: new Set(),
  turn: 0,
}

const makeEngine = (options: EngineOptions, start: Start): Engine => {
  const { kernel, drivers = DRIVERS, store = memoryStore(), check = false } = options
  const { checkpointTurns = null, maxWaiting = MAX_WAITING } = options
  let { core, believed, values, turn: turns } = start
  /** What the store holds; behind `core` only while a commit is under way, or after one that failed. */
  let stored = core.model
  /** As the last turn that ended left it; a turn under way may still be withdrawn. */
  let settled = core.model
  let storedValues = values
  let { condemned } = start
  const listeners = new Set<(turn: Turn) => void>()
  let closing: Promise<void> | null = null
  let inbox: Waiting[] = []
  let turning: Promise<void> | null = null
  let alone: Promise<unknown> = Promise.resolve()

  /** The journal's part of a transaction: turn `turns + 1` has these deeds (none: it did not happen). */
  const journalWrites = (deeds: ReadonlyArray<Deed>): ReadonlyArray<Write> => {
    if (checkpointTurns === null) return []
    const number = turns + 1
    if (deeds.length === 0) return [turnUnwrite(number)]
    return [turnWrite({ number, deeds }), ...checkpointWrites(turns, checkpointTurns, settled)]
  }

  /** Makes `next` the truth, here and in the store. Left: it is not, and nothing changed. */
  const commit = async (next: Core, deeds: ReadonlyArray<Deed>): Promise<CnmError | null> => {
    const needed = stillNeeded(values, [next.wanted.state, believed])
    const doomed = condemnedAfter(condemned, core, next, believed)
    const changes = [
      ...storedChanges(stored, next.model),
      ...valueWrites(storedValues, needed),
      ...condemnedWrites(condemned, doomed),
    ]
    const writes = changes.length + deeds.length === 0 ? [] : [...changes, ...journalWrites(deeds)]
    const committed = writes.length === 0 ? E.right(0) : await store.transact({ compares: [], writes })()
    if (E.isLeft(committed)) return storeProblem(committed.left)
    stored = next.model
    storedValues = needed
    values = needed
    condemned = doomed
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
    settled = core.model
    values = stillNeeded(values, [core.wanted.state, believed])
    if (deeds.length === 0) return
    turns += 1
    const turn = { number: turns, deeds }
    for (const hear of listeners) hear(turn)
  }

  /** Looks up what the host's own sysctls say that are about to be set for the first time. */
  const learnValues = async (next: Core): Promise<CnmError | null> => {
    const unknown = unknownValues(core.wanted.state, next.wanted.state, values)
    if (unknown.length === 0) return null
    const observed = await kernel.observe(scopeOfValues(unknown))()
    if (E.isLeft(observed)) return kernelProblem(observed.left)
    values = withValues(values, unknown, observed.right)
    return null
  }

  /** Looks at the kernel; `known` is what we have reason to think is there and ours. */
  const look = async (known: KernelState): Promise<CnmError | null> => {
    const observed = await kernel.observe(scopeOf([core.wanted.state, known]))()
    if (E.isLeft(observed)) return kernelProblem(observed.left)
    believed = oursOf(observed.right, known)
    return null
  }

  /** Brings the kernel to what is wanted. Right: the number of operations, and those refused; then we have looked again. */
  const apply = async (): Promise<Either<CnmError, Readonly<{ ops: number; refusals: ReadonlyArray<Refusal> }>>> => {
    const ops = diff(believed, core.wanted.state)
    const applied = ops.length === 0 ? E.right(undefined) : await kernel.apply(ops.map(settingBack(values)))()
    if (E.isRight(applied)) {
      believed = core.wanted.state
      return E.right({ ops: ops.length, refusals: [] })
    }
    const refusals = 'tag' in applied.left ? null : applied.left
    const refused = new Set(refusals?.map(({ at }) => at))
    const obeyed = ops.filter((_, at) => !refused.has(at)).reduce(after, believed)
    const failed = await look(obeyed)
    if ('tag' in applied.left) return E.left(kernelProblem(applied.left))
    return failed === null ? E.right({ ops: ops.length, refusals: applied.left }) : E.left(failed)
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
    const applied = await apply()
    conclude(deeds)
    return E.isLeft(applied) ? applied.left : null
  }

  /**
   * One turn. Commands whose objects the kernel refuses are withdrawn: the turn is decided again without them, from the
   * model as it was before, and the next diff takes back what was half done.
   */
  const turn = async (batch: ReadonlyArray<Waiting>): Promise<void> => {
    const before = core
    const withdrawn = new Map<Waiting, CnmError>()
    for (;;) {
      const {
        core: next,
        done,
        refused,
      } = stepAll(
        drivers,
        before,
        batch.filter((waiting) => !withdrawn.has(waiting)),
      )
      const deeds = deedsOf(done)
      const failed = (await learnValues(next)) ?? (await commit(next, deeds))
      const applied = failed === null ? await apply() : E.left(failed)
      if (E.isLeft(applied)) {
        await revert(before)
        for (const { waiting } of done) waiting.resolve(applied)
        for (const { waiting, error } of refused) waiting.resolve(E.left(error))
        for (const [waiting, error] of withdrawn) waiting.resolve(E.left(error))
        return
      }
      const wishes = refusedWishes(applied.right.refusals)
      const blamed = blame(core.wanted, done, wishes)
      for (const [{ waiting }, error] of blamed) withdrawn.set(waiting, error)
      if (blamed.size > 0) continue
      conclude(deeds)
      for (const [waiting, error] of withdrawn) waiting.resolve(E.left(error))
      for (const { waiting, error } of refused) waiting.resolve(E.left(reasonFor(error, withdrawn)))
      for (const { waiting, events } of done) waiting.resolve(E.right(events))
      if (wishes.length > 0) await giveUp(wishes)
      return
    }
  }

  /** Work on the kernel and the store is done one piece after the other: a turn, or a sweep. */
  const inTurn = <A>(work: () => Promise<A>): Promise<A> => {
    const mine = alone.then(work)
    alone = mine.catch(() => {})
    return mine
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

  /** Takes turns until nothing waits. Nothing is awaited between the last look at the inbox and the end. */
  const run = async (): Promise<void> => {
    await null
    try {
      while (inbox.length > 0) {
        await inTurn(() => {
          const batch = inbox
          inbox = []
          return safely(batch)
        })
      }
    } finally {
      turning = null
    }
  }

  const sweep = async (known: KernelState): Promise<Either<CnmError, number>> => {
    const failed = await look(known)
    if (failed !== null) return E.left(failed)
    const applied = await apply()
    if (E.isLeft(applied)) return applied
    const wishes = refusedWishes(applied.right.refusals)
    const lost = wishes.length > 0 ? await giveUp(wishes) : null
    return lost === null ? E.right(applied.right.ops) : E.left(lost)
  }

  /** What we know of: what is wanted (applied once, or what the store says), and what we failed to delete. */
  const known = (): KernelState => stateOf([...objectsOf(believed), ...objectsOf(core.wanted.state)])

  /** Withdraws those of these that no turn has taken yet. */
  const withdraw = (those: ReadonlySet<Waiting>): void => {
    const gone = inbox.filter((waiting) => those.has(waiting))
    inbox = inbox.filter((waiting) => !those.has(waiting))
    for (const { resolve } of gone) resolve(E.left(unavailable('the command was cancelled before its turn came', null)))
  }

  const submit = async (
    commands: ReadonlyArray<Command>,
    { signal }: SubmitOptions = {},
  ): Promise<ReadonlyArray<Answer>> => {
    if (closing !== null) return refuseAll(commands, unavailable('the engine is stopping', null))
    if (signal?.aborted) return refuseAll(commands, unavailable('the command was cancelled before its turn came', null))
    if (inbox.length >= maxWaiting)
      return refuseAll(commands, unavailable(`${inbox.length} commands are waiting already`, 'try again later'))
    const mine = new Set<Waiting>()
    const answers = commands.map(
      (command) =>
        new Promise<Answer>((resolve, reject) => {
          const waiting: Waiting = { command, resolve, reject }
          mine.add(waiting)
          inbox.push(waiting)
        }),
    )
    const abort = (): void => withdraw(mine)
    signal?.addEventListener('abort', abort, { once: true })
    turning ??= run()
    try {
      const [settled] = await Promise.all([Promise.all(answers), turning])
      return settled
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  const preview = (commands: ReadonlyArray<Command>): Either<CnmError, Preview> => {
    let next = core
    const events: CnmEvent[] = []
    for (const command of commands) {
      const taken = step(drivers, next, command)
      if (E.isLeft(taken)) return taken
      next = taken.right.core
      events.push(...taken.right.events)
    }
    return E.right({ events, ops: diff(believed, next.wanted.state).map(settingBack(values)) })
  }

  const differences = async (): Promise<Either<CnmError, ReadonlyArray<KernelOp>>> => {
    const failed = await look(known())
    return failed === null ? E.right(diff(believed, core.wanted.state).map(settingBack(values))) : E.left(failed)
  }

  return {
    submit,
    model: () => core.model,
    wanted: () => core.wanted.state,
    ownersOf: (key) => ownersOfKey(core.wanted, key),
    preview,
    differences: () => inTurn(differences),
    sweep: () => inTurn(() => sweep(known())),
    listen: (hear) => {
      listeners.add(hear)
      return () => {
        listeners.delete(hear)
      }
    },
    close: () => {
      closing ??= (async () => {
        await turning
        await alone
        await commit(core, [])
        await store.close()
      })()
      return closing
    },
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
  if (E.isLeft(model)) return E.left({ tag: 'Unavailable', what: model.left, hint: null })
  const core = coreOf(drivers, model.right)
  if (E.isLeft(core)) return core
  const believed = leftBehind(remembered.right, core.right.wanted.state)
  const engine = makeEngine(options, { core: core.right, believed, ...remembered.right })
  const swept = await engine.sweep()
  return E.isLeft(swept) ? swept : E.right(engine)
}
