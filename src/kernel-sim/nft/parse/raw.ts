// Values as they are written, before it is known of what type they are: elements of a set that is declared elsewhere get their
// type from the set.
// Source: nftables src/parser_bison.y, "rhs_expr", "set_expr", "set_list_expr".

import type { Place } from '../error.ts'
import type { Verdict } from '../expression.ts'
import type { Cursor } from './cursor.ts'
import { identifier, isKeyword, number, text, timeMs } from './word.ts'

export type RawWord = Readonly<{ tag: 'word'; text: string; wildcard: boolean; at: Place }>
/** Words with `|` between them: flags. */
export type RawFlags = Readonly<{ tag: 'flags'; words: ReadonlyArray<RawWord>; at: Place }>
export type RawPart = Readonly<
  | RawWord
  | RawFlags
  | { tag: 'range'; from: RawWord; to: RawWord; at: Place }
  | { tag: 'prefix'; word: RawWord; bits: number; at: Place }
>
export type RawData = Readonly<
  { tag: 'parts'; parts: ReadonlyArray<RawPart>; at: Place } | { tag: 'verdict'; verdict: Verdict; at: Place }
>
export type RawElement = Readonly<{
  key: ReadonlyArray<RawPart>
  data: RawData | null
  comment: string | null
  timeoutMs: number | null
  expiresMs: number | null
  at: Place
}>

/** Keywords that are also values. */
const VALUES: ReadonlySet<string> = new Set([
  'arp',
  'dnat',
  'icmp',
  'icmpv6',
  'ip',
  'ip6',
  'redirect',
  'sctp',
  'snat',
  'tcp',
  'udp',
  'udplite',
  'dccp',
  'vlan',
  'log',
  'ether',
  'esp',
  'ah',
])

export const canBeValue = (cursor: Cursor): boolean => {
  const { kind, text: word } = cursor.peek()
  if (kind === 'word') return !isKeyword(word) || VALUES.has(word)
  return kind === 'number' || kind === 'quoted' || kind === 'wildcard'
}

export const rawWord = (cursor: Cursor): RawWord => {
  const { kind, at } = cursor.peek()
  if (!canBeValue(cursor)) {
    cursor.refuse()
    return { tag: 'word', text: '', wildcard: false, at }
  }
  const { text: word } = cursor.next()
  return { tag: 'word', text: word, wildcard: kind === 'wildcard' || (kind === 'quoted' && word.endsWith('*')), at }
}

/** Flags in brackets or not: `a|b`, `(a | b)`. */
const rawFlags = (cursor: Cursor, first: RawWord): RawPart => {
  const words = [first]
  while (cursor.isNext('|', 'or')) {
    cursor.next()
    const inner = rawPart(cursor)
    if (inner.tag === 'word') words.push(inner)
    else if (inner.tag === 'flags') words.push(...inner.words)
    else cursor.refuse()
  }
  return { tag: 'flags', words, at: cursor.since(first.at) }
}

/** One value without a bar after it, or flags in brackets. */
export const rawMask = (cursor: Cursor): RawPart => (cursor.isNext('(') ? rawBracketed(cursor) : rawWord(cursor))

const rawBracketed = (cursor: Cursor): RawPart => {
  cursor.expect('(')
  const first = rawWord(cursor)
  const inner = cursor.isNext('|', 'or') ? rawFlags(cursor, first) : first
  cursor.expect(')')
  return inner
}

/** One value, range, prefix, or flags. */
export const rawPart = (cursor: Cursor): RawPart => {
  if (cursor.isNext('(')) return rawBracketed(cursor)
  const word = rawWord(cursor)
  if (cursor.isNext('/') && cursor.second().kind === 'number') {
    cursor.next()
    return { tag: 'prefix', word, bits: number(cursor), at: cursor.since(word.at) }
  }
  if (cursor.take('-')) return { tag: 'range', from: word, to: rawWord(cursor), at: cursor.since(word.at) }
  return cursor.isNext('|', 'or') ? rawFlags(cursor, word) : word
}

export const rawParts = (cursor: Cursor): ReadonlyArray<RawPart> => {
  const parts = [rawPart(cursor)]
  while (cursor.take('.')) parts.push(rawPart(cursor))
  return parts
}

const VERDICTS: ReadonlySet<string> = new Set(['accept', 'drop', 'continue', 'return', 'jump', 'goto'])
export const isVerdict = (cursor: Cursor): boolean => {
  const { kind, text: word } = cursor.peek()
  return kind === 'word' && VERDICTS.has(word)
}

export const verdict = (cursor: Cursor): Verdict => {
  const word = cursor.next().text
  switch (word) {
    case 'accept':
    case 'drop':
    case 'continue':
    case 'return':
      return { tag: word }
    case 'jump':
    case 'goto':
      return { tag: word, chain: identifier(cursor) }
    default:
      cursor.refuse()
      return { tag: 'continue' }
  }
}

const rawData = (cursor: Cursor, ofVerdicts: boolean | null): RawData => {
  const { at } = cursor.peek()
  if (isVerdict(cursor) && ofVerdicts !== false)
    return { tag: 'verdict', verdict: verdict(cursor), at: cursor.since(at) }
  if (ofVerdicts === true) cursor.refuse()
  return { tag: 'parts', parts: rawParts(cursor), at: cursor.since(at) }
}

/** `key [timeout T] [expires T] [comment "..."] [: data]`. */
const rawElement = (cursor: Cursor, ofVerdicts: boolean | null): RawElement => {
  const { at } = cursor.peek()
  const key = rawParts(cursor)
  const keyAt = cursor.since(at)
  let comment: string | null = null
  let timeoutMs: number | null = null
  let expiresMs: number | null = null
  while (!cursor.refused()) {
    if (cursor.take('comment')) comment = text(cursor)
    else if (cursor.take('timeout')) timeoutMs = timeMs(cursor)
    else if (cursor.take('expires')) expiresMs = timeMs(cursor)
    else if (cursor.take('counter')) {
      if (cursor.take('packets')) {
        number(cursor)
        cursor.expect('bytes')
        number(cursor)
      }
      cursor.foreign('counters of single elements', keyAt)
    } else break
  }
  const data = cursor.take(':') ? rawData(cursor, ofVerdicts) : null
  return { key, data, comment, timeoutMs, expiresMs, at: keyAt }
}

/**
 * `{ element, element }`; a set within, as a variable may be, counts as its elements. `ofVerdicts`: each must have a verdict
 * (true), must not (false), or as it likes (null).
 */
export const rawSet = (cursor: Cursor, ofVerdicts: boolean | null, depth = 0): ReadonlyArray<RawElement> => {
  cursor.expect('{')
  const elements: RawElement[] = []
  do {
    cursor.skipNewlines()
    if (cursor.isNext('}') && elements.length > 0) break
    if (cursor.isNext('{') && depth < MAX_DEPTH) elements.push(...rawSet(cursor, ofVerdicts, depth + 1))
    else if (cursor.isNext('*')) {
      cursor.foreign('elements that stand for all others (*)', cursor.next().at)
      if (cursor.take(':')) rawData(cursor, ofVerdicts)
    } else elements.push(rawElement(cursor, ofVerdicts))
    if (ofVerdicts === true && elements.at(-1)?.data === null) cursor.refuse()
    cursor.skipNewlines()
  } while (cursor.take(','))
  cursor.expect('}')
  return elements
}

const MAX_DEPTH = 16
