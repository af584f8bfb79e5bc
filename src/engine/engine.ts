// The one writer of a host, and the only imperative part: commands wait in an inbox; a turn takes all that wait, steps them
// in order, commits them in one store transaction, applies them to the kernel in one pass, and answers each caller after
// both. See docs/decisions/0002-refusals-withdraw.md for what happens when the kernel says no.

import { DRIVERS, type Drivers } from '../drivers/registry.ts'
import { after, diff } from '../kernel/diff.ts'
import type { Kernel, KernelError, Refusal } from '../kernel/kernel.ts'
import type { ObjectKey } from '../kernel/object.ts'
import { EMPTY_STATE, type KernelState, objectsOf, stateOf } from '../kernel/state.ts'
import { loadModel, storedChanges } from '../model/codec.ts'
import type { Command, Owner } from '../model/command.ts'
import type { CnmError } from '../model/error.ts'
import type { CnmEvent } from '../model/event.ts'
import { violations } from '../model/invariants.ts'
import { freshModel } from '../model/model.ts'
import type { Model } from '../model/types.ts'
import { getIn } from '../net/pmap.ts'
import { E, type Either } from '../prelude.ts'
import { explainStore, type StoreError } from '../store/error.ts'
import { memoryStore } from '../store/memory.ts'
import type { Store } from '../store/store.ts'
import { blame, inWords, ownersOf, refusedWishes } from './blame.ts'
import { oursOf, scopeOf } from './look.ts'
import { type Core, coreOf, FRESH_CORE, type Step, step } from './step.ts'

/** What a command did, once it is both committed and in the kernel. */
export type Answer = Either<CnmError, ReadonlyArray<CnmEvent>>

export type Engine = Readonly<{
  /** Answers in the order of the commands. They share turns with whatever else waits. */
  submit: (commands: ReadonlyArray<Command>) => Promise<ReadonlyArray<Answer>>
  model: () => Model
  /** The host as it should be. */
  wanted: () => KernelState
  /** Who wants an object of it. */
  ownersOf: (key: ObjectKey) => ReadonlyArray<Owner>
  /**
   * Looks at the kernel and repairs what differs from what is wanted; what it refuses is given up. Right: how many
   * operations that took.
   */
  sweep: () => Promise<Either<CnmError, number>>
}>

export type EngineOptions = Readonly<{
  kernel: Kernel
  store?: Store
  drivers?: Drivers
  /** Checks the model's invariants after each turn and throws on a violation; for tests and simulations. */
  check?: boolean
}>

type Waiting = Readonly<{ command: Command; resolve: (answer: Answer) => void; reject: (defect: unknown) => void }>
type Done = Readonly<{ waiting: Waiting }> & Omit<Step, 'core'>
type Refused = Readonly<{ waiting: Waiting; error: CnmError }>
type Stepped = Readonly<{ core: Core; done: ReadonlyArray<Done>; refused: ReadonlyArray<Refused> }>

const kernelProblem = ({ what, hint }: KernelError): CnmError => ({ tag: 'Unavailable', what, hint })
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

/** Why a command is refused: if what it names was to be made by a withdrawn one, for that one's reason. */
const reasonFor = (error: CnmError, withdrawn: ReadonlyMap<Waiting, CnmError>): CnmError => {
  if (error.tag !== 'NotFound') return error
  for (const [{ command }, reason] of withdrawn) if ('id' in command && command.id === error.id) return reason
  return error
}

const makeEngine = (options: EngineOptions, start: Core, held: KernelState): Engine => {
  const { kernel, drivers = DRIVERS, store = memoryStore(), check = false } = options
  let core = start
  /** What the store holds; behind `core` only while a commit is under way, or after one that failed. */
  let stored = start.model
  let believed = held
  let inbox: Waiting[] = []
  let turning: Promise<void> | null = null
  let alone: Promise<unknown> = Promise.resolve()

  /** Makes `next` the truth, here and in the store. Left: it is not, and nothing changed. */
  const commit = async (next: Core): Promise<CnmError | null> => {
    const writes = storedChanges(stored, next.model)
    const committed = writes.length === 0 ? E.right(0) : await store.transact({ compares: [], writes })()
    if (E.isLeft(committed)) return storeProblem(committed.left)
    stored = next.model
    core = next
    return null
  }

  /** Goes back to a former core. If the store cannot follow, the next commit takes it along. */
  const revert = async (former: Core): Promise<void> => {
    await commit(former)
    core = former
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
    const applied = ops.length === 0 ? E.right(undefined) : await kernel.apply(ops)()
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
    for (const refusal of refusals)
      for (const owner of ownersOf(core.wanted, refusal)) {
        const taken = step(drivers, next, { tag: 'KernelRefused', owner, ...inWords(refusal) })
        if (E.isRight(taken)) next = taken.right.core
      }
    const failed = await commit(next)
    if (failed !== null) return failed
    const applied = await apply()
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
      const failed = await commit(next)
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

  return {
    submit: async (commands) => {
      const answers = commands.map(
        (command) =>
          new Promise<Answer>((resolve, reject) => {
            inbox.push({ command, resolve, reject })
          }),
      )
      turning ??= run()
      const [settled] = await Promise.all([Promise.all(answers), turning])
      return settled
    },
    model: () => core.model,
    wanted: () => core.wanted.state,
    ownersOf: (key) => getIn(core.wanted.owners, key) ?? [],
    // What we know of: what is wanted (applied once, or what the store says), and what we failed to delete.
    sweep: () => inTurn(() => sweep(stateOf([...objectsOf(believed), ...objectsOf(core.wanted.state)]))),
  }
}

/** An engine that knows nothing yet, on a host without objects of ours. */
export const freshEngine = (options: EngineOptions): Engine => makeEngine(options, FRESH_CORE, EMPTY_STATE)

/**
 * Recovery: load what the store holds, look at what the kernel holds, and bring one to the other. What the kernel refuses to
 * hold any more is given up. Left: the store or the kernel cannot be asked, or the store holds what cannot be.
 */
export const openEngine = async (options: EngineOptions & { store: Store }): Promise<Either<CnmError, Engine>> => {
  const { store, drivers = DRIVERS } = options
  const loaded = await store.list('')()
  if (E.isLeft(loaded)) return E.left(storeProblem(loaded.left))
  const model = loadModel(freshModel(), loaded.right.entries)
  if (E.isLeft(model)) return E.left({ tag: 'Unavailable', what: model.left, hint: null })
  const core = coreOf(drivers, model.right)
  if (E.isLeft(core)) return core
  const engine = makeEngine(options, core.right, EMPTY_STATE)
  const swept = await engine.sweep()
  return E.isLeft(swept) ? swept : E.right(engine)
}
