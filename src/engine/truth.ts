// What is true: the model with the host as it should be. It changes when what was decided is kept, and when what others did is heard; if
// nobody knows any more what is kept, it is read again. Invariant: after each of these, `core` is what is kept, unless a revert could not
// be kept yet.

import type { Drivers } from '../drivers/registry.ts'
import type { SharedNews } from '../model/command.ts'
import { decide } from '../model/decide.ts'
import type { CnmError } from '../model/error.ts'
import { evolve } from '../model/evolve.ts'
import type { Model } from '../model/types.ts'
import { getIn, hasIn } from '../net/pmap.ts'
import { E, type Either } from '../prelude.ts'
import type { StoreError } from '../store/error.ts'
import type { Host } from './host.ts'
import type { Deed } from './journal.ts'
import type { Keeper } from './keeper.ts'
import { coreIn, type Remembered, rememberedIn } from './load.ts'
import { storeProblem } from './problem.ts'
import { type Kept, keptFrom, recording, settled } from './record.ts'
import { type Core, step } from './step.ts'

/** `changed`: others have changed what it rests on; `too large`: this share of the commands, at a time, may do. */
export type Failure = Readonly<
  { why: 'changed' } | { why: 'too large'; share: number; error: CnmError } | { why: 'failed'; error: CnmError }
>

const failureOf = (problem: StoreError): Failure => {
  const error = storeProblem(problem)
  return problem.tag === 'StoreTooLarge'
    ? { why: 'too large', share: problem.most / problem.size, error }
    : { why: 'failed', error }
}

export type Truth = Readonly<{
  core: () => Core
  /** The last turn that ended. */
  turn: () => number
  /** Makes `next` the truth. Null: it is; else nothing changed, or `core` will be read again. */
  commit: (next: Core, deeds: ReadonlyArray<Deed>) => Promise<Failure | null>
  /** Goes back to a former core. If that cannot be kept, the next commit takes it along. */
  revert: (former: Core) => Promise<void>
  /** Forgets what a turn would have done that threw. */
  reset: (former: Core) => void
  /** Ends a turn. */
  settle: (deeds: ReadonlyArray<Deed>) => void
  /** Hears what others did. Right: `from`, a core of this turn, with it; the same, if it was nothing. */
  absorb: (from: Core) => Promise<Either<CnmError, Core>>
  /** The same, once all was heard that others were told is done. */
  catchUp: (from: Core) => Promise<Either<CnmError, Core>>
  /** How often all was read again. */
  beginnings: () => number
  /** Nobody knows what is kept, before something is absorbed. */
  isAstray: () => boolean
}>

export const makeTruth = (
  keeper: Keeper,
  drivers: Drivers,
  host: Pick<Host, 'believed' | 'values' | 'forget'>,
  checkpointTurns: number | null,
  start: Readonly<{ core: Core }> & Remembered,
): Truth => {
  let { core } = start
  let kept: Kept = keptFrom(core.model, start)
  let isAstray = false
  let beginnings = 0

  const commit: Truth['commit'] = async (next, deeds) => {
    const passage = { before: core, next, believed: host.believed(), values: host.values() }
    const { writes, kept: then } = recording(kept, passage, deeds, checkpointTurns)
    const done = await keeper.commit(writes, kept.model, next.model)
    if (E.isLeft(done)) {
      const setback = done.left
      if (setback.tag === 'Displaced' || setback.tag === 'Unknown') isAstray = true
      if (!('error' in setback)) return { why: 'changed' }
      return failureOf(setback.error)
    }
    kept = then
    host.forget(next.wanted.state)
    core = next
    return null
  }

  const modelWith = (model: Model, news: SharedNews): Model => {
    const events = decide(drivers, model, news)
    if (E.isLeft(events)) throw new Error(`news was refused: ${events.left.tag}`)
    return events.right.reduce(evolve, model)
  }
  const coreWith = (from: Core, news: SharedNews): Either<CnmError, Core> => {
    const stepped = step(drivers, from, news)
    return E.isLeft(stepped) ? stepped : E.right(stepped.right.core)
  }
  /** Of what is here, only we say that it is gone; if others do, they took it from us. */
  const isRobbed = ({ gone }: SharedNews): boolean =>
    gone.endpoints.some(
      (id) => hasIn(core.model.endpoints, id) && getIn(core.model.cluster.elsewhere, id) === undefined,
    )

  const beginAgain = async (): Promise<CnmError | null> => {
    isAstray = true
    const entries = await keeper.begin()
    if (E.isLeft(entries)) return storeProblem(entries.left)
    const read = coreIn(entries.right, keeper.host, drivers)
    if (E.isLeft(read)) return read.left
    core = read.right
    kept = keptFrom(core.model, { ...rememberedIn(entries.right), turn: kept.turn })
    isAstray = false
    beginnings += 1
    return null
  }

  const absorb: Truth['absorb'] = async (from) => {
    const heard = isAstray ? E.left(null) : keeper.news()
    if (E.isLeft(heard) || (heard.right !== null && isRobbed(heard.right))) {
      const failed = await beginAgain()
      return failed === null ? E.right(core) : E.left(failed)
    }
    const news = heard.right
    if (news === null) return E.right(from)
    const next = coreWith(core, news)
    const then = from === core ? next : coreWith(from, news)
    if (E.isLeft(next) || E.isLeft(then)) {
      isAstray = true
      return E.isLeft(next) ? next : then
    }
    const known = new Map([[core.model, next.right.model]])
    const follow = (model: Model): Model => {
      const done = known.get(model) ?? modelWith(model, news)
      known.set(model, done)
      return done
    }
    kept = { ...kept, model: follow(kept.model), settled: follow(kept.settled) }
    core = next.right
    return then
  }

  return {
    core: () => core,
    turn: () => kept.turn,
    commit,
    revert: async (former) => {
      if (!isAstray) await commit(former, [])
      core = former
    },
    reset: (former) => {
      core = former
      // News that was being told is told no more.
      isAstray = keeper.host !== null
    },
    settle: (deeds) => {
      kept = settled(kept, core.model, deeds)
      host.forget(core.wanted.state)
    },
    absorb,
    catchUp: async (from) => {
      if (isAstray) return absorb(from)
      const current = await keeper.catchUp()
      if (E.isLeft(current)) isAstray = true
      return absorb(from)
    },
    beginnings: () => beginnings,
    isAstray: () => isAstray,
  }
}
