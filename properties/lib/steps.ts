// A program of commands step by step, as `decide` and `evolve` take it from an empty model: a refused command changes nothing.

import { DRIVERS } from '../../src/drivers/registry.ts'
import type { Command } from '../../src/model/command.ts'
import { decide } from '../../src/model/decide.ts'
import type { CnmError } from '../../src/model/error.ts'
import { evolve } from '../../src/model/evolve.ts'
import { freshModel } from '../../src/model/model.ts'
import type { Model } from '../../src/model/types.ts'
import { E } from '../../src/prelude.ts'

export type Step = Readonly<{ before: Model; command: Command; answer: ReturnType<typeof decide>; after: Model }>

const take = (before: Model, command: Command): Step => {
  const answer = decide(DRIVERS, before, command)
  return { before, command, answer, after: E.isLeft(answer) ? before : answer.right.reduce(evolve, before) }
}

/** The model after a command. */
export const obey = (model: Model, command: Command): Model => take(model, command).after

export const stepsOf = (commands: ReadonlyArray<Command>): ReadonlyArray<Step> => {
  let model = freshModel()
  return commands.map((command) => {
    const step = take(model, command)
    model = step.after
    return step
  })
}

/** The model after all of them. */
export const modelAfter = (commands: ReadonlyArray<Command>): Model => commands.reduce(obey, freshModel())

/** The steps that were refused, and why. */
export const refusalsOf = (
  commands: ReadonlyArray<Command>,
): ReadonlyArray<Readonly<{ step: Step; error: CnmError }>> =>
  stepsOf(commands).flatMap((step) => (E.isLeft(step.answer) ? [{ step, error: step.answer.left }] : []))
