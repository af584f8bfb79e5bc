// The reachability table: every question that a project raises, in a stable order, each tried with real packets on the
// kernel at hand. Reasons are the simulated kernel's; where another kernel comes to another verdict, the row says so.

import type { Failure, Kernel, KernelError, Verdict } from '../kernel/kernel.ts'
import type { Model } from '../model/types.ts'
import { E, type Either } from '../prelude.ts'
import { type Attempt, approach, type Kind, type Question } from './approach.ts'
import { type Container, HOST_PLACE, INTERNET_PLACE, type Place, placeName } from './place.ts'

const ECHO: Kind = { proto: 'icmp' }

const sorted = (kinds: ReadonlyArray<Kind>): ReadonlyArray<Kind> => {
  const byText = new Map(kinds.map((kind) => [kind.proto === 'icmp' ? 'icmp' : `${kind.proto}/${kind.port}`, kind]))
  return [...byText.values()].sort((a, b) =>
    a.proto === 'icmp' || b.proto === 'icmp'
      ? Number(b.proto === 'icmp') - Number(a.proto === 'icmp')
      : a.port - b.port || (a.proto < b.proto ? -1 : 1),
  )
}

/** What a container is asked by another: an echo, and every port it is known to serve. */
const inside = (to: Container): ReadonlyArray<Kind> =>
  sorted([ECHO, ...to.listens.map(({ port, proto }): Kind => ({ proto, port }))])

/** What a container is asked from outside: every port it publishes, by its number on the host. */
const outside = (to: Container): ReadonlyArray<Kind> =>
  sorted(to.sandbox.ports.map(({ hostPort, transport }): Kind => ({ proto: transport, port: hostPort })))

const ask = (from: Place, to: Place, kinds: ReadonlyArray<Kind>): ReadonlyArray<Question> =>
  kinds.map((kind) => ({ from, to, kind }))

/** All questions: each container to each other and to the internet, then the host's and the internet's to published ports. */
export const questionsOf = (containers: ReadonlyArray<Container>): ReadonlyArray<Question> => [
  ...containers.flatMap((from) => [
    ...containers.flatMap((to) => (to === from ? [] : ask(from, to, inside(to)))),
    ...ask(from, INTERNET_PLACE, [ECHO]),
  ]),
  ...[HOST_PLACE, INTERNET_PLACE].flatMap((from) => containers.flatMap((to) => ask(from, to, outside(to)))),
]

/** `how` is null for what reaches, or was never tried. */
export type Finding = Readonly<{ question: Question; reaches: boolean; how: Failure | null; why: string }>

const died = (verdicts: ReadonlyArray<Verdict>): Extract<Verdict, { tag: 'died' }> | null => {
  for (const verdict of verdicts) if (verdict.tag === 'died') return verdict
  return null
}

const reason = (verdicts: ReadonlyArray<Verdict>, cannot: string): string => {
  const first = died(verdicts)
  if (first === null) return cannot
  const { where, why, how } = first
  return why === null ? how : where === null ? why : `${where}: ${why}`
}

/** Tries the attempts of one question until one arrives. */
export const findOut = async (
  kernel: Kernel,
  model: Model,
  question: Question,
): Promise<Either<KernelError, Finding>> => {
  const { attempts, cannot } = approach(model, question)
  const verdicts: Verdict[] = []
  for (const { probe, because } of attempts as ReadonlyArray<Attempt>) {
    const verdict = await kernel.probe(probe)()
    if (E.isLeft(verdict)) return verdict
    if (verdict.right.tag === 'arrived') return E.right({ question, reaches: true, how: null, why: because })
    verdicts.push(verdict.right)
  }
  return E.right({ question, reaches: false, how: died(verdicts)?.how ?? null, why: reason(verdicts, cannot) })
}

/** Asks them all; at once, for a real kernel's timeouts would add up. */
export const findAll = async (
  kernel: Kernel,
  model: Model,
  questions: ReadonlyArray<Question>,
  progress: (done: number) => void = () => {},
): Promise<Either<KernelError, ReadonlyArray<Finding>>> => {
  let done = 0
  const answers = await Promise.all(
    questions.map(async (question) => {
      const finding = await findOut(kernel, model, question)
      done += 1
      progress(done)
      return finding
    }),
  )
  const findings: Finding[] = []
  for (const answer of answers) {
    if (E.isLeft(answer)) return answer
    findings.push(answer.right)
  }
  return E.right(findings)
}

/** Findings of a kernel that gives no reasons, with the simulation's; a difference in the verdict itself is the reason. */
export const explainedBy = (
  findings: ReadonlyArray<Finding>,
  simulated: ReadonlyArray<Finding>,
): ReadonlyArray<Finding> =>
  findings.map((finding, i) => {
    const expected = simulated[i]
    if (expected === undefined) return finding
    if (expected.reaches === finding.reaches && (finding.reaches || expected.how === finding.how))
      return { ...finding, why: expected.why }
    const said = finding.reaches ? 'it reaches' : `it does not (${finding.how ?? 'nothing to try'})`
    const foreseen = expected.reaches ? 'it would' : `it would not (${expected.how ?? 'nothing to try'})`
    return { ...finding, why: `${said}, but the simulation said ${foreseen}: ${expected.why}` }
  })

/** One row for programs: the same on both kernels. */
export type Row = Readonly<{
  from: string
  to: string
  proto: string
  port: number | null
  reaches: boolean
  why: string
}>

export const rowOf = ({ question: { from, to, kind }, reaches, why }: Finding): Row => ({
  from: placeName(from),
  to: placeName(to),
  proto: kind.proto,
  port: kind.proto === 'icmp' ? null : kind.port,
  reaches,
  why,
})
