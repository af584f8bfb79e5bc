// Looks for an order in which operations can have happened one after the other: one that agrees with the times of calls and
// returns, and in which the spec allows each answer. Source: Wing and Gong, "Testing and verifying concurrent objects" (1993),
// with Lowe's memory of what has been tried ("Testing for linearizability", 2017), as in Porcupine. Three things are ours:
// - An operation that need not have happened is placed only where those that must cannot go on without it, and what failed
//   with few of them placed is not tried with more: so a hundred unknown writes are a hundred tries, not 2^100.
// - An operation that only tells of the state is placed at once where it is true, and not tried elsewhere.
// - What has been placed is remembered by the last call and by those before it that are still waiting, of which there are no
//   more than clients; not by a bit for each operation.

import type { Operation } from './event.ts'
import type { Spec } from './spec.ts'
import { timelineOf } from './timeline.ts'

/** `order`: ids, of all that must happen, and of what they needed beside. `undecided`: it took too many steps. */
export type Outcome = Readonly<{ tag: 'order'; order: ReadonlyArray<number> } | { tag: 'none' } | { tag: 'undecided' }>

/** A state, after some of the operations that need not happen (bits of `taken`) were placed; the last of them `took`. */
type Variant<State> = Readonly<{
  state: State
  taken: bigint
  /** The last call among all that is placed. */
  latest: number
  from: Variant<State> | null
  took: number
}>
type Move<State> = Readonly<{ variant: Variant<State>; index: number; state: State }>
/** Where some of the operations that must happen are placed, and one of them is to come. */
type Frame<State> = { readonly moves: Iterator<Move<State>>; readonly top: number; move: Move<State> | null }

/** Which operations may come next, the time before which they were called, and what is placed already, as a text. */
type Place = Readonly<{ ready: ReadonlyArray<number>; until: number; set: string }>

/** What led nowhere, with the sets of operations that were placed although they need not; more of them would not help. */
type Failures = Readonly<{ covers: (key: string, taken: bigint) => boolean; add: (key: string, taken: bigint) => void }>

const failures = (): Failures => {
  const known = new Map<string, bigint[]>()
  return {
    covers: (key, taken) => known.get(key)?.some((fewer) => (fewer & taken) === fewer) ?? false,
    add: (key, taken) => {
      const sets = known.get(key)
      if (sets === undefined) known.set(key, [taken])
      else sets.push(taken)
    },
  }
}

/** Of each optional operation, the one before it that is the same but for its call; -1 for none. Such are placed in turn. */
const twinsOf = <In, Out>(optional: ReadonlyArray<Operation<In, Out>>): ReadonlyArray<number> => {
  const last = new Map<string, number>()
  return optional.map(({ input, output, returned }, i) => {
    if (returned !== Infinity) return -1
    const label = JSON.stringify([input, output ?? null, output === undefined])
    const twin = last.get(label) ?? -1
    last.set(label, i)
    return twin
  })
}

const orderOf = <State, In, Out>(
  frames: ReadonlyArray<Frame<State>>,
  required: ReadonlyArray<Operation<In, Out>>,
  optional: ReadonlyArray<Operation<In, Out>>,
): ReadonlyArray<number> =>
  frames.flatMap(({ move }) => {
    const ids: number[] = []
    for (let at = move?.variant ?? null; at !== null && at.took >= 0; at = at.from)
      ids.unshift(optional[at.took]?.id ?? -1)
    return [...ids, required[move?.index ?? -1]?.id ?? -1]
  })

/** The operations in the order of their calls; what need not happen and would only tell is left out. */
const sorted = <State, In, Out>(spec: Spec<State, In, Out>, operations: ReadonlyArray<Operation<In, Out>>) => {
  const all = [...operations].sort((a, b) => a.called - b.called)
  return {
    required: all.filter((each) => each.required),
    optional: all.filter((each) => !each.required && !spec.observes(each.input, each.output)),
  }
}

