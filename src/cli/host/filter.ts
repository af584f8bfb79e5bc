// --filter KEY=VALUE, as Docker has it: values of one key are alternatives, different keys must all hold, and so must all
// labels.

import { E, type Either } from '../../prelude.ts'
import type { Problem } from '../problem.ts'
import { misused, readPairs } from './read.ts'

/** Whether an object has what is asked for. */
export type Test<A> = (object: A, value: string) => boolean
export type Tests<A> = Readonly<Record<string, Test<A>>>

/** `label=KEY` or `label=KEY=VALUE`. */
export const hasLabel = (labels: Readonly<Record<string, string>>, wanted: string): boolean => {
  const [, key = '', value] = /^([^=]*)(?:=(.*))?$/s.exec(wanted) ?? []
  return Object.hasOwn(labels, key) && (value === undefined || labels[key] === value)
}

/** All of these must hold together. */
const EVERY: ReadonlySet<string> = new Set(['label'])

/** A predicate of all filters. Left: a key that nobody knows. */
export const filterOf = <A>(
  tests: Tests<A>,
  words: ReadonlyArray<string> = [],
): Either<Problem, (object: A) => boolean> => {
  const wanted = new Map<string, string[]>()
  for (const word of words) {
    const pair = readPairs('--filter', [word])
    if (E.isLeft(pair)) return pair
    const [key = '', value = ''] = Object.entries(pair.right)[0] ?? []
    if (!Object.hasOwn(tests, key) || !word.includes('='))
      return misused(`--filter: "${word}" is no filter; there are ${Object.keys(tests).join('=, ')}=`)
    wanted.set(key, [...(wanted.get(key) ?? []), value])
  }
  return E.right((object) =>
    [...wanted].every(([key, values]) => {
      const test = tests[key]
      if (test === undefined) return false
      const holds = (value: string): boolean => test(object, value)
      return EVERY.has(key) ? values.every(holds) : values.some(holds)
    }),
  )
}
