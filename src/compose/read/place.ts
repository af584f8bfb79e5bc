// From an offset in a text to a line and column that lie inside it.

import type { At } from '../at.ts'

/** Offsets past the end are the end; the end of a text with a final newline is the end of its last line. */
export const placer = (file: string, text: string): ((offset: number) => At) => {
  const starts = [0]
  for (let i = text.indexOf('\n'); i !== -1; i = text.indexOf('\n', i + 1)) starts.push(i + 1)
  const end = text.endsWith('\n') ? text.length - 1 : text.length
  if (end < text.length) starts.pop()
  return (offset) => {
    const inside = Math.min(Math.max(offset, 0), end)
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((starts[middle] ?? 0) <= inside) low = middle
      else high = middle - 1
    }
    return { file, line: low + 1, column: inside - (starts[low] ?? 0) + 1 }
  }
}
