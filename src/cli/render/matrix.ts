// Who reaches whom, as a square of yes and no. Where the names make it too wide, its columns are numbered.

import type { Paint } from '../io.ts'
import { table, widthOf } from './table.ts'

/** `cell` says whether the row reaches the column; null where that is no question. */
export const matrix = (
  rows: ReadonlyArray<string>,
  columns: ReadonlyArray<string>,
  cell: (row: number, column: number) => boolean | string | null,
  paint: Paint,
  width: number,
): string => {
  const { red, green, dim } = paint
  const show = (value: boolean | string | null): string =>
    value === null ? dim('.') : value === true ? green('yes') : value === false ? red('no') : value
  const named = columns.reduce((sum, name) => sum + widthOf(name) + 2, Math.max(0, ...rows.map(widthOf)) + 4)
  const numbered = named > width
  const label = (name: string, i: number): string => (numbered ? `${i + 1} ${name}` : name)
  const head = columns.map((name, i) => dim(numbered && i < rows.length ? String(i + 1) : name))
  return table([
    ['', ...head],
    ...rows.map((name, row) => [label(name, row), ...columns.map((_, column) => show(cell(row, column)))]),
  ])
}
