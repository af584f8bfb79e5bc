// Why a history is not linearizable, in few operations. What is shown is a core: operations that cannot all have happened as
// they were answered, *whatever is believed of all others*. Every other operation may be left out or placed anywhere between
// its call and its return, and still there is no order. So nothing that is not shown can excuse what is, and the core by itself
// is not linearizable either. It is minimal: without any one of its operations the rest has an order.
//
// Leaving operations out of a history until it is barely refused would not do: a write left out makes a true read look false.
// One that is made optional does no such harm: it is there if it is needed. And the more are optional the more is allowed, so a
// core is found as any minimal unsatisfiable set is: look for the latest operation without which too little is left, keep it, go
// on before it.
//
// Beside the core stand supports: a write whose value is read in the core, say. A core can be refused without them, for who
// leaves a write out leaves its value unread; they make it a story.

import type { Operation } from './event.ts'
import { linearize } from './search.ts'
import type { Group, Spec } from './spec.ts'

export type Explanation<In, Out> = Readonly<{
  name: string
  /** In the order of calls: those of the core, which must happen, and their supports. */
  operations: ReadonlyArray<Operation<In, Out>>
  core: ReadonlySet<number>
  /** Of the core, the one whose return made sure that something was wrong. */
  last: number
  /** An order for what is shown without that one; ids. */
  without: ReadonlyArray<number>
  /** How many operations the group has, and how many of those came so early that they are simply believed. */
  of: number
  believed: number
}>

/** How many steps a single question may take, and how many of the last operations are looked at for the core. */
export type Patience = Readonly<{ maxSteps: number; reach: number }>
export const PATIENCE: Patience = { maxSteps: 2_000_000, reach: 500 }

type Some<In, Out> = ReadonlyArray<Operation<In, Out>>

/** The least number of `low` to `high` for which it is so, if it is so for all above one for which it is, and for `high`. */
const least = (low: number, high: number, isSo: (n: number) => boolean): number => {
  let [from, to] = [low, high]
  while (from < to) {
    const middle = Math.floor((from + to) / 2)
    if (isSo(middle)) to = middle
    else from = middle + 1
  }
  return to
}

/** What had been seen at some time. What was under way then may come later or never; its answer is known already. */
const until = <In, Out>(operations: Some<In, Out>, time: number): Some<In, Out> =>
  operations.flatMap((each) => {
    if (each.called > time) return []
    return [each.returned <= time ? each : { ...each, returned: Infinity, required: false }]
  })

/** A history that is not linearizable stays so: it is cut at the first return after which it is not. */
const cut = <In, Out>(operations: Some<In, Out>, refused: (operations: Some<In, Out>) => boolean): Some<In, Out> => {
  const times = operations.flatMap((each) => (each.required ? [each.returned] : [])).sort((a, b) => a - b)
  const first = least(0, times.length - 1, (n) => refused(until(operations, times[n] ?? Infinity)))
  return until(operations, times[first] ?? Infinity)
}

/** A minimal part of `candidates` that is refused; `refused` of all of them, and of whatever holds a refused part. */
const minimal = <A>(candidates: ReadonlyArray<A>, refused: (part: ReadonlyArray<A>) => boolean): ReadonlyArray<A> => {
  let core: ReadonlyArray<A> = []
  let rest = candidates
  while (rest.length > 0 && !refused(core)) {
    const count = least(1, rest.length, (n) => refused([...core, ...rest.slice(0, n)]))
    core = [...core, ...rest.slice(count - 1, count)]
    rest = rest.slice(0, count - 1)
  }
  return core
}

/** Of a group that is not linearizable, and was found to be so within as many steps. */
export const explain = <State, In, Out>(
  spec: Spec<State, In, Out>,
  { name, operations: all }: Group<In, Out>,
  { maxSteps, reach }: Patience = PATIENCE,
): Explanation<In, Out> => {
  const search = (operations: Some<In, Out>) => linearize(spec, operations, maxSteps)
  const seen = cut(all, (part) => search(part).tag === 'none')
  const latestFirst = seen.filter(({ required }) => required).sort((a, b) => b.returned - a.returned)
  const near = latestFirst.slice(0, reach)
  const isNear = new Set(near.map(({ id }) => id))

  /** Of the near ones, only these must happen; of the others that need not, only `maybe` can. */
  const question = (must: ReadonlySet<number>, maybe: (id: number) => boolean): Some<In, Out> =>
    seen.flatMap((each) => {
      if (must.has(each.id) || (each.required && !isNear.has(each.id))) return [each]
      return maybe(each.id) ? [{ ...each, required: false }] : []
    })
  const anyway = () => true
  const idsOf = (part: Some<In, Out>): ReadonlySet<number> => new Set(part.map(({ id }) => id))
  const core = minimal(near, (part) => search(question(idsOf(part), anyway)).tag === 'none')
  const ids = idsOf(core)

  /** An order of the core without one of it, and of what that needs. */
  const orderWithout = (one: number, maybe: (id: number) => boolean): ReadonlyArray<number> | null => {
    const outcome = search(question(new Set([...ids].filter((id) => id !== one)), (id) => id !== one && maybe(id)))
    return outcome.tag === 'order' ? outcome.order : null
  }
  const mayBeLeftOut = idsOf(seen.filter(({ id, required }) => !ids.has(id) && (isNear.has(id) || !required)))
  const needed = [...ids].flatMap((one) => orderWithout(one, anyway) ?? [])
  let supports = new Set(needed.filter((id) => mayBeLeftOut.has(id)))
  for (const one of supports) {
    const fewer = new Set([...supports].filter((id) => id !== one))
    if ([...ids].every((each) => orderWithout(each, (id) => fewer.has(id)) !== null)) supports = fewer
  }
  const last = latestFirst.find(({ id }) => ids.has(id))?.id ?? -1
  const shown = new Set([...ids, ...supports])
  const others = search(question(new Set([...shown].filter((id) => id !== last)), () => false))
  const without = others.tag === 'order' ? others.order : orderWithout(last, (id) => supports.has(id))
  return {
    name,
    operations: all.filter(({ id }) => shown.has(id)),
    core: ids,
    last,
    without: (without ?? []).filter((id) => shown.has(id)),
    of: all.length,
    believed: latestFirst.length - near.length,
  }
}
