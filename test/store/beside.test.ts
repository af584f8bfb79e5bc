// A store read while others write: what is read was there together at one moment.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readBeside, stampOf } from '../../src/store/lmdb/beside.ts'
import { hears, program, started } from '../lib/victim.ts'
import { dataOf, inDir, left, put, right, withStore } from './lib.ts'

const victim = program('test/store/victim.ts')
const CALLERS = [0, 1, 2, 3, 4, 5, 6, 7]

describe('reading beside', () => {
  test('a process at work sees what is there, and that somebody is at work', () =>
    inDir((dir) =>
      withStore({ dir }, async (store) => {
        await right(store.transact(put('a', 'x')))
        const seen = await right(readBeside(dir))
        expect(seen?.entries.map(({ key, value }) => [key, value])).toEqual([['a', 'x']])
        expect(seen?.isBusy).toBe(true)
      }),
    ))

  test('nobody, it takes no lock with it: the next may write', () =>
    inDir(async (dir) => {
      await withStore({ dir }, async (store) => {
        await right(store.transact(put('a', 'x')))
      })
      expect((await right(readBeside(dir)))?.isBusy).toBe(false)
      await withStore({ dir }, async (store) => {
        await right(store.transact(put('a', 'y')))
      })
      expect((await right(readBeside(dir)))?.entries.map(({ value }) => value)).toEqual(['y'])
    }))

  test('a store that is not there yet makes none', () =>
    inDir(async (dir) => {
      rmSync(dir, { recursive: true })
      expect(await right(readBeside(dir))).toBeNull()
      expect(stampOf(dir)).toBeNull()
    }))

  test('a writer in haste, it never sees two keys of one transaction apart', () =>
    inDir(async (dir) => {
      const writer = started(process.execPath, victim, 'write', dir)
      try {
        await hears(writer, /./)
        const revisions = new Set<number>()
        // On a slow machine it takes longer; that it sees none but the first would never end.
        for (const until = performance.now() + 1_500; performance.now() < until || revisions.size <= 10; ) {
          const seen = await right(readBeside(dir))
          const values = new Map(seen?.entries.map(({ key, value }) => [key, value]))
          for (const caller of CALLERS) expect(values.get(`${caller}/right`)).toBe(values.get(`${caller}/left`))
          revisions.add(Math.max(...(seen?.entries.map(({ revision }) => revision) ?? [])))
        }
      } finally {
        await writer.kill()
      }
    }))

  test('a file that is damaged says so, and does not wait for it to heal', () =>
    inDir(async (dir) => {
      await withStore({ dir }, async (store) => {
        await right(store.transact(put('a', 'x')))
      })
      writeFileSync(dataOf(dir), 'x'.repeat(8192))
      expect((await left(readBeside(dir))).tag).toBe('StoreNotOurs')
    }))

  test('a directory in place of the file is said to be none', () =>
    inDir(async (dir) => {
      mkdirSync(join(dir, 'store.mdb'))
      expect((await left(readBeside(dir))).tag).toBe('StoreUnavailable')
    }))
})
