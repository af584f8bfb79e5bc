// A verb's hold on the host: its state directory, for one process at a time, and the engine on it, recovered. Verbs that only
// look read the store and leave the kernel alone, so that looking never repairs.

import { DRIVERS } from '../../drivers/registry.ts'
import { type Engine, openEngine } from '../../engine/engine.ts'
import { HOST_VALUES, type HostValues, readHostValues } from '../../engine/host-values.ts'
import { type Core, coreOf } from '../../engine/step.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { NsNames } from '../../kernel/print.ts'
import { loadModel } from '../../model/codec.ts'
import type { CnmError } from '../../model/error.ts'
import { freshModel } from '../../model/model.ts'
import type { Model } from '../../model/types.ts'
import { HOST } from '../../net/name.ts'
import { hasIn, valuesOf } from '../../net/pmap.ts'
import { E, type Either } from '../../prelude.ts'
import { lmdbStore } from '../../store/lmdb/lmdb.ts'
import type { Store } from '../../store/store.ts'
import type { Io } from '../io.ts'
import type { Problem } from '../problem.ts'
import type { KernelName } from '../survey.ts'
import { refusalProblem, storeProblem } from './refusal.ts'
import { rightsProblem } from './rights.ts'

/** `state`: the directory that holds the store. */
export type HostOptions = Readonly<{ state: string; kernel: KernelName }>

type Work<A, B> = (given: A) => Promise<Either<Problem, B>>

export const withStore = async <B>(state: string, work: Work<Store, B>): Promise<Either<Problem, B>> => {
  const store = await lmdbStore({ dir: state })()
  if (E.isLeft(store)) return E.left(storeProblem(store.left))
  try {
    return await work(store.right)
  } finally {
    await store.right.close()
  }
}

/** What the store says, the host as it should be by it, and what the host's own sysctls said before. */
export type Stored = Readonly<{ core: Core; values: HostValues }>

const storedIn = async (store: Store): Promise<Either<Problem, Stored>> => {
  const listed = await store.list('')()
  if (E.isLeft(listed)) return E.left(storeProblem(listed.left))
  const { entries } = listed.right
  const model = loadModel(freshModel(), entries)
  const unsound = (what: string): CnmError => ({ tag: 'Unavailable', what, hint: null })
  if (E.isLeft(model)) return E.left(refusalProblem(unsound(model.left)))
  const core = coreOf(DRIVERS, model.right)
  if (E.isLeft(core)) return E.left(refusalProblem(core.left))
  return E.right({ core: core.right, values: readHostValues(entries.filter(({ key }) => key.startsWith(HOST_VALUES))) })
}

/** For work that changes nothing, neither the store nor the kernel. */
export const withStored = <B>(state: string, work: Work<Stored, B>): Promise<Either<Problem, B>> =>
  withStore(state, async (store) => {
    const stored = await storedIn(store)
    return E.isLeft(stored) ? stored : work(stored.right)
  })

/** Namespaces in a script that runs in the host's. */
export const hostNames: NsNames = (ns) => (ns === HOST ? '/proc/$$/ns/net' : ns)

/** The kernel this process runs on; the host is the namespace it runs in, and every other is known by its own name. */
export const kernelOf = async (kernel: KernelName): Promise<Either<Problem, Kernel>> => {
  if (kernel === 'sim') return E.right((await import('../../kernel-sim/kernel.ts')).simKernel())
  const lacking = await rightsProblem()
  if (lacking !== null) return E.left(lacking)
  const { linuxKernel } = await import('../../kernel-linux/linux.ts')
  return E.right(linuxKernel({ names: (ns) => (ns === HOST ? null : ns) }))
}

/** Objects that recovery had to give up, because the kernel would not hold them any more. */
const lossesOf = (before: Model, after: Model): ReadonlyArray<string> => [
  ...valuesOf(before.networks).flatMap(({ id, name }) => (hasIn(after.networks, id) ? [] : [`network "${name}"`])),
  ...valuesOf(before.sandboxes).flatMap(({ id, container }) =>
    hasIn(after.sandboxes, id) ? [] : [`sandbox "${container}"`],
  ),
  ...valuesOf(before.endpoints).flatMap(({ id, name }) => (hasIn(after.endpoints, id) ? [] : [`endpoint "${name}"`])),
]

/** After so many turns the journal begins anew; until the next time it keeps those before, too. */
const CHECKPOINT_TURNS = 1000

/** For work that changes things: the engine, recovered. */
export const withEngine = async <B>(
  io: Io,
  options: HostOptions,
  work: Work<Engine, B>,
): Promise<Either<Problem, B>> => {
  const kernel = await kernelOf(options.kernel)
  if (E.isLeft(kernel)) return kernel
  return withStore(options.state, async (store) => {
    const before = await storedIn(store)
    if (E.isLeft(before)) return before
    const engine = await openEngine({ kernel: kernel.right, store, checkpointTurns: CHECKPOINT_TURNS })
    if (E.isLeft(engine)) return E.left(refusalProblem(engine.left))
    for (const lost of lossesOf(before.right.core.model, engine.right.model()))
      io.err(`note: ${lost} was given up: the kernel would not hold it any more`)
    const done = await work(engine.right)
    await engine.right.close()
    return done
  })
}
