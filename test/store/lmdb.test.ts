// The store on disk keeps the contract of stores, and what it holds outlives it.

import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { E } from '../../src/prelude.ts'
import { explainStore } from '../../src/store/error.ts'
import { lmdbStore } from '../../src/store/lmdb/lmdb.ts'
import type { Migration } from '../../src/store/migrate.ts'
import type { News } from '../../src/store/store.ts'
import { storeContract } from './contract.ts'
import { contentOf, dataOf, inDir, left, put, right, withStore } from './lib.ts'

describe('the lmdb store', () => {
  const root = mkdtempSync(join(tmpdir(), 'cnm-store-'))
  let made = 0
  afterAll(() => rmSync(root, { recursive: true, force: true }))
  storeContract((options) => {
    made += 1
    return right(lmdbStore({ ...options, dir: join(root, `${made}`) }))
  })
})

describe('what outlives the process', () => {
  test('entries with their revisions', () =>
    inDir(async (dir) => {
      const before = await withStore({ dir }, async (store) => {
        for (let i = 0; i < 300; i++) await right(store.transact(put(`k/${i % 70}`, `${i}`.repeat(i))))
        await right(store.transact(put('k/3', null)))
        return right(store.list(''))
      })
      expect(before.entries).toHaveLength(69)
      expect(await withStore({ dir }, (store) => right(store.list('')))).toEqual(before)
    }))

  test('the revision, so that a compare made before still holds', () =>
    inDir(async (dir) => {
      const revision = await withStore({ dir }, (store) => right(store.transact(put('a', 'one'))))
      await withStore({ dir }, async (store) => {
        const next = await right(
          store.transact({ compares: [{ key: 'a', revision }], writes: [{ key: 'a', value: 'two' }] }),
        )
        expect(next).toBe(revision + 1)
      })
    }))

  test('not the history: a watch from before says that it is forgotten', () =>
    inDir(async (dir) => {
      const revision = await withStore({ dir }, async (store) => {
        await right(store.transact(put('a', 'one')))
        return right(store.transact(put('a', 'two')))
      })
      await withStore({ dir }, async (store) => {
        const told: News[] = []
        store.watch('', revision - 1, (news) => told.push(news))
        expect(told).toEqual([
          { tag: 'Ended', error: { tag: 'StoreCompacted', since: revision - 1, oldest: revision } },
        ])
        const later: News[] = []
        store.watch('', revision, (news) => later.push(news))
        await right(store.transact(put('b', 'x')))
        expect(later).toHaveLength(1)
      })
    }))

  test('much: growing and shrinking by megabytes leaves a file that is well', () =>
    inDir(async (dir) => {
      const big = 'x'.repeat(100_000)
      for (const round of [1, 2])
        await withStore({ dir }, async (store) => {
          for (let i = 0; i < 60; i++) await right(store.transact(put(`k/${i}`, `${round}${big}`)))
          for (let i = 0; i < 60; i += 2) await right(store.transact(put(`k/${i}`, null)))
        })
      expect(await contentOf(dir)).toHaveLength(30)
      expect(statSync(dataOf(dir)).size).toBeLessThan(30_000_000)
    }))
})

describe('a directory that cannot be used', () => {
  test('a file in its place', () =>
    inDir(async (dir) => {
      writeFileSync(join(dir, 'state'), 'mine')
      const error = await left(lmdbStore({ dir: join(dir, 'state') }))
      expect(explainStore(error)).toMatch(/state cannot be used: .*; choose a directory$/)
    }))

  test('a file above it', () =>
    inDir(async (dir) => {
      writeFileSync(join(dir, 'state'), 'mine')
      const error = await left(lmdbStore({ dir: join(dir, 'state/deep') }))
      expect(explainStore(error)).toMatch(/cannot be used: .*; choose a directory$/)
    }))
})

describe('schema versions', () => {
  const upper: Migration = (content) => E.right(content.map(({ key, value }) => ({ key, value: value.toUpperCase() })))
  const rename: Migration = (content) =>
    E.right(content.map(({ key, value }) => ({ key: key.replace('net/', 'network/'), value })))

  test('an older store is brought to the present by one step after the other, once', () =>
    inDir(async (dir) => {
      await withStore({ dir }, async (store) => {
        await right(store.transact(put('net/1', 'a')))
        await right(store.transact(put('x', 'A')))
      })
      for (const _ of ['migrated', 'opened again'])
        await withStore({ dir, migrations: [upper, rename] }, async (store) => {
          const { entries } = await right(store.list(''))
          expect(entries).toEqual([
            { key: 'network/1', value: 'A', revision: 3 },
            { key: 'x', value: 'A', revision: 2 },
          ])
        })
    }))

  test('a store in between takes only the steps that it lacks', () =>
    inDir(async (dir) => {
      await withStore({ dir, migrations: [upper] }, (store) => right(store.transact(put('net/1', 'stays lower'))))
      await withStore({ dir, migrations: [upper, rename] }, async (store) => {
        expect((await right(store.get('network/1')))?.value).toBe('stays lower')
      })
    }))

  test('a newer store is refused', () =>
    inDir(async (dir) => {
      await withStore({ dir, migrations: [upper, rename] }, (store) => right(store.transact(put('a', 'x'))))
      const error = await left(lmdbStore({ dir, migrations: [upper] }))
      expect(error).toMatchObject({ tag: 'StoreNewer', schema: 3, known: 2 })
    }))

  test('a step that refuses leaves the store as it was', () =>
    inDir(async (dir) => {
      await withStore({ dir }, (store) => right(store.transact(put('a', 'x'))))
      const error = await left(lmdbStore({ dir, migrations: [upper, () => E.left('a has no type')] }))
      expect(error).toMatchObject({ tag: 'StoreNotMigrated', from: 1, why: 'a has no type' })
      expect(await contentOf(dir)).toEqual([['a', 'x']])
    }))
})
