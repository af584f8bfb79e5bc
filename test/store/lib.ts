// Short words for tests of stores.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { E, type TaskEither } from '../../src/prelude.ts'
import { explainStore, type StoreError } from '../../src/store/error.ts'
import { type LmdbOptions, lmdbStore } from '../../src/store/lmdb/lmdb.ts'
import type { Store, Transaction } from '../../src/store/store.ts'

export const put = (key: string, value: string | null): Transaction => ({ compares: [], writes: [{ key, value }] })

export const right = async <A>(task: TaskEither<StoreError, A>): Promise<A> => {
  const result = await task()
  if (E.isLeft(result)) throw new Error(explainStore(result.left))
  return result.right
}

export const left = async (task: TaskEither<StoreError, unknown>): Promise<StoreError> => {
  const result = await task()
  if (E.isRight(result)) throw new Error('not refused')
  return result.left
}

/** Does the work in a directory that is gone afterwards. */
export const inDir = async <A>(work: (dir: string) => Promise<A>): Promise<A> => {
  const dir = mkdtempSync(join(tmpdir(), 'cnm-store-'))
  try {
    return await work(dir)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Opens, does the work, closes. */
export const withStore = async <A>(options: LmdbOptions, work: (store: Store) => Promise<A>): Promise<A> => {
  const store = await right(lmdbStore(options))
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

export const dataOf = (dir: string): string => join(dir, 'store.mdb')

export const contentOf = (dir: string): Promise<ReadonlyArray<readonly [string, string]>> =>
  withStore({ dir }, async (store) => (await right(store.list(''))).entries.map(({ key, value }) => [key, value]))

/** A store with a tree of several levels, values beyond a page, and pages that are free again. */
export const fill = (dir: string): Promise<void> =>
  withStore({ dir }, async (store) => {
    const small = Array.from({ length: 200 }, (_, i) => ({ key: `small/${i}`, value: `value of small/${i}!` }))
    await right(store.transact({ compares: [], writes: small }))
    for (let i = 0; i < 12; i++) await right(store.transact(put(`large/${i}`, `${i}`.repeat(3000 + 700 * i))))
    for (let i = 0; i < 12; i += 3) await right(store.transact(put(`large/${i}`, null)))
    for (let i = 0; i < 20; i++) await right(store.transact(put(`long/${'x'.repeat(i * 40)}`, `${i}`)))
  })
