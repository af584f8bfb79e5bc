// The small language of variables in Compose files (Compose Specification, "Interpolation"; POSIX shell, 2.6.2):
// $NAME ${NAME} ${NAME:-word} ${NAME-word} ${NAME:?word} ${NAME?word} ${NAME:+word} ${NAME+word} $$, words nesting.

import { E, type Either } from '../../prelude.ts'

/** What follows the name. With a colon an empty value counts as unset. */
type Operator = Readonly<{ kind: 'default' | 'required' | 'alternative'; colon: boolean; word: Template }>
type Part = string | Readonly<{ name: string; operator: Operator | null }>
export type Template = ReadonlyArray<Part>

const DEEPEST = 20
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y
const OPERATOR = /(:?)([-?+])/y
const KIND = { '-': 'default', '?': 'required', '+': 'alternative' } as const

const matchAt = (pattern: RegExp, text: string, from: number): RegExpExecArray | null => {
  pattern.lastIndex = from
  return pattern.exec(text)
}

type Parsed<A> = Either<string, Readonly<{ value: A; next: number }>>

/** What stands after a `$` at `from - 1`. */
const parseDollar = (text: string, from: number, depth: number): Parsed<Part> => {
  if (text[from] === '$') return E.right({ value: '$', next: from + 1 })
  if (text[from] === '{') return parseBraced(text, from + 1, depth)
  const name = matchAt(NAME, text, from)?.[0]
  if (name === undefined) return E.left('"$" is not followed by the name of a variable')
  return E.right({ value: { name, operator: null }, next: from + name.length })
}

const parseBraced = (text: string, from: number, depth: number): Parsed<Part> => {
  const name = matchAt(NAME, text, from)?.[0]
  if (name === undefined) return E.left('"${" is not followed by the name of a variable')
  const end = from + name.length
  if (text[end] === '}') return E.right({ value: { name, operator: null }, next: end + 1 })
  const operator = matchAt(OPERATOR, text, end)
  if (operator === null)
    return E.left(
      text.includes('}', end) ? `"\${${name}" may only be followed by :- - :? ? :+ + or }` : '"}" is missing',
    )
  const kind = KIND[operator[2] as keyof typeof KIND] // the pattern admits only its keys
  const word = parseUntil(text, end + operator[0].length, depth + 1)
  if (E.isLeft(word)) return word
  const part = { name, operator: { kind, colon: operator[1] === ':', word: word.right.value } }
  return E.right({ value: part, next: word.right.next })
}

/** Up to the end (depth 0), or up to and with the `}` that closes a word. */
const parseUntil = (text: string, from: number, depth: number): Parsed<Template> => {
  if (depth > DEEPEST) return E.left(`variables nest more than ${DEEPEST} levels deep`)
  const parts: Part[] = []
  let plain = from
  let i = from
  while (i < text.length && !(depth > 0 && text[i] === '}')) {
    if (text[i] !== '$') {
      i += 1
      continue
    }
    if (plain < i) parts.push(text.slice(plain, i))
    const part = parseDollar(text, i + 1, depth)
    if (E.isLeft(part)) return part
    parts.push(part.right.value)
    i = part.right.next
    plain = i
  }
  if (depth > 0 && i >= text.length) return E.left('"}" is missing')
  if (plain < i) parts.push(text.slice(plain, i))
  return E.right({ value: parts, next: i + 1 })
}

/** Left: a clause saying what is wrong. */
export const parseTemplate = (text: string): Either<string, Template> => {
  const parsed = parseUntil(text, 0, 0)
  return E.isLeft(parsed) ? parsed : E.right(parsed.right.value)
}

export type Lookup = (name: string) => string | undefined
/** A variable that `?` demands and nobody set; `message` is the author's. */
export type Missing = Readonly<{ name: string; message: string }>

/** Fills in the variables. `unset` hears of each that has no value and no operator; it counts as empty. */
export const fill = (template: Template, lookup: Lookup, unset: (name: string) => void): Either<Missing, string> => {
  let text = ''
  for (const part of template) {
    const filled = typeof part === 'string' ? E.right(part) : fillVariable(part, lookup, unset)
    if (E.isLeft(filled)) return filled
    text += filled.right
  }
  return E.right(text)
}

const fillVariable = (
  { name, operator }: Exclude<Part, string>,
  lookup: Lookup,
  unset: (name: string) => void,
): Either<Missing, string> => {
  const value = lookup(name)
  if (operator === null) {
    if (value === undefined) unset(name)
    return E.right(value ?? '')
  }
  const present = value !== undefined && !(operator.colon && value === '')
  if (operator.kind === 'alternative') return present ? fill(operator.word, lookup, unset) : E.right('')
  if (present) return E.right(value)
  const word = fill(operator.word, lookup, unset)
  if (operator.kind === 'default' || E.isLeft(word)) return word
  return E.left({ name, message: word.right })
}
