// The parser notices a missing quote or bracket where the text ends; a person looks for it where it opened.

import { type Document, isScalar, type Node, visit, type YAMLParseError } from 'yaml'

export type Unclosed = Readonly<{ what: 'quote' | 'bracket'; offset: number }>

const kindOf = (node: Node): Unclosed['what'] | null => {
  if (isScalar(node)) return node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE' ? 'quote' : null
  return 'flow' in node && node.flow === true ? 'bracket' : null
}

/** The innermost quote or bracket that is still open where this error is; null if the error is about something else. */
export const unclosedAt = (document: Document.Parsed, error: YAMLParseError): Unclosed | null => {
  if (error.code !== 'MISSING_CHAR' && error.code !== 'BAD_INDENT') return null
  let found: Unclosed | null = null
  visit(document, {
    Node: (_, node) => {
      const what = kindOf(node)
      const [offset, end] = node.range ?? []
      if (what !== null && offset !== undefined && end === error.pos[0]) found = { what, offset }
    },
  })
  return found
}
