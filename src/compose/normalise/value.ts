// From scalars whose shape the schema has checked to values; what does not parse goes to the report with its place.

import { E, type Either } from '../../prelude.ts'
import type { Report } from '../report.ts'
import { entriesOf, itemsOf, type Tree, textOf } from '../tree.ts'

const YES = /^(true|yes|on|y)$/i

export const flagOf = (tree: Tree | undefined, otherwise: boolean): boolean => {
  const text = textOf(tree)
  return text === undefined ? otherwise : YES.test(text)
}

export const integerOf = (tree: Tree | undefined): number | undefined => {
  const text = textOf(tree)
  return text === undefined ? undefined : Number(text)
}

/** An empty text counts as absent: it is what an unset variable leaves. */
export const wordOf = (tree: Tree | undefined): string | undefined => textOf(tree) || undefined

/** Texts of a list, without repetitions. */
export const wordsOf = (tree: Tree | undefined): ReadonlyArray<string> => [
  ...new Set(itemsOf(tree).flatMap((item) => wordOf(item) ?? [])),
]

export const recordOf = (tree: Tree | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries(entriesOf(tree).map(([key, { value }]) => [key, textOf(value) ?? '']))

/** `path` names the value in the sentence. Null: absent, or wrong and reported. */
export const parsed = <A>(
  tree: Tree | undefined,
  path: string,
  parse: (text: string) => Either<string, A>,
  report: Report,
): A | null => {
  const text = wordOf(tree)
  if (tree === undefined || text === undefined) return null
  const result = parse(text)
  if (E.isRight(result)) return result.right
  report.errors.push({ tag: 'BadValue', path, reason: result.left, at: tree.at })
  return null
}
