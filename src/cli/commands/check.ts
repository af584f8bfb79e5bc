// cnm check: do the expectations of a Compose file hold?

import { writeFile } from 'node:fs/promises'
import { showAt } from '../../compose/at.ts'
import type { Expectation, Project } from '../../compose/project.ts'
import type { TransportName } from '../../kernel-linux/ready.ts'
import { adviceFor } from '../../lab/advice.ts'
import { disappointments, questionsFor } from '../../lab/expect.ts'
import { journeyOf } from '../../lab/journey.ts'
import type { Lab } from '../../lab/lab.ts'
import { placeName } from '../../lab/place.ts'
import { type Finding, rowOf } from '../../lab/reach.ts'
import { E, type Either } from '../../prelude.ts'
import { EXIT } from '../exit.ts'
import type { Io, Paint } from '../io.ts'
import { type Problem, problem } from '../problem.ts'
import { journeyText } from '../render/journey.ts'
import { jsonText } from '../render/json.ts'
import { junit } from '../render/junit.ts'
import { counted } from '../render/table.ts'
import type { Simulation } from '../simulation.ts'
import { labPlanOf, readSource, type Source } from '../source.ts'
import { type KernelName, survey } from '../survey.ts'
import { kindText } from '../target.ts'

export type CheckOptions = Source &
  Readonly<{ kernel: KernelName; transport: TransportName | null; json: boolean; junit?: string }>

/** `failed`: the answers that were not as hoped; empty if it holds. */
export type Outcome = Readonly<{ expectation: Expectation; failed: ReadonlyArray<Finding> }>

/** Deals the answers out to those who asked, in order. */
const outcomesOf = (
  asked: ReadonlyArray<Readonly<{ expectation: Expectation; questions: number }>>,
  findings: ReadonlyArray<Finding>,
): ReadonlyArray<Outcome> => {
  let next = 0
  return asked.map(({ expectation, questions }) => {
    const own = findings.slice(next, next + questions)
    next += questions
    return { expectation, failed: disappointments(expectation, own) }
  })
}

/** In one line, however it was written. */
const sentenceOf = ({ text }: Expectation): string => text.trim().replace(/\s+/g, ' ')

const whyText = ({ failed }: Outcome): string =>
  failed
    .map((finding) => {
      const { from, to, why } = rowOf(finding)
      return finding.reaches ? `${from} reaches ${to}: ${why}` : `${from} does not reach ${to}: ${why}`
    })
    .join('\n')

/** The journeys behind a failure; of many alike, the first. */
const storyOf = ({ failed }: Outcome, { lab, built, names }: Simulation, paint: Paint): string => {
  const [finding] = failed
  if (finding === undefined) return ''
  const { question, reaches } = finding
  const model = lab.engine.model()
  const advice = reaches ? null : adviceFor(model, question)
  const title = `${placeName(question.from)} to ${placeName(question.to)}, ${kindText(question.kind)}`
  return `${title}\n\n${journeyText(journeyOf(built, model, question, names), names, placeName(question.from), advice, paint)}`
}

const indented = (text: string): string =>
  text
    .split('\n')
    .map((line) => (line === '' ? '' : `    ${line}`))
    .join('\n')

const show = (io: Io, outcomes: ReadonlyArray<Outcome>, simulation: Simulation): void => {
  const { red, green } = io.paint
  for (const outcome of outcomes) {
    const { expectation, failed } = outcome
    io.out(`${failed.length === 0 ? green('ok  ') : red('FAIL')} ${sentenceOf(expectation)}`)
    if (failed.length === 0) continue
    io.out(`     ${showAt(expectation.at)}`)
    io.out(indented(whyText(outcome)))
    io.out('')
    io.out(indented(storyOf(outcome, simulation, io.paint)))
    io.out('')
  }
  const failures = outcomes.filter(({ failed }) => failed.length > 0).length
  const all = counted(outcomes.length, 'expectation')
  io.out(failures === 0 ? `${all}, all met` : `${all}, ${failures} not met`)
}

const asJson = (outcomes: ReadonlyArray<Outcome>): unknown => ({
  expectations: outcomes.map(({ expectation, failed }) => ({
    text: expectation.text,
    at: showAt(expectation.at),
    met: failed.length === 0,
    failed: failed.map(rowOf),
  })),
})

const PLAIN: Paint = { bold: String, dim: String, red: String, green: String, yellow: String }

const junitOf = (project: Project, outcomes: ReadonlyArray<Outcome>, simulation: Simulation): string =>
  junit(
    project.name,
    outcomes.map((outcome) => ({
      name: sentenceOf(outcome.expectation),
      file: outcome.expectation.at.file,
      line: outcome.expectation.at.line,
      failure:
        outcome.failed.length === 0
          ? null
          : {
              message: `${showAt(outcome.expectation.at)}: ${whyText(outcome)}`,
              text: storyOf(outcome, simulation, PLAIN),
            },
    })),
  )

const writeJunit = async (path: string, text: string): Promise<Either<Problem, void>> => {
  try {
    await writeFile(path, text)
    return E.right(undefined)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
    return problem(EXIT.wrong, `${path}: cannot be written (${code})`)
  }
}

/** An expectation that asks nothing would always be met, so it is a mistake in the file. */
const idle = (lab: Lab, { expectations }: Project): Problem | null => {
  const lines = expectations.flatMap((expectation) => {
    const { from, to, port, text, at } = expectation
    const said = `${showAt(at)}: the expectation "${text}" cannot be checked:`
    if (port?.proto === 'sctp') return [`${said} SCTP is not carried by the simulation yet`]
    if (questionsFor(lab.containers, expectation).length > 0) return []
    return [
      `${said} ${from === to ? `${from} is one container` : `${to} is all that ${from} is`}, and would ask itself`,
    ]
  })
  return lines.length === 0 ? null : { exit: EXIT.wrong, lines }
}

export const check = async (io: Io, options: CheckOptions): Promise<Either<Problem, number>> => {
  const project = await readSource(io, options)
  if (E.isLeft(project)) return project
  const { expectations } = project.right
  if (expectations.length === 0)
    return problem(
      EXIT.wrong,
      `${options.files.join(', ') || 'the file'}: there are no expectations; write some, such as: x-cnm: { expect: ["web reaches api on tcp/8080"] }`,
    )
  const plan = labPlanOf(project.right)
  const found = await survey(io, project.right, plan, { ...options, keep: false }, ({ containers }) =>
    expectations.flatMap((expectation) => questionsFor(containers, expectation)),
  )
  if (E.isLeft(found)) return found
  const { simulation, findings } = found.right
  const { containers } = simulation.lab
  const wrong = idle(simulation.lab, project.right)
  if (wrong !== null) return E.left(wrong)
  const asked = expectations.map((expectation) => ({
    expectation,
    questions: questionsFor(containers, expectation).length,
  }))
  const outcomes = outcomesOf(asked, findings)
  if (options.junit !== undefined) {
    const written = await writeJunit(options.junit, junitOf(project.right, outcomes, simulation))
    if (E.isLeft(written)) return written
  }
  if (options.json) io.out(jsonText(asJson(outcomes)))
  else show(io, outcomes, simulation)
  return E.right(outcomes.some(({ failed }) => failed.length > 0) ? EXIT.unmet : EXIT.ok)
}
