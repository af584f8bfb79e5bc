// The host as we believe it is, and its own sysctls: changed by what we have the kernel do, corrected by looking at it. After
// a refusal we have looked again, so what is believed is never what we merely hoped for.

import { after, diff } from '../kernel/diff.ts'
import type { Kernel, Refusal } from '../kernel/kernel.ts'
import type { KernelOp } from '../kernel/op.ts'
import type { KernelState } from '../kernel/state.ts'
import type { CnmError } from '../model/error.ts'
import { type HostFacts, type HostQuestion, isQuestion, NO_FACTS } from '../net/host-facts.ts'
import { E, type Either } from '../prelude.ts'
import { type HostValues, scopeOfValues, settingBack, stillNeeded, unknownValues, withValues } from './host-values.ts'
import { eitherOf, oursOf, scopeOf } from './look.ts'
import { kernelProblem } from './problem.ts'

/** `ops`: how many operations were asked for. */
export type Applied = Readonly<{ ops: number; refusals: ReadonlyArray<Refusal> }>

export type Host = Readonly<{
  believed: () => KernelState
  values: () => HostValues
  /** Looks up what the host's own sysctls say that are about to be set for the first time. */
  learn: (before: KernelState, next: KernelState) => Promise<CnmError | null>
  /** What the host is like beside what is ours on it; it is not asked without a question. */
  facts: (question: HostQuestion) => Promise<Either<CnmError, HostFacts>>
  /** Forgets the values of sysctls that are neither wanted nor believed to be set by us. */
  forget: (wanted: KernelState) => void
  /** Looks at all that is wanted, and at what else may be there and ours. */
  look: (wanted: KernelState) => Promise<CnmError | null>
  /**
   * Gives adopted namespaces that have lost their names those back, and looks again: what we have in one is seen only then. Right:
   * how many.
   */
  regain: (wanted: KernelState) => Promise<Either<CnmError, number>>
  /** What there is to do for it. */
  plan: (wanted: KernelState) => ReadonlyArray<KernelOp>
  /** Brings the kernel to what is wanted. Right: with those operations that were refused; then we have looked again. */
  apply: (wanted: KernelState, plan?: ReadonlyArray<KernelOp>) => Promise<Either<CnmError, Applied>>
}>

const isAdoption = ({ verb, object }: KernelOp): boolean =>
  verb === 'create' && object.kind === 'netns' && object.at !== null

export const makeHost = (kernel: Kernel, from: Readonly<{ believed: KernelState; values: HostValues }>): Host => {
  let { believed, values } = from

  const look = async (wanted: KernelState, known: KernelState): Promise<CnmError | null> => {
    const observed = await kernel.observe(scopeOf([wanted, known]))()
    if (E.isLeft(observed)) return kernelProblem(observed.left)
    believed = oursOf(observed.right, known)
    return null
  }

  const either = (wanted: KernelState): KernelState => eitherOf(believed, wanted)

  return {
    believed: () => believed,
    values: () => values,
    learn: async (before, next) => {
      const unknown = unknownValues(before, next, values)
      if (unknown.length === 0) return null
      const observed = await kernel.observe(scopeOfValues(unknown))()
      if (E.isLeft(observed)) return kernelProblem(observed.left)
      values = withValues(values, unknown, observed.right)
      return null
    },
    facts: async (question) => {
      if (!isQuestion(question)) return E.right(NO_FACTS)
      const facts = await kernel.facts(question)()
      return E.isLeft(facts) ? E.left(kernelProblem(facts.left)) : facts
    },
    forget: (wanted) => {
      values = stillNeeded(values, [wanted, believed])
    },
    // What is wanted was applied once, or the store says it was; what is believed besides, we failed to delete.
    look: (wanted) => look(wanted, either(wanted)),
    regain: async (wanted) => {
      const lost = diff(believed, wanted).filter(isAdoption)
      if (lost.length === 0) return E.right(0)
      // What is refused is tried once more with the rest, which tells of it.
      await kernel.apply(lost)()
      const failed = await look(wanted, either(wanted))
      return failed === null ? E.right(lost.length) : E.left(failed)
    },
    plan: (wanted) => diff(believed, wanted),
    apply: async (wanted, ops = diff(believed, wanted)) => {
      const applied = ops.length === 0 ? E.right(undefined) : await kernel.apply(ops.map(settingBack(values)))()
      if (E.isRight(applied)) {
        believed = wanted
        return E.right({ ops: ops.length, refusals: [] })
      }
      if ('tag' in applied.left) {
        // Nobody knows what was done: what was there and what was to be, both may be ours.
        await look(wanted, either(wanted))
        return E.left(kernelProblem(applied.left))
      }
      const refusals = applied.left
      const refused = new Set(refusals.map(({ at }) => at))
      const obeyed = ops.filter((_, at) => !refused.has(at)).reduce(after, believed)
      const failed = await look(wanted, obeyed)
      return failed === null ? E.right({ ops: ops.length, refusals }) : E.left(failed)
    },
  }
}
