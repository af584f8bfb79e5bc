// cnm doctor: compares the host as it should be with the host as it is, and on request repairs it.

import { E, type Either } from '../../prelude.ts'
import { EXIT } from '../exit.ts'
import { examine, findingView, isForeign, rootsOf } from '../host/examine.ts'
import type { Finding, State } from '../host/findings.ts'
import { isThere } from '../host/kept.ts'
import { type HostOptions, withEngine, withKernel } from '../host/open.ts'
import type { Io } from '../io.ts'
import type { Problem } from '../problem.ts'
import { jsonText } from '../render/json.ts'
import { machineText } from '../render/machine.ts'
import { counted, table } from '../render/table.ts'

export type DoctorOptions = HostOptions & Readonly<{ repair: boolean; json: boolean }>

const look = (options: HostOptions): Promise<Either<Problem, ReadonlyArray<Finding>>> =>
  withKernel(options, ({ kernel, ...stored }) => examine(kernel, stored))

const findingsTable = (io: Io, findings: ReadonlyArray<Finding>): string => {
  const rows = rootsOf(findings).map(({ finding, text }) => [finding.state, text, finding.owners.join(', ') || '-'])
  const head = ['STATE', 'OBJECT', 'OF'].map((title) => io.paint.dim(title))
  return table([head, ...rows]).replaceAll(/^ {2}/gm, '')
}

const STATES: ReadonlyArray<State> = ['missing', 'changed', 'surplus', 'foreign']

const summary = (findings: ReadonlyArray<Finding>): string => {
  const counts = STATES.map((state) => [findings.filter((each) => each.state === state).length, state] as const)
  const parts = counts.filter(([n]) => n > 0).map(([n, state]) => `${n} ${state}`)
  return `${counted(findings.length, 'difference')}: ${parts.join(', ')}`
}

/** What --json prints. `repaired`: whether a repair was asked for and made. */
const report = (findings: ReadonlyArray<Finding>, repaired: boolean): string =>
  jsonText({ differences: findings.map(findingView), repaired })

const say = (io: Io, { json, repair }: DoctorOptions, findings: ReadonlyArray<Finding>, repaired: boolean): void => {
  if (json) io.out(report(findings, repaired))
  else if (findings.length === 0) io.out('no differences: the host is as it should be')
  else io.out(`${findingsTable(io, findings)}\n\n${summary(findings)}${repaired ? '; repaired' : ''}`)
  if (json || repaired || findings.length === 0) return
  if (findings.some(isForeign))
    io.err('note: what is foreign is not touched: rename or remove it by hand, and ask again')
  else if (!repair) io.err('note: "cnm doctor --repair" puts this right')
}

export const doctor = async (io: Io, options: DoctorOptions): Promise<Either<Problem, number>> => {
  const found = await look(options)
  if (E.isLeft(found)) return found
  const findings = found.right
  // What is foreign would be given up by a repair, for the kernel would refuse what should be in its place.
  const repairs = options.repair && findings.length > 0 && !findings.some(isForeign)
  if (repairs) {
    const repaired = await withEngine(io, options, async () => E.right(undefined), { clears: true })
    if (E.isLeft(repaired)) return repaired
    const left = await look(options)
    if (E.isLeft(left)) return left
    if (left.right.length > 0) {
      say(io, options, left.right, false)
      return E.right(EXIT.unmet)
    }
  }
  if (options.kernel === 'linux' && !options.json && !(await isThere(options.store))) {
    const { lookAtMachine } = await import('../../kernel-linux/capabilities/look.ts')
    io.out(`${machineText(await lookAtMachine(), io.paint)}\n`)
  }
  say(io, options, findings, repairs)
  return E.right(findings.length === 0 || repairs ? EXIT.ok : EXIT.unmet)
}
