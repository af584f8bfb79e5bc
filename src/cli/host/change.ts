// How a changing verb works: deeds one after the other, each whole or not at all, each said when it is done; or, as a dry run,
// the kernel operations they would come to, told from the store alone. One deed that is refused does not stop the next; a signal
// does, when the one under way is done.

import { DRIVERS } from '../../drivers/registry.ts'
import type { Engine } from '../../engine/engine.ts'
import { foresee } from '../../engine/foresee.ts'
import type { Core } from '../../engine/step.ts'
import type { KernelOp } from '../../kernel/op.ts'
import type { Command } from '../../model/command.ts'
import type { CnmError } from '../../model/error.ts'
import type { Model } from '../../model/types.ts'
import { E, type Either } from '../../prelude.ts'
import { EXIT } from '../exit.ts'
import type { Io } from '../io.ts'
import type { Problem } from '../problem.ts'
import { type Chapter, script } from '../render/script.ts'
import { type Stored, withStored } from './kept.ts'
import { type HostOptions, hostNames, withEngine } from './open.ts'
import { refusalProblem } from './refusal.ts'

/** `title`: what it is, for the dry run. `says`: what is printed once it is done, if anything. */
export type Deed = Readonly<{ title: string; commands: ReadonlyArray<Command>; says: string | null }>
/** Decided in the light of the deeds before. Null: there is nothing to do. */
export type Plan = (model: Model) => Either<Problem, Deed | null>
/** From the model as it is at the start. */
export type Plans = (model: Model) => ReadonlyArray<Plan>
export type ChangeOptions = HostOptions & Readonly<{ dryRun: boolean }>

const firstRefusal = (answers: ReadonlyArray<Either<CnmError, unknown>>): CnmError | null => {
  for (const answer of answers) if (E.isLeft(answer)) return answer.left
  return null
}

/** All commands or none. Right: what is to be said. */
const perform = async (engine: Engine, plan: Plan, stop: AbortSignal): Promise<Either<Problem, string | null>> => {
  const deed = plan(engine.model())
  if (E.isLeft(deed)) return deed
  if (deed.right === null) return E.right(null)
  const { commands, says } = deed.right
  const foreseen = await engine.preview(commands)
  if (E.isLeft(foreseen)) return E.left(refusalProblem(foreseen.left))
  const refusal = firstRefusal(await engine.submit(commands, { signal: stop, together: true }))
  return refusal === null ? E.right(says) : E.left(refusalProblem(refusal))
}

type Foreseen = Readonly<{ core: Core; title: string; ops: ReadonlyArray<KernelOp> }>

/** Null: nothing would be done. The host is taken to be as the store says it should be. */
const outlook = ({ core, remembered }: Stored, plan: Plan): Either<Problem, Foreseen | null> => {
  const deed = plan(core.model)
  if (E.isLeft(deed)) return deed
  if (deed.right === null) return E.right(null)
  const { title, commands } = deed.right
  const known = { core, believed: core.wanted.state, values: remembered.values }
  const foreseen = foresee(DRIVERS, known, commands)
  return E.isLeft(foreseen)
    ? E.left(refusalProblem(foreseen.left))
    : E.right({ core: foreseen.right.core, title, ops: foreseen.right.ops })
}

/** The first one to fail decides the status. */
const complain = (io: Io, status: number, { lines, exit }: Problem): number => {
  for (const line of lines) io.err(line)
  return status === EXIT.ok ? exit : status
}

const HEAD = ['A dry run: nothing was changed. Ids are chosen anew each time, and names of devices follow them.']
const IDLE = ': nothing for the kernel to do'

const rehearse = (io: Io, stored: Stored, plansOf: Plans): number => {
  let status: number = EXIT.ok
  let { core } = stored
  const chapters: Chapter[] = []
  for (const plan of plansOf(core.model)) {
    const foreseen = outlook({ ...stored, core }, plan)
    if (E.isLeft(foreseen)) status = complain(io, status, foreseen.left)
    if (E.isLeft(foreseen) || foreseen.right === null) continue
    const { title, ops } = foreseen.right
    core = foreseen.right.core
    chapters.push({ title: ops.length === 0 ? title + IDLE : title, ops })
  }
  if (chapters.length > 0) io.out(script(HEAD, chapters, hostNames))
  return status
}

/** Left, also with `force`: a word that could mean several. What is not there is gone already, if that is forced. */
type Found<A> = (model: Model, word: string) => Either<Problem, A>

/** Removes what each word means, and says the word. */
export const removeAll = <A>(
  io: Io,
  words: ReadonlyArray<string>,
  options: ChangeOptions & Readonly<{ force: boolean }>,
  find: Found<A>,
  removal: (found: A) => Omit<Deed, 'says'>,
): Promise<Either<Problem, number>> =>
  change(io, options, () =>
    words.map(
      (word): Plan =>
        (model) => {
          const found = find(model, word)
          if (E.isLeft(found)) return options.force && found.left.exit === EXIT.refused ? E.right(null) : found
          return E.right({ ...removal(found.right), says: word })
        },
    ),
  )

export const change = (io: Io, options: ChangeOptions, plansOf: Plans): Promise<Either<Problem, number>> => {
  if (options.dryRun) return withStored(options.store, async (stored) => E.right(rehearse(io, stored, plansOf)))
  return withEngine(io, options, async (engine, stop) => {
    let status: number = EXIT.ok
    for (const plan of plansOf(engine.model())) {
      if (stop.aborted) break
      const done = await perform(engine, plan, stop)
      if (E.isLeft(done)) status = complain(io, status, done.left)
      else if (done.right !== null) io.out(done.right)
    }
    return E.right(status)
  })
}