export const linearize = <State, In, Out>(
  spec: Spec<State, In, Out>,
  operations: ReadonlyArray<Operation<In, Out>>,
  maxSteps: number,
): Outcome => {
  const { required, optional } = sorted(spec, operations)
  const timeline = timelineOf(required)
  const failed = failures()
  const twins = twinsOf(optional)
  const firstDeadline = Math.min(...optional.map(({ returned }) => returned))
  let steps = 0
  const step = (state: State, { input, output }: Operation<In, Out>): ReadonlyArray<State> => {
    steps += 1
    return spec.step(state, input, output)
  }
  // Cast: all indices are of `required`.
  const at = (index: number): Operation<In, Out> => required[index] as Operation<In, Out>

  /** One that only tells, and is true here: it may as well come now, unless it would keep an optional one from coming at all. */
  const telling = (state: State, ready: ReadonlyArray<number>): number | undefined =>
    ready.find((index) => {
      const { input, output, called } = at(index)
      if (called > firstDeadline || !spec.observes(input, output)) return false
      const [after, ...others] = step(state, at(index))
      return after === state && others.length === 0
    })

  const isHopeless = (state: State, ready: ReadonlyArray<number>): boolean =>
    spec.past !== undefined && ready.some((index) => spec.past?.(state, at(index).input, at(index).output))

  /** Further variants, each with one more of the optional operations, unless it has failed or is here already. */
  const extend = (variants: Variant<State>[], from: Variant<State>, { ready, until, set }: Place): void => {
    for (let i = optional.length - 1; i >= 0; i--) {
      const operation = optional[i]
      const twin = twins[i] ?? -1
      const bit = 1n << BigInt(i)
      if (operation === undefined || operation.called >= until || operation.returned < from.latest) continue
      if ((from.taken & bit) !== 0n || (twin >= 0 && (from.taken & (1n << BigInt(twin))) === 0n)) continue
      for (const state of step(from.state, operation)) {
        if (isHopeless(state, ready)) continue
        const taken = from.taken | bit
        const key = `${set}${spec.key(state)}`
        if (failed.covers(key, taken)) continue
        failed.add(key, taken)
        variants.push({ state, taken, latest: Math.max(from.latest, operation.called), from, took: i })
      }
    }
  }

  const framed = (first: Variant<State>, top: number): Frame<State> | null => {
    const ready = timeline.ready()
    const set = `${top}:${ready.filter((index) => index < top).join()}:`
    if (isHopeless(first.state, ready) || failed.covers(`${set}${spec.key(first.state)}`, first.taken)) return null
    const byReturn = [...ready].sort((a, b) => at(a).returned - at(b).returned)
    return { moves: moves([first], { ready: byReturn, until: timeline.until(), set }), top, move: null }
  }

  function* moves(variants: Variant<State>[], place: Place) {
    const { ready, set } = place
    for (const variant of variants) {
      if (steps > maxSteps) return
      const told = telling(variant.state, ready)
      if (told !== undefined) yield { variant, index: told, state: variant.state }
      else
        for (const index of ready) for (const state of step(variant.state, at(index))) yield { variant, index, state }
      if (variant.took < 0) failed.add(`${set}${spec.key(variant.state)}`, variant.taken)
      if (told === undefined) extend(variants, variant, place)
    }
  }

  const frames: Frame<State>[] = []
  const start = framed({ state: spec.initial, taken: 0n, latest: -1, from: null, took: -1 }, -1)
  if (start !== null) frames.push(start)
  while (timeline.left() > 0) {
    const frame = frames.at(-1)
    if (frame === undefined) return { tag: 'none' }
    const next = frame.moves.next()
    if (steps > maxSteps) return { tag: 'undecided' }
    if (next.done) {
      frames.pop()
      const below = frames.at(-1)?.move
      if (below) timeline.putBack(below.index)
      continue
    }
    const { variant, index, state } = next.value
    frame.move = next.value
    timeline.take(index)
    const latest = Math.max(variant.latest, at(index).called)
    const deeper = framed({ state, taken: variant.taken, latest, from: null, took: -1 }, Math.max(frame.top, index))
    if (deeper === null) timeline.putBack(index)
    else frames.push(deeper)
  }
  return {
    tag: 'order',
    order: orderOf(
      frames.filter(({ move }) => move !== null),
      required,
      optional,
    ),
  }
}
