// How often what is chosen: small words that the arbitraries of requests are written in.

import fc from 'fast-check'

/** Mostly the first kind, now and then the last. */
export const often = <A>(...kinds: ReadonlyArray<ReadonlyArray<A>>): fc.Arbitrary<A> =>
  fc.oneof(
    ...kinds.map((values, i) => ({ weight: 4 ** (kinds.length - 1 - i), arbitrary: fc.constantFrom(...values) })),
  )

/** Without what is undefined, as a request would be written. */
type Present<A> = { [K in keyof A as undefined extends A[K] ? K : never]?: Exclude<A[K], undefined> } & {
  [K in keyof A as undefined extends A[K] ? never : K]: A[K]
}
export const present = <A extends object>(value: A): Present<A> =>
  // Cast: what is left out was optional.
  Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as Present<A>

export const maybe = <A>(arbitrary: fc.Arbitrary<A>, weight = 3): fc.Arbitrary<A | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: weight })
export const seldom = <A>(arbitrary: fc.Arbitrary<A>): fc.Arbitrary<A | undefined> =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })
