// Command lines as sh(1) reads them, as far as they are here: words with quotes, comments, `\` at the end of a line, `;`, `&&`,
// `||`, `|`, `&` and newlines. Redirections, variables and control structures are refused with a sentence.
// A script is a flat list of commands, each with the operator before it: what `a && b || c` does is decided from left to right.
// Source: POSIX.1-2017, Shell Command Language, 2.2, 2.3, 2.9.3.

import { E, type Either } from '../../prelude.ts'

/** `status`: `$?`. */
type Part = string | Readonly<{ status: true }>
type Word = ReadonlyArray<Part>
/** When the one before it ended well, ended badly, or however; or with what it writes. */
type Operator = '&&' | '||' | ';' | '|'

/** `line` counts from 1. `beside`: it is to go on in the background. */
export type Command = Readonly<{
  when: Operator
  words: ReadonlyArray<Word>
  beside: boolean
  line: number
  source: string
}>
export type Complaint = Readonly<{ line: number; what: string }>

type Token =
  | Readonly<{ tag: 'word'; word: Word; from: number; to: number; line: number }>
  | Readonly<{ tag: 'operator'; is: Operator | '&' | '\n'; line: number }>

const BLANK = /[ \t\r]/
/** What ends a word that is not quoted. */
const META = new Set([' ', '\t', '\r', '\n', ';', '&', '|', '<', '>', '(', ')', '`'])

type Reader = { readonly text: string; at: number; line: number }

const absent = (reader: Reader, what: string): Either<Complaint, never> => E.left({ line: reader.line, what })

const PLURALS: Readonly<Record<string, string>> = {
  '<': 'redirections are not in the shell',
  '>': 'redirections are not in the shell',
  '(': 'subshells and functions are not in the shell',
  ')': 'subshells and functions are not in the shell',
  '`': 'substitutions are not in the shell',
}

