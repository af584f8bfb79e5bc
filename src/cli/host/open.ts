// A verb's hold on the host: its store, for one process at a time, and the engine on it, recovered. Verbs that only
// look read the store and leave the kernel alone, so that looking never repairs.

import { setTimeout as sleep } from 'node:timers/promises'
import { printable } from '../../compose/error.ts'
import { DRIVERS } from '../../drivers/registry.ts'
import { type Engine, openEngine } from '../../engine/engine.ts'
import { coreIn, entriesIn, type Remembered, rememberedIn } from '../../engine/load.ts'
import type { Core } from '../../engine/step.ts'
import { diff } from '../../kernel/diff.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { NsNames } from '../../kernel/print.ts'
import { EMPTY_STATE } from '../../kernel/state.ts'
import type { TransportName } from '../../kernel-linux/ready.ts'
import type { Model } from '../../model/types.ts'
import { HOST } from '../../net/name.ts'
import { hasIn, valuesOf } from '../../net/pmap.ts'
import { E, type Either, type TaskEither } from '../../prelude.ts'
import type { StoreError } from '../../store/error.ts'
import { memoryStore } from '../../store/memory.ts'
import { lookAtStore, openStore } from '../../store/open.ts'
import type { Store } from '../../store/store.ts'
import { type StoreUrl, showStoreUrl } from '../../store/url.ts'
import { EXIT } from '../exit.ts'
import { exitOf, untilSignal } from '../guard.ts'
import type { Io } from '../io.ts'
import { kernelProblem, type Problem, problem } from '../problem.ts'
import type { KernelName } from '../survey.ts'
import { refusalProblem, refused, storeProblem } from './refusal.ts'

export type HostOptions = Readonly<{ store: StoreUrl; kernel: KernelName; transport?: TransportName }>

type Answer<B> = Promise<Either<Problem, B>>
type Work<A, B> = (given: A) => Answer<B>

/** So long a verb waits for another that has the directory, or for a watch that repairs. */
const PATIENCE_MS = 2000
const BETWEEN_MS = 20

/** `open` again and again while somebody else is at work. */
const patiently = async <A>(open: TaskEither<StoreError, A>): Promise<Either<StoreError, A>> => {
  const start = performance.now()
  for (;;) {
    const opened = await open()
    const isBusy = E.isLeft(opened) && (opened.left.tag === 'StoreInUse' || opened.left.tag === 'StoreHeld')
    if (!isBusy || performance.now() - start > PATIENCE_MS) return opened
    await sleep(BETWEEN_MS)
  }
}

/** Makes one if there is none. */
export const withStore = async <B>(url: StoreUrl, work: Work<Store, B>): Answer<B> => {
  const store = await patiently(openStore(url))
  if (E.isLeft(store)) return E.left(storeProblem(store.left))
  try {
    return await work(store.right)
  } finally {
    await store.right.close()
  }
}

/** `absent`: what is done where there is no store; none is made. */
const withWhatIs = async <B>(url: StoreUrl, work: Work<Store, B>, absent: () => Answer<B>): Answer<B> => {
  const store = await patiently(lookAtStore(url))
  if (E.isLeft(store)) return E.left(storeProblem(store.left))
  if (store.right === null) return absent()
  try {
    return await work(store.right)
  } finally {
    await store.right.close()
  }
}

/** What cannot be looked at is there: opening it says why it cannot be. */
export const isThere = async (url: StoreUrl): Promise<boolean> => {
  const store = await patiently(lookAtStore(url))
  if (E.isRight(store)) await store.right?.close()
  return E.isLeft(store) || store.right !== null
}

/** For who only looks: no store is an empty one. */
const withSight = <B>(url: StoreUrl, work: Work<Store, B>): Answer<B> =>
  withWhatIs(url, work, () => work(memoryStore()))

/** For who takes away what is there. */
export const withExisting = <B>(url: StoreUrl, work: Work<Store, B>): Answer<B> =>
  withWhatIs(url, work, async () => {
    const way = url.tag === 'lmdb' ? 'name the state directory' : 'see whether its prefix is the right one'
    return problem(EXIT.machine, printable(`there is no store in ${showStoreUrl(url)}; ${way}`))
  })

