// A verb's hold on the host: its kernel, and on that the engine, recovered, for one process at a time. Verbs that only
// look read what is kept (kept.ts) and leave the kernel alone, so that looking never repairs.

import { type Engine, openEngine } from '../../engine/engine.ts'
import { diff } from '../../kernel/diff.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import type { NsNames } from '../../kernel/print.ts'
import { EMPTY_STATE } from '../../kernel/state.ts'
import { objectText } from '../../kernel/words.ts'
import type { TransportName } from '../../kernel-linux/ready.ts'
import { isElsewhere, isShared } from '../../model/cluster.ts'
import type { Model } from '../../model/types.ts'
import { HOST } from '../../net/name.ts'
import { hasIn, sizeOfMap, valuesOf } from '../../net/pmap.ts'
import { E, type Either } from '../../prelude.ts'
import { exitOf, untilSignal } from '../guard.ts'
import type { Io } from '../io.ts'
import { kernelProblem, type Problem } from '../problem.ts'
import type { KernelName } from '../survey.ts'
import { examine } from './examine.ts'
import { type Answer, type Held, type Kept, type Stored, storedIn, type Work, withHeld, withSight } from './kept.ts'
import { type Place, showPlace } from './place.ts'
import { refusalProblem, refused, storeProblem } from './refusal.ts'

export type HostOptions = Readonly<{ store: Place; kernel: KernelName; transport?: TransportName }>

/** `nowhere`: nothing was changed there yet. */
type Where = 'here' | 'nowhere'

/** Left: it is another than was asked for. A simulated machine would forget what is yet to be put right on the real one. */
export const whereIs = async (kept: Kept, { store: place, kernel }: HostOptions): Promise<Either<Problem, Where>> => {
  const noted = await kept.kernel()
  if (E.isLeft(noted)) return E.left(storeProblem(noted.left))
  if (noted.right === null) return E.right('nowhere')
  if (noted.right === kernel) return E.right('here')
  const other = place.tag === 'lmdb' ? '--state' : place.tag === 'host' ? '--host' : 'prefix'
  const way = `say --kernel ${noted.right}, or choose another ${other}`
  return E.left(
    refused(
      'Conflict',
      `the networks of ${showPlace(place)} are on kernel ${noted.right}, not on kernel ${kernel}; ${way}`,
    ),
  )
}

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

/** Objects that recovery had to give up, because the kernel would not hold them any more; of what hosts share, others may have. */
const lossesOf = (before: Model, after: Model): ReadonlyArray<string> => [
  ...valuesOf(before.networks).flatMap((network) =>
    hasIn(after.networks, network.id) || isShared(before, network) ? [] : [`network "${network.name}"`],
  ),
  ...valuesOf(before.sandboxes).flatMap(({ id, container }) =>
    hasIn(after.sandboxes, id) ? [] : [`sandbox "${container}"`],
  ),
  ...valuesOf(before.endpoints).flatMap(({ id, name }) =>
    hasIn(after.endpoints, id) || isElsewhere(before, id) ? [] : [`endpoint "${name}"`],
  ),
]

export type Opened<K extends Kept> = Readonly<{ kernel: Kernel; kept: K; where: Where }>

/** `open`: how it is had. */
export const onPlace = <K extends Kept, B>(
  kernel: Kernel,
  options: HostOptions,
  open: (place: Place, work: Work<K, B>) => Answer<B>,
  work: Work<Opened<K>, B>,
): Answer<B> =>
  open(options.store, async (kept) => {
    const where = await whereIs(kept, options)
    return E.isLeft(where) ? where : work({ kernel, kept, where: where.right })
  })

const onKernel = async <K extends Kept, B>(
  options: HostOptions,
  open: (place: Place, work: Work<K, B>) => Answer<B>,
  work: Work<Opened<K>, B>,
): Answer<B> => {
  const kernel = await kernelOf(options)
  if (E.isLeft(kernel)) return kernel
  try {
    return await onPlace(kernel.right, options, open, work)
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
  onKernel<Kept, B>(options, withSight, async ({ kernel, kept }) => {
    const stored = await storedIn(kept)
    if (E.isLeft(stored)) return stored
    const ready = await madeReady(kernel, stored.right)
    return E.isLeft(ready) ? ready : work({ ...stored.right, kernel })
  })

/** Null: what every network needs is there. */
const missingBasics = async (kernel: KernelName): Promise<Problem | null> => {
  if (kernel === 'sim') return null
  const { withoutBasics } = await import('../../kernel-linux/ready.ts')
  const lacks = await withoutBasics()
  return lacks === null ? null : kernelProblem(lacks)
}

/**
 * Left: by what is kept, to which nobody ever brought this machine, it should hold nothing, and yet it holds what cnm made. The store
 * was lost, or another is meant; what runs on should not lose its networks by that.
 */
const orphansOf = async (kernel: Kernel, { store }: HostOptions, stored: Stored): Promise<Either<Problem, void>> => {
  if (sizeOfMap(stored.core.wanted.state) > 0) return E.right(undefined)
  const findings = await examine(kernel, stored)
  if (E.isLeft(findings)) return findings
  const [first, ...rest] = findings.right.filter(({ state }) => state === 'surplus')
  if (first === undefined) return E.right(undefined)
  const more = rest.length === 0 ? '' : ` and ${rest.length} more`
  const what = `this machine holds what cnm made by another store (${objectText(first.object)}${more}), of which ${showPlace(store)} knows nothing`
  const way = 'name the other one, or import its last export; "cnm doctor --repair" takes it all down'
  return E.left(refused('Conflict', `${what}; ${way}`))
}

/** `clears`: whether it may take down all that this machine holds. */
type Leave = Readonly<{ clears: boolean }>

/** The engine, recovered. `stop`, once aborted, says that a signal may have reached what it was doing. */
export const onEngine = async <B>(
  io: Io,
  options: HostOptions,
  { kernel, kept, where }: Opened<Held>,
  stop: AbortSignal,
  work: Work<Engine, B>,
  { clears }: Leave = { clears: false },
): Answer<B> => {
  // Whoever changes something first finds out whether it can be done here at all, and decides for those who come later.
  const lacks = where === 'nowhere' ? await missingBasics(options.kernel) : null
  if (lacks !== null) return E.left(lacks)
  const before = await storedIn(kept)
  if (E.isLeft(before)) return before
  const orphans = where === 'here' || clears ? E.right(undefined) : await orphansOf(kernel, options, before.right)
  if (E.isLeft(orphans)) return orphans
  const noted = where === 'nowhere' ? await kept.noteKernel(options.kernel) : E.right(undefined)
  if (E.isLeft(noted)) return E.left(storeProblem(noted.left))
  const engine = await openEngine({ kernel, ...kept.keeper })
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
  leave?: Leave,
): Answer<B> => {
  const { value, signal } = await untilSignal((stop) =>
    onKernel<Held, B>(options, withHeld, (opened) =>
      onEngine(io, options, opened, stop, (engine) => work(engine, stop), leave),
    ),
  )
  if (signal === null) return value
  return E.left({ exit: exitOf(signal), lines: [...(E.isLeft(value) ? value.left.lines : []), STOPPED] })
}
