// How deep a text nests, found from its tokens without recursion. The YAML composer recurses and exhausts the stack of
// the process some 700 levels down, so a hostile file must be refused before it gets there.

import { CST, Lexer } from 'yaml'

/** A Compose file needs about ten levels. */
export const DEEPEST = 100

const LEVELLESS: ReadonlySet<string> = new Set([
  'byte-order-mark',
  'doc-mode',
  'flow-error-end',
  'scalar',
  'space',
  'newline',
  'comment',
  'comma',
])

/**
 * Offset of the first token more than `DEEPEST` levels down, or null. In block style each token that begins further right
 * than the last open level opens one, which counts at least as many levels as there are.
 */
export const tooDeepAt = (text: string): number | null => {
  const columns: number[] = []
  let flow = 0
  let offset = 0
  let lineStart = 0
  for (const token of new Lexer().lex(text)) {
    const type = CST.tokenType(token)
    if (type === 'doc-mode' || type === 'flow-error-end' || type === 'scalar') continue
    if (type === 'flow-map-start' || type === 'flow-seq-start') flow += 1
    else if (type === 'flow-map-end' || type === 'flow-seq-end') flow = Math.max(0, flow - 1)
    else if (flow === 0 && (type === null || !LEVELLESS.has(type))) {
      const column = offset - lineStart
      while (columns.length > 0 && (columns.at(-1) ?? 0) >= column) columns.pop()
      columns.push(column)
    }
    if (flow + columns.length > DEEPEST) return offset
    offset += token.length
    const newline = token.lastIndexOf('\n')
    if (newline !== -1) lineStart = offset - token.length + newline + 1
  }
  return null
}
