// The files in a store's directory, and what the file system may say of them.

import { join } from 'node:path'
import type { StoreError } from '../error.ts'

/** `fresh` exists only while a store is being made. lmdb adds a file for its own locks beside each. */
export type Files = Readonly<{ dir: string; data: string; fresh: string; lock: string }>

export const filesIn = (dir: string): Files => ({
  dir,
  data: join(dir, 'store.mdb'),
  fresh: join(dir, 'store.new.mdb'),
  lock: join(dir, 'store.lock'),
})

const HINTS: Readonly<Record<string, string>> = {
  EACCES: 'choose a directory that you may write to',
  ENOENT: 'choose a directory where one can be made',
  EPERM: 'choose a directory that you may write to',
  EROFS: 'choose a directory on a file system that can be written to',
  ENOTDIR: 'choose a directory',
  EEXIST: 'choose a directory',
  ENOSPC: 'free some space on its disk',
}

export const unavailable = (dir: string, defect: unknown): StoreError => {
  const text = defect instanceof Error ? defect.message : String(defect)
  const code = defect instanceof Error && 'code' in defect ? String(defect.code) : ''
  const hint = HINTS[code] ?? (/no space left/i.test(text) ? HINTS['ENOSPC'] : null) ?? null
  return { tag: 'StoreUnavailable', what: `the store in ${dir} cannot be used: ${text}`, hint }
}
