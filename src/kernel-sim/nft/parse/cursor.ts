// The place in a script that is being read. An error of the grammar is final: from then on the cursor stands at the end for
// good, so that every loop of the grammar comes to its end, and what was read is thrown away. What is merely senseless is noted
// for the command that it is in, and reading goes on: nft, too, looks at the sense of commands when it has read all of them.

import type { Host } from '../datatype.ts'
import { firstOf, meaningError, type NftError, notInSimulation, type Place, syntaxError } from '../error.ts'
import { type Token, tokensOf } from './lexer.ts'

export type Cursor = Readonly<{
  host: Host
  /** The token that is next; a variable was put in place of its name. */
  peek: () => Token
  /** The one after that, as written. */
  second: () => Token
  next: () => Token
  /** Takes the next token if it is this sign or unquoted word. */
  take: (text: string) => boolean
  isNext: (...texts: ReadonlyArray<string>) => boolean
  /** Takes it, or refuses. */
  expect: (text: string) => void
  /** A syntax error at the next token. */
  refuse: () => void
  refused: () => boolean
  /** As final as a syntax error. */
  stop: (error: NftError) => void
  meaning: (message: string, at: Place | null) => void
  note: (error: NftError) => void
  foreign: (what: string, at: Place | null) => void
  /** The place from a token to the last one taken. */
  /** Of the token that was taken last. */
  last: () => Place
  since: (from: Place) => Place
  define: (name: string, value: ReadonlyArray<Token>, again: boolean) => boolean
  undefine: (name: string) => boolean
  skipNewlines: () => void
  /** How many errors were noted since `noted` was last asked. */
  notes: () => number
  /** Of what was noted since this was last asked, what nft would come to first. */
  noted: () => NftError | null
  /** What ended the reading. */
  final: () => NftError | null
}>

/** A variable holds no more tokens than this, so that variables of variables do not grow without bound. */
const MAX_VARIABLE = 65_536

const SIGN_NAMES: Readonly<Record<string, string>> = {
  ';': 'semicolon',
  ',': 'comma',
  ':': 'colon',
  '{': "'{'",
  '}': "'}'",
  '(': "'('",
  ')': "')'",
  '/': '/',
}

const nameOf = ({ kind, text }: Token, isKeyword: (word: string) => boolean): string => {
  switch (kind) {
    case 'end':
      return 'end of file'
    case 'newline':
      return 'newline'
    case 'quoted':
      return 'quoted string'
    case 'wildcard':
      return 'string with a trailing asterisk'
    case 'number':
      return 'number'
    case 'junk':
      return 'junk'
    case 'time':
      return 'string'
    case 'sign':
      return SIGN_NAMES[text] ?? text
    case 'word':
      return isKeyword(text) ? text : 'string'
  }
}

const spelled = (token: Token, text: string): boolean =>
  (token.kind === 'word' || token.kind === 'sign') && token.text === text

export const cursorOf = (text: string, host: Host, isKeyword: (word: string) => boolean): Cursor => {
  // The tokens still to come, the next one last: a variable's are put there in place of its name.
  const coming = tokensOf(text).toReversed()
  const variables = new Map<string, ReadonlyArray<Token>>()
  let noted: NftError[] = []
  let syntax: NftError | null = null
  let last: Place = { line: 1, from: 1, to: 1 }
  const END: Token = { kind: 'end', text: '', at: { line: 1, from: 1, to: 1 } }
  const end = coming[0] ?? END

  const raw = (): Token => (syntax === null ? (coming.at(-1) ?? end) : end)

  const substitute = (): void => {
    while (syntax === null && spelled(raw(), '$')) {
      const sign = coming.pop() ?? end
      const name = coming.pop() ?? end
      const value = name.kind === 'word' ? variables.get(name.text) : undefined
      if (name.kind !== 'word') {
        coming.push(name)
        refuse()
      } else if (value === undefined) {
        // nft finds this while it reads, before what else is wrong in the line.
        syntax = meaningError(`unknown identifier '${name.text}'`, name.at)
      } else for (const token of value.toReversed()) coming.push({ ...token, at: sign.at })
    }
  }
  const peek = (): Token => {
    substitute()
    return raw()
  }
  const second = (): Token => {
    substitute()
    return syntax === null ? (coming.at(-2) ?? end) : end
  }
  const next = (): Token => {
    const token = peek()
    if (syntax === null && coming.length > 1) coming.pop()
    if (token.kind !== 'end') last = token.at
    return token
  }
  const isNext = (...texts: ReadonlyArray<string>): boolean => {
    const token = peek()
    return texts.some((each) => spelled(token, each))
  }
  const take = (each: string): boolean => {
    if (!isNext(each)) return false
    next()
    return true
  }
  const refuse = (): void => {
    const token = raw()
    syntax ??= syntaxError(nameOf(token, isKeyword), token.at)
  }
  return {
    host,
    peek,
    second,
    next,
    take,
    isNext,
    expect: (each) => {
      if (!take(each)) refuse()
    },
    refuse,
    refused: () => syntax !== null,
    stop: (error) => {
      syntax ??= error
    },
    meaning: (message, at) => void noted.push(meaningError(message, at)),
    note: (error) => void noted.push(error),
    foreign: (what, at) => void noted.push(notInSimulation(what, at)),
    last: () => last,
    since: (from) => (from.line === last.line ? { ...from, to: Math.max(from.to, last.to) } : from),
    define: (name, value, again) => {
      if (variables.has(name) && !again) return false
      if (value.length > MAX_VARIABLE) return false
      variables.set(name, value)
      return true
    },
    undefine: (name) => variables.delete(name),
    skipNewlines: () => {
      while (peek().kind === 'newline') next()
    },
    notes: () => noted.length,
    noted: () => {
      const first = noted.reduce<NftError | null>(firstOf, null)
      noted = []
      return first
    },
    final: () => syntax,
  }
}
