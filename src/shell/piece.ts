// What a program prints of one thing, once: text and JSON are two readings of the same pieces, as they are of iproute2's print_*
// functions. JSON's form, compact and pretty, is that of its lib/json_writer.c, to the byte.

export type Value = string | number | boolean | null | ReadonlyArray<Value> | Pieces
export type Pieces = Readonly<{ pieces: ReadonlyArray<Piece> }>
/** `text` alone is for people only. Without it, the text of a value is that of the pieces in it. */
export type Piece = Readonly<{ text: string } | { key: string; value: Value; text?: string }>

export const text = (words: string): Piece => ({ text: words })
/** For programs only. */
export const quiet = (key: string, value: Value): Piece => ({ key, value, text: '' })
/** In JSON by `key`; in text as `words` says, where `%` is the value. */
export const field = (key: string, value: string | number | boolean | null, words = '% '): Piece => ({
  key,
  value,
  text: words.replace('%', () => String(value)),
})
export const group = (key: string, pieces: ReadonlyArray<Piece>): Piece => ({ key, value: { pieces } })
export const list = (key: string, items: ReadonlyArray<ReadonlyArray<Piece>>): Piece => ({
  key,
  value: items.map((pieces) => ({ pieces })),
})
/** Pieces if it holds. */
export const where = (holds: boolean, ...pieces: ReadonlyArray<Piece>): ReadonlyArray<Piece> => (holds ? pieces : [])

const isList = (value: Value): value is ReadonlyArray<Value> => Array.isArray(value)
const isPieces = (value: Value): value is Pieces => value !== null && typeof value === 'object' && !isList(value)

const valueText = (value: Value): string => {
  if (isList(value)) return value.map(valueText).join('')
  return isPieces(value) ? textOf(value.pieces) : ''
}

export const textOf = (pieces: ReadonlyArray<Piece>): string =>
  pieces.map((piece) => ('key' in piece ? (piece.text ?? valueText(piece.value)) : piece.text)).join('')

/** What jsonw_puts escapes; all else goes as it is. */
const ESCAPES: Readonly<Record<string, string>> = {
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  '\f': '\\f',
  '\b': '\\b',
  '\\': '\\\\',
  '"': '\\"',
}
const quoted = (words: string): string => `"${[...words].map((character) => ESCAPES[character] ?? character).join('')}"`

const INDENT = '    '

/** `depth` null: in one line. */
const written = (value: Value, depth: number | null): string => {
  const inner = depth === null ? null : depth + 1
  if (isList(value)) {
    const items = value.map((item) => written(item, inner)).join(',')
    return depth === null ? `[${items}]` : `[ ${items}${items === '' ? '' : ' '}]`
  }
  if (isPieces(value)) {
    const fields = value.pieces.filter((piece): piece is Extract<Piece, { key: string }> => 'key' in piece)
    if (fields.length === 0) return '{}'
    const line = inner === null ? '' : `\n${INDENT.repeat(inner)}`
    const gap = inner === null ? '' : ' '
    const body = fields.map((piece) => `${line}${quoted(piece.key)}:${gap}${written(piece.value, inner)}`).join(',')
    return `{${body}${depth === null ? '' : `\n${INDENT.repeat(depth)}`}}`
  }
  return typeof value === 'string' ? quoted(value) : String(value)
}

/** A document is a list of things, each an object; of one that was passed over nothing stands in it. */
export const jsonOf = (things: ReadonlyArray<ReadonlyArray<Piece>>, pretty: boolean): string =>
  `${written(
    things.map((pieces) => ({ pieces })),
    pretty ? 0 : null,
  )}\n`
