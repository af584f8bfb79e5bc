// An nft script as tokens, each with its place. Any text has tokens: what belongs to none is `junk`, which no rule of the
// grammar takes.
// Source: nftables src/scanner.l (1.0.6).

import { parseIp } from '../../../net/ip.ts'
import { E } from '../../../prelude.ts'
import type { Place } from '../error.ts'

export type TokenKind =
  /** A name, a keyword, an address: nft decides by place. */
  | 'word'
  | 'number'
  | 'time'
  /** In quotation marks, which are not part of the text. */
  | 'quoted'
  /** A name that ends with a star. */
  | 'wildcard'
  | 'sign'
  | 'newline'
  | 'end'
  | 'junk'

export type Token = Readonly<{ kind: TokenKind; text: string; at: Place }>

const BLANK = /(?:[ \t\r]|\\\n|#[^\n]*)+/y
const QUOTED = /"[^"\n]*"/y
const BRACKETED = /\[([0-9a-fA-F:.]+)\]/y
const COLONS = /[0-9a-fA-F]*:[0-9a-fA-F]*:[0-9a-fA-F:.]*/y
const MAC = /(?:[0-9a-fA-F]{1,2}:){5}[0-9a-fA-F]{1,2}/y
const IPV4 = /[0-9]{1,3}(?:\.[0-9]{1,3}){3}/y
const VLAN_TYPE = /8021(?:q|ad)/y
const TIME = /(?:[0-9]+d)?(?:[0-9]+h)?(?:[0-9]+m(?!s))?(?:[0-9]+s)?(?:[0-9]+ms)?/y
const NUMBER = /0[xX][0-9a-fA-F]+|[0-9]+/y
const WILDCARD = /(?:[a-zA-Z_.][a-zA-Z0-9/\-_.]*)?\\?\*/y
const WORD = /[a-zA-Z_][a-zA-Z0-9/\-_.]*|\.[a-zA-Z0-9/\-_.]+/y
const SIGN = /==|!=|<=|>=|<<|>>|[{}(),;:.\-+/!=<>&|^@$*]/y

const matchAt = (pattern: RegExp, text: string, at: number): string => {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0] ?? ''
}

const isIp6 = (text: string): boolean => E.isRight(parseIp(text))

type Found = Readonly<{ kind: TokenKind; length: number; text: string }>

const plain = (kind: TokenKind, text: string): Found => ({ kind, text, length: text.length })

/** What starts with a digit or a colon: an address, a time, a number. Longest first. */
const numeric = (text: string, at: number): Found | null => {
  const mac = matchAt(MAC, text, at)
  const colons = matchAt(COLONS, text, at)
  if (colons !== '' && colons.length >= mac.length && isIp6(colons)) return plain('word', colons)
  if (mac !== '') return plain('word', mac)
  const four = matchAt(IPV4, text, at) || matchAt(VLAN_TYPE, text, at)
  if (four !== '') return plain('word', four)
  const number = matchAt(NUMBER, text, at)
  const time = matchAt(TIME, text, at)
  if (time.length > number.length) return plain('time', time)
  return number === '' ? null : plain('number', number)
}

const tokenAt = (text: string, at: number): Found => {
  if (text[at] === '\n') return plain('newline', '\n')
  const quoted = matchAt(QUOTED, text, at)
  if (quoted !== '') return { kind: 'quoted', text: quoted.slice(1, -1), length: quoted.length }
  const bracketed = matchAt(BRACKETED, text, at)
  if (bracketed !== '' && isIp6(bracketed.slice(1, -1)))
    return { kind: 'word', text: bracketed.slice(1, -1), length: bracketed.length }
  const found = numeric(text, at)
  if (found !== null) return found
  const wildcard = matchAt(WILDCARD, text, at)
  if (wildcard.length > 1) return { kind: 'wildcard', text: wildcard.replace('\\', ''), length: wildcard.length }
  const word = matchAt(WORD, text, at)
  if (word !== '') return plain('word', word)
  const sign = matchAt(SIGN, text, at)
  return sign === '' ? plain('junk', text[at] ?? '') : plain('sign', sign)
}

/** The tokens of a text, the last of kind `end`. */
export const tokensOf = (text: string): ReadonlyArray<Token> => {
  const tokens: Token[] = []
  let line = 1
  let lineStart = 0
  let at = 0
  const placeOf = (from: number, length: number): Place => ({
    line,
    from: from - lineStart + 1,
    to: from - lineStart + Math.max(1, length),
  })
  while (at < text.length) {
    const blank = matchAt(BLANK, text, at)
    if (blank !== '') {
      for (let i = at; i < at + blank.length; i++)
        if (text[i] === '\n') {
          line += 1
          lineStart = i + 1
        }
      at += blank.length
      continue
    }
    const { kind, text: own, length } = tokenAt(text, at)
    tokens.push({ kind, text: own, at: placeOf(at, length) })
    at += length
    if (kind === 'newline') {
      line += 1
      lineStart = at
    }
  }
  tokens.push({ kind: 'end', text: '', at: placeOf(at, 1) })
  return tokens
}
