// Whether a history is linearizable (Herlihy and Wing 1990): whether there is, for each operation, an instant between its call
// and its return, so that at these instants, one after the other, the spec allows what was answered. Never a wrong yes and
// never a wrong no: a search that takes too long is undecided.

import type { Operation } from './event.ts'
import { linearize } from './search.ts'
import type { Group, Spec } from './spec.ts'

/** An order for the operations of a group, as ids. */
export type Ordered<In, Out> = Readonly<{ group: Group<In, Out>; order: ReadonlyArray<number> }>

/** All groups, or their parts, with an order; or the first group that has none. */
export type Verdict<In, Out> = Readonly<
  | { tag: 'linearizable'; orders: ReadonlyArray<Ordered<In, Out>> }
  | { tag: 'violated'; group: Group<In, Out> }
  | { tag: 'undecided'; group: Group<In, Out> }
>

/** `maxSteps`: how often the spec may be asked for one group. */
export type Effort = Readonly<{ maxSteps: number }>
export const EFFORT: Effort = { maxSteps: 2_000_000 }

/** How often a part that was left without what it needs may choose before all others. */
const TRIES = 50

/** An order of each of these, in which no operation comes twice; null if that was not found. */
const separately = <State, In, Out>(
  spec: Spec<State, In, Out>,
  parts: ReadonlyArray<Group<In, Out>>,
  maxSteps: number,
): ReadonlyArray<Ordered<In, Out>> | null => {
  const queue = [...parts]
  for (let i = 0; i < TRIES; i++) {
    const orders: Ordered<In, Out>[] = []
    const used = new Set<number>()
    const needy = queue.findIndex((group) => {
      const free = group.operations.filter(({ id }) => !used.has(id))
      const outcome = linearize(spec, free, maxSteps)
      if (outcome.tag !== 'order') return true
      orders.push({ group, order: outcome.order })
      for (const id of outcome.order) used.add(id)
      return false
    })
    if (needy < 0) return orders
    if (needy === 0) return null
    queue.unshift(...queue.splice(needy, 1))
  }
  return null
}

/** Where one group is undecided, the others are still looked at: they may be wrong. */
export const check = <State, In, Out>(
  spec: Spec<State, In, Out>,
  operations: ReadonlyArray<Operation<In, Out>>,
  { maxSteps }: Effort = EFFORT,
): Verdict<In, Out> => {
  const orders: Ordered<In, Out>[] = []
  let undecided: Group<In, Out> | null = null
  for (const group of spec.partition(operations)) {
    const apart = group.parts && separately(spec, group.parts, maxSteps)
    if (apart) {
      orders.push(...apart)
      continue
    }
    const outcome = linearize(spec, group.operations, maxSteps)
    if (outcome.tag === 'none') return { tag: 'violated', group }
    if (outcome.tag === 'order') orders.push({ group, order: outcome.order })
    else undecided ??= group
  }
  return undecided === null ? { tag: 'linearizable', orders } : { tag: 'undecided', group: undecided }
}