/** What the store says: the model with the host as it should be by it, and what the engine remembers beside it. */
export type Stored = Readonly<{ core: Core; remembered: Remembered }>

export const storedIn = async (store: Store): Promise<Either<Problem, Stored>> => {
  const entries = await entriesIn(store)
  if (E.isLeft(entries)) return E.left(storeProblem(entries.left))
  const core = coreIn(entries.right, null, DRIVERS)
  return E.isLeft(core)
    ? E.left(refusalProblem(core.left))
    : E.right({ core: core.right, remembered: rememberedIn(entries.right) })
}

/** Which kernel a state directory's networks are on. */
const KERNEL = 'kernel'

const noteKernel = async (store: Store, value: KernelName | null): Promise<Either<Problem, void>> => {
  const written = await store.transact({ compares: [], writes: [{ key: KERNEL, value }] })()
  return E.isLeft(written) ? E.left(storeProblem(written.left)) : E.right(undefined)
}

/** A copy is on no kernel yet. */
export const withoutKernel = (store: Store): Promise<Either<Problem, void>> => noteKernel(store, null)

/** `nowhere`: nothing was changed there yet. */
type Where = 'here' | 'nowhere'

/** Left: it is another than was asked for. A simulated machine would forget what is yet to be put right on the real one. */
export const placeOf = async (store: Store, { store: url, kernel }: HostOptions): Promise<Either<Problem, Where>> => {
  const entry = await store.get(KERNEL)()
  if (E.isLeft(entry)) return E.left(storeProblem(entry.left))
  if (entry.right === null) return E.right('nowhere')
  const { value } = entry.right
  if (value === kernel) return E.right('here')
  const way = `say --kernel ${value}, or choose another ${url.tag === 'lmdb' ? '--state' : 'prefix'}`
  return E.left(
    refused('Conflict', `the networks of ${showStoreUrl(url)} are on kernel ${value}, not on kernel ${kernel}; ${way}`),
  )
}

/** For work that changes nothing, neither the store nor the kernel. */
export const withStored = <B>(url: StoreUrl, work: Work<Stored, B>): Promise<Either<Problem, B>> =>
  withSight(url, async (store) => {
    const stored = await storedIn(store)
    return E.isLeft(stored) ? stored : work(stored.right)
  })

/** Namespaces in a script that runs in the host's. */
export const hostNames: NsNames = (ns) => (ns === HOST ? '/proc/$$/ns/net' : ns)

/** `close` lets go of what was opened for it. */
type OpenKernel = Kernel & Readonly<{ close: () => Promise<void> }>

/** The kernel this process runs on; the host is the namespace it runs in, and every other is known by its own name. */
export const kernelOf = async (options: HostOptions): Promise<Either<Problem, OpenKernel>> => {
  if (options.kernel === 'sim')
    return E.right({ ...(await import('../../kernel-sim/kernel.ts')).simKernel(), close: async () => {} })
  const { transportFor, withoutRights } = await import('../../kernel-linux/ready.ts')
  const lacks = withoutRights(', or try it with --kernel sim')
  if (lacks !== null) return E.left(kernelProblem(lacks))
  const way = transportFor(options.transport ?? null)
  if (E.isLeft(way)) return E.left(kernelProblem(way.left))
  const { linuxKernel } = await import('../../kernel-linux/linux.ts')
  return E.right(linuxKernel({ names: (ns) => (ns === HOST ? null : ns), transport: way.right }))
}

/** Objects that recovery had to give up, because the kernel would not hold them any more. */
const lossesOf = (before: Model, after: Model): ReadonlyArray<string> => [
  ...valuesOf(before.networks).flatMap(({ id, name }) => (hasIn(after.networks, id) ? [] : [`network "${name}"`])),
  ...valuesOf(before.sandboxes).flatMap(({ id, container }) =>
    hasIn(after.sandboxes, id) ? [] : [`sandbox "${container}"`],
  ),
  ...valuesOf(before.endpoints).flatMap(({ id, name }) => (hasIn(after.endpoints, id) ? [] : [`endpoint "${name}"`])),
]

export type Opened = Readonly<{ kernel: Kernel; store: Store; place: Where }>

