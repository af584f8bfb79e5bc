// Looks of a watch at the host, each followed by a repair where something differs. The store is read beside whoever is at work, and
// the directory is held for the moment of a repair only, so that other verbs work as ever; while one is at work, what differs is
// its business. After a repair the kernel tells of that, too: the look that follows finds nothing, and nothing more comes of it.

import type { Kernel } from '../../kernel/kernel.ts'
import { E, type Either } from '../../prelude.ts'
import type { Beside, Sight } from '../../store/beside.ts'
import type { Io } from '../io.ts'
import type { Problem } from '../problem.ts'
import { examine, findingView, isForeign, rootsOf } from './examine.ts'
import type { Finding } from './findings.ts'
import { type Held, keptOf, type Stored, storedIn, withHeld } from './kept.ts'
import { type HostOptions, onEngine, onPlace, whereIs } from './open.ts'
import { storeProblem } from './refusal.ts'

export type WatchOptions = HostOptions & Readonly<{ json: boolean }>

/** `busy`: somebody is at work; it must be looked at again soon. `well`: there was nothing to repair, or it may not be. */
export type Looked = 'well' | 'repaired' | 'busy'

type Answer<A> = Promise<Either<Problem, A>>

/** What a store says that was read beside whoever is at work. */
export const readIn = async (sight: Sight, options: HostOptions): Answer<Stored> => {
  const kept = keptOf(options.store, sight)
  if (E.isLeft(kept)) return kept
  const where = await whereIs(kept.right, options)
  return E.isLeft(where) ? where : storedIn(kept.right)
}

const linesOf = (
  json: boolean,
  event: 'repaired' | 'foreign',
  findings: ReadonlyArray<Finding>,
): ReadonlyArray<string> => {
  if (json) return findings.map((finding) => JSON.stringify({ event, ...findingView(finding) }))
  return rootsOf(findings).map(({ finding: { state, owners }, text }) => {
    const of = owners.length === 0 ? '' : `, of ${owners.join(', ')}`
    return event === 'repaired'
      ? `repaired: ${state}: ${text}${of}`
      : `not repaired: foreign: ${text}${of}; rename or remove it by hand`
  })
}

/** A look, to be called again and again. Left: it could not be finished. */
export const lookerOf = (
  io: Io,
  options: WatchOptions,
  kernel: Kernel,
  beside: Beside,
): ((stop: AbortSignal) => Answer<Looked>) => {
  let known: Readonly<{ stamp: string; stored: Stored }> | null = null
  let toldForeign = ''

  const stored = async (sight: Sight): Answer<Stored> => {
    if (known?.stamp === sight.stamp) return E.right(known.stored)
    const read = await readIn(sight, options)
    if (E.isRight(read)) known = { stamp: sight.stamp, stored: read.right }
    return read
  }

  /** Those that are somebody else's stand in the way of a repair, and are told once. */
  const tellForeign = (findings: ReadonlyArray<Finding>): Looked => {
    const foreign = findings.filter(isForeign)
    const keys = foreign.map(({ key }) => key).join(' ')
    if (keys !== toldForeign) for (const line of linesOf(options.json, 'foreign', foreign)) io.out(line)
    toldForeign = keys
    return 'well'
  }

  /** What was seen may be over by the time the directory is ours. */
  const repair = (stop: AbortSignal): Answer<Looked> =>
    onPlace<Held, Looked>(kernel, options, withHeld, async (opened) => {
      const now = await storedIn(opened.kept)
      if (E.isLeft(now)) return now
      const findings = await examine(kernel, now.right)
      if (E.isLeft(findings)) return findings
      if (findings.right.length === 0) return E.right('well')
      if (findings.right.some(isForeign)) return E.right(tellForeign(findings.right))
      return onEngine(io, options, opened, stop, async () => {
        for (const line of linesOf(options.json, 'repaired', findings.right)) io.out(line)
        return E.right('repaired')
      })
    })

  return async (stop) => {
    const sight = await beside.read()
    if (E.isLeft(sight)) return E.left(storeProblem(sight.left))
    if (sight.right === null) return E.right('well')
    if (sight.right.isBusy) return E.right('busy')
    const read = await stored(sight.right)
    if (E.isLeft(read)) return read
    const findings = await examine(kernel, read.right)
    if (E.isLeft(findings)) return findings
    if (findings.right.some(isForeign)) return E.right(tellForeign(findings.right))
    toldForeign = ''
    return findings.right.length === 0 || stop.aborted ? E.right('well') : repair(stop)
  }
}
