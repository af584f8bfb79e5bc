// The one writer of a host, and the only imperative part: commands wait in an inbox; a turn takes all that wait, steps them
// in order, commits them in one store transaction, applies them to the kernel in one pass, and answers each caller after
// both. What the kernel refuses comes back as a command, and the next diff takes back what was half done.

import { DRIVERS, type Drivers } from '../drivers/registry.ts'
import { diff } from '../kernel/diff.ts'
import type { Kernel, KernelError, Refusal, Scope } from '../kernel/kernel.ts'
import { keyOf, type ObjectKey } from '../kernel/object.ts'
import { commandsOf } from '../kernel/print.ts'
import { EMPTY_STATE, type KernelState, objectsOf } from '../kernel/state.ts'
import { loadModel, storedChanges } from '../model/codec.ts'
import type { Command, Owner } from '../model/command.ts'
import type { CnmError } from '../model/error.ts'
import type { CnmEvent } from '../model/event.ts'
import { violations } from '../model/invariants.ts'
import { freshModel } from '../model/model.ts'
import type { Model } from '../model/types.ts'
import type { Ns } from '../net/name.ts'
import { getIn, mapOf } from '../net/pmap.ts'
import { E, type Either } from '../prelude.ts'
import { memoryStore } from '../store/memory.ts'
import type { Store } from '../store/store.ts'
import { type Core, coreOf, FRESH_CORE, step } from './step.ts'

/** What a command did, once it is both committed and in the kernel. */
export type Answer = Either<CnmError, ReadonlyArray<CnmEvent>>

