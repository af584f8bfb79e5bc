// The whole dialect of fp-ts that this project speaks, and the only file that imports it: Either for refusals, TaskEither at
// the edge. No HKT, Reader, State or fp-ts maps: see docs/decisions/0001-a-small-dialect.md.

import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'

export type { Either } from 'fp-ts/lib/Either.js'
export type { TaskEither } from 'fp-ts/lib/TaskEither.js'
export { E, TE }

/** Marks a value as having passed its parser; only the parser's module casts into it. */
export type Brand<Name extends string> = { readonly __brand: Name }

/** Proof that a switch is complete. Reaching it is a defect of ours, so it throws, naming what was unforeseen. */
export const absurd = (value: never, where: string): never => {
  throw new Error(`${where}: unforeseen ${JSON.stringify(value)}`)
}

/** Turns every item into a result; the first refusal wins. */
export const traverse = <A, B, X>(
  items: Iterable<A>,
  f: (item: A) => E.Either<X, B>,
): E.Either<X, ReadonlyArray<B>> => {
  const done: B[] = []
  for (const item of items) {
    const result = f(item)
    if (E.isLeft(result)) return result
    done.push(result.right)
  }
  return E.right(done)
}

type Refusal<R> = R extends E.Left<infer X> ? X : never
type Read<R> = R extends E.Right<infer A> ? A : never

/** All of these, by name, if each was read; otherwise the first refusal, in their order. */
export const allOf = <R extends Readonly<Record<string, E.Either<unknown, unknown>>>>(
  results: R,
): E.Either<Refusal<R[keyof R]>, { [Name in keyof R]: Read<R[Name]> }> => {
  const read: Record<string, unknown> = {}
  // Casts: each result is of the type that its name has.
  for (const [name, result] of Object.entries(results)) {
    if (E.isLeft(result)) return E.left(result.left as Refusal<R[keyof R]>)
    read[name] = result.right
  }
  return E.right(read as { [Name in keyof R]: Read<R[Name]> })
}
