// The one writer of a host, and the only imperative part: commands wait in an inbox; a turn takes all that wait, steps them
// in order, commits them in one store transaction, applies them to the kernel in one pass, and answers each caller after
// both. See docs/decisions/0002-refusals-withdraw.md for what happens when the kernel says no.

import { DRIVERS, type Drivers } from '../drivers/registry.ts'
import { diff } from '../kernel/diff.ts'
import type { Kernel, KernelError, Refusal } from '../kernel/kernel.ts'
import type { ObjectKey } from '../kernel/object.ts'
import { EMPTY_STATE, type KernelState } from '../kernel/state.ts'
import { loadModel, storedChanges } from '../model/codec.ts'
import type { Command, Owner } from '../model/command.ts'
import type { CnmError } from '../model/error.ts'
import type { CnmEvent } from '../model/event.ts'
import { violations } from '../model/invariants.ts'
import { freshModel } from '../model/model.ts'
import type { Model } from '../model/types.ts'
import { getIn } from '../net/pmap.ts'
import { E, type Either } from '../prelude.ts'
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
  /** Looks at the kernel and repairs what differs from what is wanted. Right: how many operations that took. */
  sweep: () => Promise<Either<CnmError, number>>
}>

export type EngineOptions = Readonly<{
  kernel: Kernel
  store?: Store
  drivers?: Drivers
  /** Checks the model's invariants after each turn and throws on a violation; for tests and simulations. */
  check?: boolean
}>

type Waiting = Readonly<{ command: Command; resolve: (answer: Answer) => void }>
type Done = Waiting & Omit<Step, 'core'>
type Stepped = Readonly<{
  core: Core
  done: ReadonlyArray<Done>
  refused: ReadonlyArray<Readonly<{ waiting: Waiting; error: CnmError }>>
}>

const unavailable = ({ what, hint }: KernelError): CnmError => ({ tag: 'Unavailable', what, hint })

const stepAll = (drivers: Drivers, from: Core, batch: ReadonlyArray<Waiting>): Stepped => {
  let core = from
  const done: Done[] = []
  const refused: Array<Stepped['refused'][number]> = []
  for (const waiting of batch) {
    const taken = step(drivers, core, waiting.command)
    if (E.isLeft(taken)) {
      refused.push({ waiting, error: taken.left })
      continue
    }
    const { core: next, ...deed } = taken.right
    core = next
    done.push({ ...waiting, ...deed })
  }
  return { core, done, refused }
}

const makeEngine = (options: EngineOptions, start: Core, held: KernelState): Engine => {
  const { kernel, drivers = DRIVERS, store = memoryStore(), check = false } = options
  let core = start
  let believed = held
  let inbox: Waiting[] = []
  let turning: Promise<void> | null = null

  const commit = async (from: Model, to: Model): Promise<CnmError | null> => {
    const writes = storedChanges(from, to)
    if (writes.length === 0) return null
    const committed = await store.transact({ compares: [], writes })()
    if (E.isRight(committed)) return null
    const { left } = committed
    return left.tag === 'StoreConflict'
      ? { tag: 'Unavailable', what: `another process wrote ${left.key}`, hint: null }
      : { tag: 'Unavailable', what: left.what, hint: left.hint }
  }

  const look = async (): Promise<CnmError | null> => {
    const known = [core.wanted.state, believed]
    const observed = await kernel.observe(scopeOf(known))()
    if (E.isLeft(observed)) return unavailable(observed.left)
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
    const failed = await look()
    if (failed !== null) return E.left(failed)
    return 'tag' in applied.left
      ? E.left(unavailable(applied.left))
      : E.right({ ops: ops.length, refusals: applied.left })
  }

  /** Tells the model of refusals that no waiting command is to blame for; it gives up the owners (model/decide). */
  const giveUp = async (refusals: ReadonlyArray<Refusal>): Promise<void> => {
    const before = core
    for (const refusal of refusals)
      for (const owner of ownersOf(core.wanted, refusal)) {
        const taken = step(drivers, core, { tag: 'KernelRefused', owner, ...inWords(refusal) })
        if (E.isRight(taken)) core = taken.right.core
      }
    if ((await commit(before.model, core.model)) === null) await apply()
    else core = before
  }

  const refuseAll = (waiting: ReadonlyArray<Waiting>, error: CnmError): void => {
    for (const { resolve } of waiting) resolve(E.left(error))
  }

  /**
   * One turn. Commands whose objects the kernel refuses are withdrawn: the turn is decided again without them, from the
   * model as it was before, and the next diff takes back what was half done. What depended on them has the same reason.
   */
  const turn = async (batch: ReadonlyArray<Waiting>): Promise<void> => {
    const before = core
    let waiting = batch
    let reason: CnmError | null = null
    for (;;) {
      const { core: next, done, refused } = stepAll(drivers, before, waiting)
      const failed = await commit(core.model, next.model)
      if (failed !== null) return refuseAll(waiting, failed)
      core = next
      for (const { waiting: one, error } of refused) one.resolve(E.left(reason ?? error))

      const applied = await apply()
      if (E.isLeft(applied)) return refuseAll(done, applied.left)
      const wishes = refusedWishes(applied.right.refusals)
      const blamed = blame(core.wanted, done, wishes)
      if (blamed.size === 0) {
        for (const { resolve, events } of done) resolve(E.right(events))
        return wishes.length > 0 ? giveUp(wishes) : undefined
      }
      for (const [{ resolve }, error] of blamed) {
        resolve(E.left(error))
        reason ??= error
      }
      waiting = done.filter((each) => !blamed.has(each))
    }
  }

  /** Takes turns until nothing waits. Nothing is awaited between the last look at the inbox and the end. */
  const run = async (): Promise<void> => {
    await null
    try {
      while (inbox.length > 0) {
        const batch = inbox
        inbox = []
        await turn(batch)
        const wrong = check ? violations(core.model) : []
        if (wrong.length > 0) throw new Error(`the model is unsound: ${wrong.join('; ')}`)
      }
    } finally {
      turning = null
    }
  }

  return {
    submit: async (commands) => {
      const answers = commands.map(
        (command) =>
          new Promise<Answer>((resolve) => {
            inbox.push({ command, resolve })
          }),
      )
      turning ??= run()
      await turning
      return Promise.all(answers)
    },
    model: () => core.model,
    wanted: () => core.wanted.state,
    ownersOf: (key) => getIn(core.wanted.owners, key) ?? [],
    sweep: async () => {
      const failed = await look()
      if (failed !== null) return E.left(failed)
      const applied = await apply()
      if (E.isLeft(applied)) return applied
      const [first] = applied.right.refusals
      return first === undefined ? E.right(applied.right.ops) : E.left({ tag: 'KernelRefused', ...inWords(first) })
    },
  }
}

/** An engine that knows nothing yet, on a host without objects of ours. */
export const freshEngine = (options: EngineOptions): Engine => makeEngine(options, FRESH_CORE, EMPTY_STATE)

/** Recovery: load what the store holds, look at what the kernel holds, and bring one to the other. */
export const openEngine = async (options: EngineOptions & { store: Store }): Promise<Either<CnmError, Engine>> => {
  const { store, drivers = DRIVERS } = options
  const loaded = await store.list('')()
  if (E.isLeft(loaded)) return E.left({ tag: 'Unavailable', what: 'the store cannot be read', hint: null })
  const core = coreOf(drivers, loadModel(freshModel(), loaded.right.entries))
  if (E.isLeft(core)) return core
  const engine = makeEngine(options, core.right, EMPTY_STATE)
  const swept = await engine.sweep()
  return E.isLeft(swept) ? swept : E.right(engine)
}
