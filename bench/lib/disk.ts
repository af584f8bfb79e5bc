// Stores on disk to measure with: ours, and lmdb as it is, which is the floor; in a directory that goes away.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import { E } from '../../src/prelude.ts'
import { lmdbStore } from '../../src/store/lmdb/lmdb.ts'
import type { Store } from '../../src/store/store.ts'

export const inDir = async <A>(work: (dir: string) => Promise<A>): Promise<A> => {
  const dir = mkdtempSync(join(tmpdir(), 'cnm-bench-'))
  try {
    return await work(dir)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

export const storeIn = async (dir: string): Promise<Store> => {
  const store = await lmdbStore({ dir })()
  if (E.isLeft(store)) throw new Error(store.left.tag)
  return store.right
}

/** A put is answered once it is flushed, as a transaction of ours is. */
export const rawIn = (dir: string): RootDatabase<Buffer, Buffer> =>
  open<Buffer, Buffer>({
    path: join(dir, 'raw.mdb'),
    overlappingSync: false,
    keyEncoding: 'binary',
    encoding: 'binary',
  })