const dollar = (reader: Reader): Either<Complaint, Part> => {
  const next = reader.text[reader.at + 1] ?? ''
  if (next === '?') {
    reader.at += 2
    return E.right({ status: true })
  }
  if (/[A-Za-z_0-9{(@*#$!-]/.test(next))
    return absent(reader, 'variables and substitutions are not in the shell, but for $?')
  reader.at += 1
  return E.right('$')
}

/** Behind the opening quote. */
const singleQuoted = (reader: Reader): Either<Complaint, Part> => {
  const end = reader.text.indexOf("'", reader.at + 1)
  if (end < 0) return absent(reader, 'a quote is not closed')
  const inner = reader.text.slice(reader.at + 1, end)
  reader.at = end + 1
  reader.line += inner.split('\n').length - 1
  return E.right(inner)
}

const ESCAPED_IN_QUOTES = new Set(['$', '`', '"', '\\', '\n'])

const doubleQuoted = (reader: Reader): Either<Complaint, ReadonlyArray<Part>> => {
  const parts: Part[] = ['']
  reader.at += 1
  for (;;) {
    const character = reader.text[reader.at]
    if (character === undefined) return absent(reader, 'a quote is not closed')
    if (character === '"') {
      reader.at += 1
      return E.right(parts)
    }
    if (character === '$') {
      const part = dollar(reader)
      if (E.isLeft(part)) return part
      parts.push(part.right)
      continue
    }
    if (character === '`') return absent(reader, PLURALS['`'] ?? '')
    const next = reader.text[reader.at + 1] ?? ''
    const escaped = character === '\\' && ESCAPED_IN_QUOTES.has(next)
    if (character === '\n' || (escaped && next === '\n')) reader.line += 1
    parts.push(escaped ? (next === '\n' ? '' : next) : character)
    reader.at += escaped ? 2 : 1
  }
}

const readWord = (reader: Reader): Either<Complaint, Word> => {
  const parts: Part[] = []
  for (;;) {
    const character = reader.text[reader.at]
    if (character === undefined || META.has(character)) return E.right(parts)
    if (character === "'" || character === '$') {
      const part = character === "'" ? singleQuoted(reader) : dollar(reader)
      if (E.isLeft(part)) return part
      parts.push(part.right)
    } else if (character === '"') {
      const quoted = doubleQuoted(reader)
      if (E.isLeft(quoted)) return quoted
      parts.push(...quoted.right)
    } else if (character === '\\') {
      const next = reader.text[reader.at + 1]
      if (next === '\n') reader.line += 1
      else parts.push(next ?? '\\')
      reader.at += 2
    } else {
      parts.push(character)
      reader.at += 1
    }
  }
}

const operatorAt = ({ text, at }: Reader): Operator | '&' | null => {
  const two = text.slice(at, at + 2)
  if (two === '&&' || two === '||') return two
  const one = text[at]
  return one === ';' || one === '|' || one === '&' ? one : null
}

const nextToken = (reader: Reader): Either<Complaint, Token | null> => {
  for (;;) {
    const character = reader.text[reader.at]
    const { line } = reader
    if (character === undefined) return E.right(null)
    const next = reader.text[reader.at + 1]
    if (BLANK.test(character)) reader.at += 1
    else if (character === '\\' && next === '\n') {
      reader.at += 2
      reader.line += 1
    } else if (character === '#') {
      const end = reader.text.indexOf('\n', reader.at)
      reader.at = end < 0 ? reader.text.length : end
    } else if (character === '\n') {
      reader.at += 1
      reader.line += 1
      return E.right({ tag: 'operator', is: '\n', line })
    } else {
      const operator = operatorAt(reader)
      if (operator !== null) {
        reader.at += operator.length
        return E.right({ tag: 'operator', is: operator, line })
      }
      const no = PLURALS[character]
      if (no !== undefined) return absent(reader, no)
      const from = reader.at
      const word = readWord(reader)
      return E.isLeft(word) ? word : E.right({ tag: 'word', word: word.right, from, to: reader.at, line })
    }
  }
}

const CONTROL = new Set([
  'if',
  'then',
  'else',
  'fi',
  'for',
  'while',
  'until',
  'do',
  'done',
  'case',
  'esac',
  'function',
  '!',
  '{',
])

const plain = (word: Word): string | null => (word.every((part) => typeof part === 'string') ? word.join('') : null)

/** All commands of a text. Left: the first thing that it does not understand; nothing of it is then run. */
export const readScript = (text: string): Either<Complaint, ReadonlyArray<Command>> => {
  const reader: Reader = { text, at: 0, line: 1 }
  const commands: Command[] = []
  let when: Operator = ';'
  let waiting = false
  let words: Extract<Token, { tag: 'word' }>[] = []
  const close = (beside: boolean): Complaint | null => {
    const [first] = words
    if (first === undefined) return null
    const name = plain(first.word)
    if (name !== null && CONTROL.has(name)) return { line: first.line, what: `"${name}" is not in the shell` }
    if (name !== null && /^[A-Za-z_]\w*=/.test(name))
      return { line: first.line, what: 'variables are not in the shell' }
    const source = text.slice(first.from, words.at(-1)?.to)
    commands.push({ when, words: words.map(({ word }) => word), beside, line: first.line, source })
    words = []
    return null
  }
  for (;;) {
    const token = nextToken(reader)
    if (E.isLeft(token)) return token
    const { right } = token
    if (right !== null && right.tag === 'word') {
      words.push(right)
      waiting = false
      continue
    }
    const empty = words.length === 0
    const line = right?.line ?? reader.line
    if (empty && right !== null && right.is !== '\n')
      return E.left({ line, what: `there is no command before "${right.is}"` })
    const complaint = close(right?.is === '&')
    if (complaint !== null) return E.left(complaint)
    if (right === null) return waiting ? E.left({ line, what: 'a command is missing at the end' }) : E.right(commands)
    // A newline behind `&&` ends nothing.
    if (empty && waiting) continue
    when = right.is === '\n' || right.is === '&' ? ';' : right.is
    waiting = right.is === '&&' || right.is === '||' || right.is === '|'
  }
}

/** Whether more lines are needed: a quote, or an operator, is open. */
export const isOpen = (text: string): boolean => {
  if (/(^|[^\\])(\\\\)*\\$/.test(text)) return true
  const read = readScript(text)
  return (
    E.isLeft(read) &&
    (read.left.what === 'a quote is not closed' || read.left.what === 'a command is missing at the end')
  )
}

/** The words of a command, now that the status of the last one is known. */
export const wordsOf = ({ words }: Command, status: number): ReadonlyArray<string> =>
  words.map((word) => word.map((part) => (typeof part === 'string' ? part : String(status))).join(''))
