// Whether a history is linearizable (Herlihy and Wing 1990): whether there is, for each operation, an instant between its call
// and its return, so that at these instants, one after the other, the spec allows what was answered. Never a wrong yes and
// never a wrong no: a search that takes too long is undecided.

import type { Operation } from './event.ts'
import { linearize } from './search.ts'
import type { Group, Spec } from './spec.ts'

/** Of each group an order, as ids; or the first group that has none. */
export type Verdict<In, Out> = Readonly<
  | { tag: 'linearizable'; orders: ReadonlyArray<ReadonlyArray<number>> }
  | { tag: 'violated'; group: Group<In, Out> }
  | { tag: 'undecided'; group: Group<In, Out> }
>

/** `maxSteps`: how often the spec may be asked for one group. */
export type Effort = Readonly<{ maxSteps: number }>
export const EFFORT: Effort = { maxSteps: 2_000_000 }

/** Where one group is undecided, the others are still looked at: they may be wrong. */
export const check = <State, In, Out>(
  spec: Spec<State, In, Out>,
  operations: ReadonlyArray<Operation<In, Out>>,
  { maxSteps }: Effort = EFFORT,
): Verdict<In, Out> => {
  const orders: ReadonlyArray<number>[] = []
  let undecided: Group<In, Out> | null = null
  for (const group of spec.partition(operations)) {
    const outcome = linearize(spec, group.operations, maxSteps)
    if (outcome.tag === 'none') return { tag: 'violated', group }
    if (outcome.tag === 'order') orders.push(outcome.order)
    else undecided ??= group
  }
  return undecided === null ? { tag: 'linearizable', orders } : { tag: 'undecided', group: undecided }
}
