// What a system should be, as an object of which one operation happens after the other.

import type { Operation } from './event.ts'

/**
 * Operations that are judged by themselves, by the name of the object that they are about. If `parts` are given, each operation
 * is in one of them, and one that need not have happened may be in several: the group has an order if they have, each with
 * different ones of those. Where they have not, it is looked at as a whole.
 */
export type Group<In, Out> = Readonly<{
  name: string
  operations: ReadonlyArray<Operation<In, Out>>
  parts?: ReadonlyArray<Group<In, Out>>
}>

export type Spec<State, In, Out> = Readonly<{
  initial: State
  /**
   * The states that this operation with this answer can lead to: none if there cannot be such an answer here, several where
   * the system may choose. `output` undefined: nobody heard the answer. The same state, not an equal one, where nothing changes.
   */
  step: (state: State, input: In, output: Out | undefined) => ReadonlyArray<State>
  /** Equal exactly if the states are. */
  key: (state: State) => string
  /** Whether this changes no state, whatever it is, and only tells of it. */
  observes: (input: In, output: Out | undefined) => boolean
  /** Whether this answer can never come from this state on, whatever happens: a revision that has passed. Absent: not known. */
  past?: (state: State, input: In, output: Out | undefined) => boolean
  /**
   * The history is linearizable exactly if each of its groups is, from the initial state on. A group may hold of an operation
   * only what concerns it, under the same id. Groups may overlap: small ones first find what is wrong sooner.
   */
  partition: (operations: ReadonlyArray<Operation<In, Out>>) => ReadonlyArray<Group<In, Out>>
  show: (input: In, output: Out | undefined) => string
}>

export const REFUSED: ReadonlyArray<never> = []

/** By what they have in common, in the order in which that came first. */
export const grouped = <A>(items: Iterable<A>, keyOf: (item: A) => string): ReadonlyMap<string, ReadonlyArray<A>> => {
  const groups = new Map<string, A[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}

/**
 * Operations that have an object in common, over others or at once, are together; of the objects of a group, the first that
 * came names it. Each operation has one or more.
 */
export const byObject = <In, Out>(
  operations: ReadonlyArray<Operation<In, Out>>,
  objectsOf: (operation: Operation<In, Out>) => ReadonlyArray<string>,
): ReadonlyArray<Group<In, Out>> => {
  const above = new Map<string, string>()
  const root = (object: string): string => {
    let at = object
    for (let up = above.get(at); up !== undefined; up = above.get(at)) {
      const further = above.get(up)
      if (further !== undefined) above.set(at, further)
      at = up
    }
    return at
  }
  const seen = operations.map((operation) => ({ operation, objects: objectsOf(operation) }))
  for (const { objects } of seen) {
    for (const object of objects) {
      const [one, other] = [root(objects[0] ?? object), root(object)]
      if (one !== other) above.set(other, one)
    }
  }
  const groups = grouped(
    seen.filter(({ objects }) => objects.length > 0),
    ({ objects }) => root(objects[0] ?? ''),
  )
  return [...groups].map(([name, its]) => ({ name, operations: its.map(({ operation }) => operation) }))
}
