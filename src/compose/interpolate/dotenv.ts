// The `.env` file (Compose Specification, "Env_file format"): NAME=value, NAME alone, quotes over several lines, comments.

import { E, type Either } from '../../prelude.ts'
import type { ComposeError } from '../error.ts'
import { placer } from '../read/place.ts'
import { fill, type Lookup, parseTemplate } from './template.ts'

export type Variables = ReadonlyMap<string, string>

const SPACE = /\s*/y
const START = /(?:#[^\n]*|(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.]*)[ \t]*(?:([=:])[ \t]*)?)/y
const QUOTED = /"([^"\\]*(?:\\[\s\S][^"\\]*)*)"|'([^'\\]*(?:\\[\s\S][^'\\]*)*)'/y
const REST = /[^\n]*/y
const TAIL = /[ \t]*(?:#[^\n]*)?\r?(?:\n|$)/y

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '\\': '\\', '"': '"', $: '$$' }

const at = (pattern: RegExp, text: string, from: number): RegExpExecArray | null => {
  pattern.lastIndex = from
  return pattern.exec(text)
}

type Value = Readonly<{ text: string; literal: boolean; next: number }>

/** A value as written, from `from` to the end of its line (or of its quotes). Null: quotes that do not end. */
const valueAt = (text: string, from: number): Value | null => {
  if (text[from] === '"' || text[from] === "'") {
    const quoted = at(QUOTED, text, from)
    if (quoted === null) return null
    const next = from + quoted[0].length
    const tail = at(TAIL, text, next)
    if (tail === null) return null
    const [, double, single = ''] = quoted
    return double === undefined
      ? { text: single.replaceAll("\\'", "'"), literal: true, next: next + tail[0].length }
      : {
          text: double.replace(/\\([nrt\\"$])/g, (_, c: string) => ESCAPES[c] ?? c),
          literal: false,
          next: next + tail[0].length,
        }
  }
  const rest = at(REST, text, from)?.[0] ?? ''
  const value = rest.replace(/(^|\s)#.*$/, '').trimEnd()
  return { text: value, literal: false, next: from + rest.length }
}

/** Values may refer to `outer` and to earlier lines; `outer` wins. Left: the first line that cannot be read. */
export const parseDotenv = (file: string, text: string, outer: Lookup): Either<ComposeError, Variables> => {
  const variables = new Map<string, string>()
  const place = placer(file, text)
  const lookup: Lookup = (name) => outer(name) ?? variables.get(name)
  let i = text.startsWith('\ufeff') ? 1 : 0
  for (;;) {
    i += at(SPACE, text, i)?.[0].length ?? 0
    if (i >= text.length) return E.right(variables)
    const start = at(START, text, i)
    if (start === null) return E.left({ tag: 'BadValue', path: 'this line', reason: 'is not NAME=value', at: place(i) })
    const [whole, name, separator] = start
    i += whole.length
    if (name === undefined) continue
    if (separator === undefined) {
      const tail = at(TAIL, text, i)
      if (tail === null) return E.left({ tag: 'BadValue', path: name, reason: 'is not followed by "="', at: place(i) })
      i += tail[0].length
      continue
    }
    const value = valueAt(text, i)
    if (value === null) return E.left({ tag: 'BadValue', path: name, reason: 'the quotes do not end', at: place(i) })
    const filled = value.literal ? E.right(value.text) : expand(value.text, lookup)
    if (E.isLeft(filled)) return E.left({ tag: 'BadValue', path: name, reason: filled.left, at: place(i) })
    variables.set(name, filled.right)
    i = value.next
  }
}

const expand = (text: string, lookup: Lookup): Either<string, string> => {
  const template = parseTemplate(text)
  if (E.isLeft(template)) return template
  const filled = fill(template.right, lookup, () => undefined)
  return E.isLeft(filled) ? E.left(`the variable ${filled.left.name} is required`) : filled
}
