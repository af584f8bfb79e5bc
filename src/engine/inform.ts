// Commands that depend on what their host is like are told of it before they are decided: all of a turn by one look.

import type { Drivers } from '../drivers/registry.ts'
import type { Command } from '../model/command.ts'
import type { CnmError } from '../model/error.ts'
import { networkNamed } from '../model/queries.ts'
import { type Lenders, questionOf, withHost } from '../model/question.ts'
import type { Model } from '../model/types.ts'
import { bothQuestions, isQuestion, NO_QUESTION } from '../net/host-facts.ts'
import { E, type Either } from '../prelude.ts'
import type { Host } from './host.ts'

/** Who lends may be made by a command before. */
const lendersIn =
  (model: Model, commands: ReadonlyArray<Command>): Lenders =>
  (name) => {
    const lender = networkNamed(model, name)
    if (lender !== undefined) return lender
    const made = commands.find((each) => each.tag === 'CreateNetwork' && each.name === name)
    return made?.tag === 'CreateNetwork' ? { options: made.options, asked: made.pools } : undefined
  }

export const inform = async (
  host: Pick<Host, 'facts'>,
  drivers: Drivers,
  model: Model,
  commands: ReadonlyArray<Command>,
): Promise<Either<CnmError, ReadonlyArray<Command>>> => {
  const lenders = lendersIn(model, commands)
  const questions = commands.map((command) => questionOf(drivers, lenders, command))
  const question = questions.reduce(bothQuestions, NO_QUESTION)
  if (!isQuestion(question)) return E.right(commands)
  const facts = await host.facts(question)
  if (E.isLeft(facts)) return facts
  return E.right(
    commands.map((command, i) => {
      const asked = questions[i] ?? NO_QUESTION
      return isQuestion(asked) ? withHost(command, asked, facts.right) : command
    }),
  )
}
