// The first stage: the text of one file to its documents, as trees with places. YAML 1.2 core schema, as Compose's own
// parser in what matters here (`yes` is a text, `22:22` is a text). Refuses, before parsing, what would exhaust us.

import { type Document, parseAllDocuments } from 'yaml'
import { E, type Either } from '../../prelude.ts'
import { type At, startOf } from '../at.ts'
import type { ComposeError } from '../error.ts'
import type { Mapping, Tree } from '../tree.ts'
import { convert } from './convert.ts'
import { DEEPEST, tooDeepAt } from './depth.ts'
import { placer } from './place.ts'
import { yamlSentence } from './sentence.ts'
import { unclosedAt } from './unclosed.ts'

export type SourceFile = Readonly<{ path: string; text: string }>

/** In bytes of UTF-8. */
export const LARGEST = 1024 * 1024

type Errors = ReadonlyArray<ComposeError>

/** Offset of the first of C0 but tab, newline and carriage return (YAML 1.2, 5.1), or -1. */
const controlAt = (text: string): number => {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 32 && code !== 9 && code !== 10 && code !== 13) return i
  }
  return -1
}

const kindOf = (tree: Tree): string =>
  tree.tag === 'sequence' ? 'a list' : tree.tag === 'mapping' ? 'a mapping' : 'a single value'

/** Why this text must not be given to the parser, or null. */
const refusal = (text: string, place: (offset: number) => At): ComposeError | null => {
  const control = controlAt(text)
  if (control !== -1) {
    const code = text.charCodeAt(control).toString(16).padStart(2, '0')
    return { tag: 'NotText', reason: `it holds the control character 0x${code}`, at: place(control) }
  }
  const deep = tooDeepAt(text)
  if (deep !== null)
    return { tag: 'TooComplex', reason: `the file nests more than ${DEEPEST} levels deep`, at: place(deep) }
  return null
}

const ofDocument = (
  document: Document.Parsed,
  place: (offset: number) => At,
): Either<Errors, ReadonlyArray<Mapping>> => {
  // Later errors are mostly consequences of the first.
  const [error] = document.errors.toSorted((a, b) => a.pos[0] - b.pos[0])
  if (error !== undefined) {
    const open = unclosedAt(document, error)
    if (open === null) return E.left([{ tag: 'Yaml', reason: yamlSentence[error.code], at: place(error.pos[0]) }])
    return E.left([{ tag: 'Yaml', reason: `the ${open.what} that opens here is not closed`, at: place(open.offset) }])
  }
  const tree = convert(document.contents, place)
  if (E.isLeft(tree)) return tree
  if (tree.right === null) return E.right([])
  if (tree.right.tag === 'mapping') return E.right([tree.right])
  const found = kindOf(tree.right)
  return E.left([{ tag: 'WrongType', path: 'the file', expected: 'a mapping', found, at: tree.right.at }])
}

/** The documents of a file (`---` separates them), each a mapping, at least one. Left: what is wrong, in order. */
export const readFile = (file: SourceFile): Either<Errors, ReadonlyArray<Mapping>> => {
  const bytes = Buffer.byteLength(file.text)
  if (bytes > LARGEST) return E.left([{ tag: 'TooBig', bytes, limit: LARGEST, at: startOf(file.path) }])
  const place = placer(file.path, file.text)
  const refused = refusal(file.text, place)
  if (refused !== null) return E.left([refused])
  const parsed = parseAllDocuments(file.text, {
    schema: 'core',
    version: '1.2',
    prettyErrors: false,
    // Ours is linear in the number of keys (convert.ts).
    uniqueKeys: false,
    logLevel: 'silent',
  })
  const results = [...parsed].map((document) => ofDocument(document, place))
  const errors = results.flatMap((result) => (E.isLeft(result) ? result.left : []))
  if (errors.length > 0) return E.left(errors)
  const documents = results.flatMap((result) => (E.isRight(result) ? result.right : []))
  return documents.length === 0 ? E.left([{ tag: 'EmptyFile', at: startOf(file.path) }]) : E.right(documents)
}
