// Columns of text. Colour codes take no room.

/** Terminal width of a text: its characters without colour codes. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes begin with the escape character
const COLOR = /\x1b\[[0-9;]*m/g
export const widthOf = (text: string): number => [...text.replace(COLOR, '')].length

const GAP = '  '
const INDENT = '  '

/** Every column as wide as its widest cell; nothing behind the last one. */
export const table = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const columns = Math.max(0, ...rows.map((row) => row.length))
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map((row) => widthOf(row[i] ?? ''))))
  const pad = (cell: string, i: number): string => cell + ' '.repeat((widths[i] ?? 0) - widthOf(cell))
  return rows.map((row) => `${INDENT}${row.map(pad).join(GAP)}`.trimEnd()).join('\n')
}

/** The first `most` items, and how many more there are. */
export const listed = (items: ReadonlyArray<string>, most: number): string =>
  items.length <= most ? items.join(', ') : `${items.slice(0, most).join(', ')} and ${items.length - most} more`

export const counted = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`
