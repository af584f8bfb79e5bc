// Files of whoever types: scripts, batches, captures. `-` is the standard input.

import { readFileSync, writeFileSync } from 'node:fs'

const STDIN = 0

/** Null: it cannot be read. */
export const readText = (path: string): string | null => {
  try {
    return readFileSync(path === '-' ? STDIN : path, 'utf8')
  } catch {
    return null
  }
}

/** A sentence says why it cannot be written; null: it is. */
const writeBytes = (path: string, bytes: Uint8Array): string | null => {
  try {
    writeFileSync(path, bytes)
    return null
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT'
      ? 'No such file or directory'
      : 'Permission denied'
  }
}

export type Files = Readonly<{
  read: (path: string) => string | null
  write: (path: string, bytes: Uint8Array) => string | null
}>

export const FILES: Files = { read: readText, write: writeBytes }
