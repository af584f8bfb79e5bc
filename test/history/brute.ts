// The definition of linearizability, word for word: try every order of every choice of the operations. For a handful.

import type { Operation } from '../../src/history/event.ts'
import type { Spec } from '../../src/history/spec.ts'

type Some<In, Out> = ReadonlyArray<Operation<In, Out>>

const choices = <A extends { required: boolean }>(all: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  all.reduce<ReadonlyArray<ReadonlyArray<A>>>(
    (chosen, each) => [...chosen.map((some) => [...some, each]), ...(each.required ? [] : chosen)],
    [[]],
  )

const permutations = <A>(all: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  all.length === 0
    ? [[]]
    : all.flatMap((first, i) => permutations(all.toSpliced(i, 1)).map((others) => [first, ...others]))

const agreesWithTime = (order: Some<unknown, unknown>): boolean =>
  order.every((one, i) => order.slice(i + 1).every((later) => later.returned > one.called))

/** Whether the spec allows these operations one after the other, from the initial state. */
export const isLegal = <State, In, Out>(spec: Spec<State, In, Out>, order: Some<In, Out>): boolean =>
  order.reduce<ReadonlyArray<State>>(
    (states, { input, output }) => states.flatMap((state) => spec.step(state, input, output)),
    [spec.initial],
  ).length > 0

export const isLinearizable = <State, In, Out>(spec: Spec<State, In, Out>, operations: Some<In, Out>): boolean =>
  choices(operations).some((some) => permutations(some).some((order) => agreesWithTime(order) && isLegal(spec, order)))