/** `open`: how the store is had. */
export const onStore = <B>(
  kernel: Kernel,
  options: HostOptions,
  open: typeof withStore,
  work: Work<Opened, B>,
): Answer<B> =>
  open(options.store, async (store) => {
    const place = await placeOf(store, options)
    return E.isLeft(place) ? place : work({ kernel, store, place: place.right })
  })

const onKernel = async <B>(options: HostOptions, open: typeof withStore, work: Work<Opened, B>): Answer<B> => {
  const kernel = await kernelOf(options)
  if (E.isLeft(kernel)) return kernel
  try {
    return await onStore(kernel.right, options, open, work)
  } finally {
    await kernel.right.close()
  }
}

/** A simulated kernel begins empty, so it is given first what should be there. */
const madeReady = async (kernel: Kernel, { core }: Stored): Promise<Either<Problem, void>> => {
  const built = kernel.name === 'sim' ? await kernel.apply(diff(EMPTY_STATE, core.wanted.state))() : E.right(undefined)
  return E.isLeft(built) ? E.left(kernelProblem(built.left)) : E.right(undefined)
}

/** For work that looks at the kernel and changes nothing. */
export const withKernel = <B>(options: HostOptions, work: Work<Stored & Readonly<{ kernel: Kernel }>, B>): Answer<B> =>
  onKernel(options, withSight, async ({ kernel, store }) => {
    const stored = await storedIn(store)
    if (E.isLeft(stored)) return stored
    const ready = await madeReady(kernel, stored.right)
    return E.isLeft(ready) ? ready : work({ ...stored.right, kernel })
  })

/** After so many turns the journal begins anew; until the next time it keeps those before, too. */
const CHECKPOINT_TURNS = 1000

/** Null: what every network needs is there. */
const missingBasics = async (kernel: KernelName): Promise<Problem | null> => {
  if (kernel === 'sim') return null
  const { withoutBasics } = await import('../../kernel-linux/ready.ts')
  const lacks = await withoutBasics()
  return lacks === null ? null : kernelProblem(lacks)
}

/** The engine, recovered. `stop`, once aborted, says that a signal may have reached what it was doing. */
export const onEngine = async <B>(
  io: Io,
  options: HostOptions,
  { kernel, store, place }: Opened,
  stop: AbortSignal,
  work: Work<Engine, B>,
): Answer<B> => {
  // Whoever changes something first finds out whether it can be done here at all, and decides for those who come later.
  const lacks = place === 'nowhere' ? await missingBasics(options.kernel) : null
  if (lacks !== null) return E.left(lacks)
  const noted = place === 'nowhere' ? await noteKernel(store, options.kernel) : E.right(undefined)
  if (E.isLeft(noted)) return noted
  const before = await storedIn(store)
  if (E.isLeft(before)) return before
  const engine = await openEngine({ kernel, store, checkpointTurns: CHECKPOINT_TURNS })
  if (E.isLeft(engine)) return E.left(refusalProblem(engine.left))
  for (const lost of lossesOf(before.right.core.model, engine.right.model()))
    io.err(`note: ${lost} was given up: the kernel would not hold it any more`)
  const done = await work(engine.right)
  // The signal may have reached a tool of ours, too, before that was out of its sight.
  const swept = stop.aborted ? await engine.right.sweep() : E.right(0)
  if (E.isLeft(swept)) io.err('note: "cnm doctor --repair" brings this machine to what it should be')
  await engine.right.close()
  return done
}

const STOPPED = 'cnm: stopped; nothing is left by half, and nothing else was begun'

/** For work that changes things: the engine, recovered. A signal aborts `stop`; the work then begins nothing more. */
export const withEngine = async <B>(
  io: Io,
  options: HostOptions,
  work: (engine: Engine, stop: AbortSignal) => Answer<B>,
): Answer<B> => {
  const { value, signal } = await untilSignal((stop) =>
    onKernel(options, withStore, (opened) => onEngine(io, options, opened, stop, (engine) => work(engine, stop))),
  )
  if (signal === null) return value
  return E.left({ exit: exitOf(signal), lines: [...(E.isLeft(value) ? value.left.lines : []), STOPPED] })
}
