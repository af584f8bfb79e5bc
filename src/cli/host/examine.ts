// One look at the host: what differs between what the store says and what the kernel says.

import { leftBehind } from '../../engine/load.ts'
import { scopeOf } from '../../engine/look.ts'
import type { Kernel } from '../../kernel/kernel.ts'
import { objectText } from '../../kernel/words.ts'
import { E, type Either } from '../../prelude.ts'
import { kernelProblem, type Problem } from '../problem.ts'
import { type Finding, findingsOf } from './findings.ts'
import type { Stored } from './kept.ts'

export const examine = async (
  kernel: Kernel,
  { core, remembered }: Stored,
): Promise<Either<Problem, ReadonlyArray<Finding>>> => {
  const { model, wanted } = core
  const left = leftBehind(remembered, wanted.state)
  const observed = await kernel.observe(scopeOf([wanted.state, left]))()
  return E.isLeft(observed)
    ? E.left(kernelProblem(observed.left))
    : E.right(findingsOf(model, wanted, left, observed.right))
}

export const isForeign = ({ state }: Finding): boolean => state === 'foreign'

/** For people, each with those that depend on it. */
export const rootsOf = (
  findings: ReadonlyArray<Finding>,
): ReadonlyArray<Readonly<{ finding: Finding; text: string }>> =>
  findings
    .filter(({ follows }) => follows === null)
    .map((finding) => {
      const n = findings.filter(({ follows }) => follows === finding.key).length
      return { finding, text: objectText(finding.object) + (n === 0 ? '' : ` (and ${n} that depend on it)`) }
    })

/** For programs. */
export const findingView = ({ state, key, object, owners, follows }: Finding) => ({
  state,
  key,
  object: objectText(object),
  owners: owners.join(', '),
  follows,
})