export type Engine = Readonly<{
  /** Answers in the order of the commands. They share turns with whatever else waits. */
  submit: (commands: ReadonlyArray<Command>) => Promise<ReadonlyArray<Answer>>
  model: () => Model
  /** The host as it should be. */
  wanted: () => KernelState
  /** Who wants an object of that host. */
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

const unavailable = ({ what, hint }: KernelError): CnmError => ({ tag: 'Unavailable', what, hint })

/** Everything these states mention, so that one look tells how they stand. */
const scopeOf = (states: ReadonlyArray<KernelState>): Scope => {
  const namespaces = new Set<Ns>()
  const sysctls = new Map<string, Scope['sysctls'][number]>()
  for (const object of states.flatMap(objectsOf)) {
    namespaces.add(object.ns)
    if (object.kind === 'sysctl') sysctls.set(keyOf(object), { ns: object.ns, name: object.name })
  }
  return { namespaces: [...namespaces], sysctls: [...sysctls.values()] }
}

/** What was observed, as far as it is about keys of ours; with our own notes (a sysctl's `otherwise`) kept. */
const ours = (observed: KernelState, known: ReadonlyArray<KernelState>): KernelState => {
  const kept = objectsOf(observed).flatMap((object) => {
    const key = keyOf(object)
    const ownNote = known.map((state) => getIn(state, key)).find((each) => each !== undefined)
    if (ownNote === undefined) return []
    return [
      object.kind === 'sysctl' && ownNote.kind === 'sysctl' ? { ...object, otherwise: ownNote.otherwise } : object,
    ]
  })
  return mapOf(kept.map((object) => [keyOf(object), object] as const))
}

type Waiting = Readonly<{ command: Command; resolve: (answer: Answer) => void }>
type Done = Readonly<{ waiting: Waiting; events: ReadonlyArray<CnmEvent>; touched: ReadonlyArray<Owner> }>
type Refused = Readonly<{ waiting: Waiting; error: CnmError }>
type Stepped = Readonly<{ core: Core; done: ReadonlyArray<Done>; refused: ReadonlyArray<Refused> }>

const names = (ns: Ns): string => ns
const describe = ({ op, errno, detail }: Refusal): Readonly<{ operation: string; errno: string }> => ({
  operation: commandsOf(op, names)
    .map(({ tool, text }) => `${tool} ${text.split('\n')[0]}`)
    .join('; '),
  errno: detail === null ? errno : `${errno} (${detail})`,
})

const sameOwner = (a: Owner, b: Owner): boolean => a.of === b.of && a.id === b.id

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
    believed = ours(observed.right, known)
    return null
  }

  /** Brings the kernel to what is wanted. Left: what it refused; `believed` is then what the kernel really holds. */
  const apply = async (): Promise<Either<ReadonlyArray<Refusal> | CnmError, number>> => {
    const ops = diff(believed, core.wanted.state)
    if (ops.length === 0) {
      believed = core.wanted.state
      return E.right(0)
    }
    const applied = await kernel.apply(ops)()
    if (E.isRight(applied)) {
      believed = core.wanted.state
      return E.right(ops.length)
    }
    const failed = await look()
    if (failed !== null) return E.left(failed)
    return E.left('tag' in applied.left ? unavailable(applied.left) : applied.left)
  }

  const stepAll = (from: Core, batch: ReadonlyArray<Waiting>): Stepped => {
    let now = from
    const done: Done[] = []
    const refused: Refused[] = []
    for (const waiting of batch) {
      const taken = step(drivers, now, waiting.command)
      if (E.isLeft(taken)) {
        refused.push({ waiting, error: taken.left })
        continue
      }
      now = taken.right.core
      done.push({ waiting, events: taken.right.events, touched: taken.right.touched })
    }
    return { core: now, done, refused }
  }

  /** Tells the model of refusals that no waiting command is to blame for; it gives up the owners (model/decide). */
  const giveUp = async (refusals: ReadonlyArray<Refusal>): Promise<CnmError | null> => {
    const before = core
    for (const refusal of refusals)
      for (const owner of getIn(core.wanted.owners, keyOf(refusal.op.object)) ?? []) {
        const taken = step(drivers, core, { tag: 'KernelRefused', owner, ...describe(refusal) })
        if (E.isRight(taken)) core = taken.right.core
      }
    const failed = await commit(before.model, core.model)
    if (failed === null) await apply()
    return failed
  }

  const refuseAll = (waiting: ReadonlyArray<Waiting>, error: CnmError): void => {
    for (const { resolve } of waiting) resolve(E.left(error))
  }

  /**
   * One turn. Commands whose objects the kernel refuses are withdrawn: the turn is decided again without them, from the
   * model as it was before, and the next diff takes back what was half done. So the host ends as if they had never come.
   * Deletions that are refused are nobody's fault: they stay in `believed` and are tried again.
   */
  const turn = async (batch: ReadonlyArray<Waiting>): Promise<void> => {
    const before = core
    let committed = core.model
    let remaining = batch
    let reason: CnmError | null = null
    for (;;) {
      const { core: next, done, refused } = stepAll(before, remaining)
      const failed = await commit(committed, next.model)
      if (failed !== null) return refuseAll(remaining, failed)
      core = next
      committed = next.model
      const applied = await apply()
      if (E.isLeft(applied) && 'tag' in applied.left) return refuseAll(remaining, applied.left)
      const refusals = E.isLeft(applied) && !('tag' in applied.left) ? applied.left : []
      const wishes = refusals.filter(({ op }) => op.verb !== 'delete')
      const blamed = new Map<Waiting, CnmError>()
      for (const refusal of wishes)
        for (const owner of getIn(core.wanted.owners, keyOf(refusal.op.object)) ?? [])
          for (const { waiting, touched } of done)
            if (!blamed.has(waiting) && touched.some((each) => sameOwner(each, owner)))
              blamed.set(waiting, { tag: 'KernelRefused', ...describe(refusal) })
      if (blamed.size === 0) {
        for (const { waiting, error } of refused) waiting.resolve(E.left(reason ?? error))
        for (const { waiting, events } of done) waiting.resolve(E.right(events))
        if (wishes.length > 0) await giveUp(wishes)
        return
      }
      for (const { waiting, error } of reason === null ? refused : []) waiting.resolve(E.left(error))
      const settled = new Set(reason === null ? refused.map(({ waiting }) => waiting) : [])
      for (const [waiting, error] of blamed) {
        waiting.resolve(E.left(error))
        settled.add(waiting)
        reason ??= error
      }
      remaining = remaining.filter((waiting) => !settled.has(waiting))
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
      if (E.isRight(applied)) return applied
      if ('tag' in applied.left) return E.left(applied.left)
      const first = applied.left[0]
      return first === undefined ? E.right(0) : E.left({ tag: 'KernelRefused', ...describe(first) })
    },
  }
}

/** An engine that knows nothing yet, on a host without objects of ours. */
export const freshEngine = (options: EngineOptions): Engine => makeEngine(options, FRESH_CORE, EMPTY_STATE)

/** Recovery: load what the store holds, look at what the kernel holds, and bring one to the other. */
export const openEngine = async (options: EngineOptions & { store: Store }): Promise<Either<CnmError, Engine>> => {
  const { kernel, store, drivers = DRIVERS } = options
  const loaded = await store.list('')()
  if (E.isLeft(loaded)) return E.left({ tag: 'Unavailable', what: 'the store cannot be read', hint: null })
  const core = coreOf(drivers, loadModel(freshModel(), loaded.right.entries))
  if (E.isLeft(core)) return core
  const wanted = core.right.wanted.state
  const observed = await kernel.observe(scopeOf([wanted]))()
  if (E.isLeft(observed)) return E.left(unavailable(observed.left))
  const engine = makeEngine(options, core.right, ours(observed.right, [wanted]))
  const swept = await engine.sweep()
  return E.isLeft(swept) ? swept : E.right(engine)
}
