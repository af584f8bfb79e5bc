// Files of whoever types: scripts, batches. `-` is the standard input.

import { readFileSync } from 'node:fs'

const STDIN = 0

/** Null: it cannot be read. */
export const readText = (path: string): string | null => {
  try {
    return readFileSync(path === '-' ? STDIN : path, 'utf8')
  } catch {
    return null
  }
}
