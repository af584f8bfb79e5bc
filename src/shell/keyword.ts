// The words after a verb, read as iproute2 reads them: one after the other, each a keyword that fits first, with its value behind it,
// or something without a keyword (a device, an address). Its errors are iproute2's, and so is their order.
// Source: iproute2 6.1, lib/utils.c (incomplete_command, missarg, invarg, duparg, duparg2, parse_one_of, parse_on_off).

import { E } from '../prelude.ts'
import { type Read, refuse } from './done.ts'
import { begins, type Words } from './match.ts'

export type Taken<S> = Read<Readonly<{ set: Partial<S>; left: Words }>>

/** `short`: its beginning is enough. `take` reads the word behind it; `rest` all that follow, and says which are left. */
export type Keyword<S> = Readonly<{ is: string | ReadonlyArray<string>; short?: boolean }> &
  Readonly<
    | { set: Partial<S> }
    | { take: (value: string, soFar: S) => Read<Partial<S>> }
    | { rest: (words: Words, soFar: S) => Taken<S> }
  >

export const incomplete = (): Read<never> => refuse(255, 'Command line is not complete. Try option "help"')
export const missing = (key: string): Read<never> => refuse(255, `Error: argument "${key}" is required`)
/** Messages of iproute2 that end with a newline of their own are followed by an empty line. */
export const invalid = (value: string, why: string): Read<never> =>
  refuse(255, `Error: argument "${value}" is wrong: ${why}\n`)
export const duplicate = (key: string, value: string): Read<never> =>
  refuse(255, `Error: duplicate "${key}": "${value}" is the second value.`)
export const garbage = (key: string, word: string): Read<never> =>
  refuse(255, `Error: either "${key}" is duplicate, or "${word}" is a garbage.`)

const fits = <S>({ is, short = false }: Keyword<S>, word: string): boolean =>
  (typeof is === 'string' ? [is] : is).some((whole) => (short ? begins(word, whole) : whole === word))

const taken = <S>(keyword: Keyword<S>, words: Words, soFar: S): Taken<S> => {
  if ('set' in keyword) return E.right({ set: keyword.set, left: words.slice(1) })
  if ('rest' in keyword) return keyword.rest(words.slice(1), soFar)
  const [, value, ...left] = words
  if (value === undefined) return incomplete()
  const set = keyword.take(value, soFar)
  return E.isLeft(set) ? set : E.right({ set: set.right, left })
}

/** `otherwise` reads what no keyword fits; what stands before that, if anything, has been skipped. */
export const readWords = <S>(
  words: Words,
  initial: S,
  keywords: ReadonlyArray<Keyword<S>>,
  otherwise: (words: Words, soFar: S) => Taken<S>,
): Read<S> => {
  let soFar = initial
  let left = words
  for (;;) {
    const [word] = left
    if (word === undefined) return E.right(soFar)
    const keyword = keywords.find((each) => fits(each, word))
    const step = keyword === undefined ? otherwise(left, soFar) : taken(keyword, left, soFar)
    if (E.isLeft(step)) return step
    soFar = { ...soFar, ...step.right.set }
    left = step.right.left
  }
}

/** A word without a keyword, or behind `key`, which may be said once. */
export const onceAs =
  <S>(key: string, isThere: (soFar: S) => boolean, read: (word: string, soFar: S) => Read<Partial<S>>) =>
  (words: Words, soFar: S): Taken<S> => {
    const named = words[0] === key
    const word = named ? words[1] : words[0]
    if (word === undefined) return incomplete()
    if (isThere(soFar)) return garbage(key, word)
    const set = read(word, soFar)
    return E.isLeft(set) ? set : E.right({ set: set.right, left: words.slice(named ? 2 : 1) })
  }

/** What parse_one_of says. `status`: -EINVAL where the program hands it on (bridge), else that of the caller. */
export const oneOf = <A>(
  key: string,
  value: string,
  table: ReadonlyArray<readonly [string, A]>,
  status = 234,
): Read<A> => {
  const found = table.find(([word]) => word === value)
  if (found !== undefined) return E.right(found[1])
  const words = table.map(([word]) => `"${word}"`).join(', ')
  return refuse(status, `Error: argument of "${key}" must be one of ${words}, not "${value}"`)
}

export const ON_OFF: ReadonlyArray<readonly [string, boolean]> = [
  ['off', false],
  ['on', true],
]
