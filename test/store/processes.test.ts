// What other processes, their sudden end, and a full disk do to a store.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { explainStore } from '../../src/store/error.ts'
import { lmdbStore } from '../../src/store/lmdb/lmdb.ts'
import { needs } from '../lib/need.ts'
import { runs } from '../lib/runs.ts'
import { hears, program, type Running, started, wait } from '../lib/victim.ts'
import { contentOf, dataOf, inDir, left, put, right, withStore } from './lib.ts'

const victim = program('test/store/victim.ts')
const start = (act: string, dir: string): Running => started(process.execPath, victim, act, dir)

describe('SIGKILL', () => {
  const kills = runs(0.3).numRuns

  /** The last number that each caller got an answer for. */
  const acknowledged = (lines: ReadonlyArray<string>): ReadonlyMap<string, number> =>
    new Map(lines.map((line): [string, number] => [line.split(' ')[0] ?? '', Number(line.split(' ')[1])]))

  test(
    `${kills} times at random instants: what was answered is there, and nothing is there by half`,
    { timeout: 30_000 + kills * 2_000 },
    () =>
      inDir(async (dir) => {
        let answers = 0
        for (let i = 0; i < kills; i++) {
          const writer = start('write', dir)
          // Every fifth is killed while it starts, opens or makes the store.
          if (i % 5 !== 4) await hears(writer, /./)
          await wait(Math.random() * (i % 5 === 4 ? 150 : 40))
          await writer.kill()
          const last = acknowledged(writer.said())
          answers += writer.said().length
          const stored = new Map(await contentOf(dir))
          for (const [caller, n] of last) {
            const written = Number(stored.get(`${caller}/left`))
            expect(written, `caller ${caller}`).toBeGreaterThanOrEqual(n)
            expect(written, `caller ${caller}`).toBeLessThanOrEqual(n + 1)
          }
          for (const caller of [0, 1, 2, 3, 4, 5, 6, 7])
            expect(stored.get(`${caller}/right`), `caller ${caller}`).toBe(stored.get(`${caller}/left`))
        }
        expect(answers).toBeGreaterThan(kills)
      }),
  )
})

describe('one process for each directory', () => {
  test('another is refused, told who has it, and may have it when that one is killed', () =>
    inDir(async (dir) => {
      const holder = start('hold', dir)
      await hears(holder, /^open$/)
      const error = await left(lmdbStore({ dir }))
      expect(error).toEqual({ tag: 'StoreInUse', dir, pid: holder.child.pid })
      expect(explainStore(error)).toBe(
        `${dir} is in use by process ${holder.child.pid}; stop that one, or choose another directory`,
      )
      await holder.kill()
      expect(await contentOf(dir)).toEqual([])
    }))

  test('of many that start at once, one has it, and the others name it', () =>
    inDir(async (dir) => {
      const all = Array.from({ length: 6 }, () => start('hold', dir))
      try {
        for (const each of all) await hears(each, /^(open|refused)/)
        const winner = all.filter((each) => each.said()[0] === 'open')
        expect(winner).toHaveLength(1)
        for (const each of all)
          if (each !== winner[0]) expect(each.said()[0]).toContain(`in use by process ${winner[0]?.child.pid};`)
      } finally {
        for (const each of all) await each.kill()
      }
    }))

  test('the same process is refused a second time', () =>
    inDir((dir) =>
      withStore({ dir }, async () => {
        expect(await left(lmdbStore({ dir }))).toEqual({ tag: 'StoreInUse', dir, pid: process.pid })
      }),
    ))

  test('a store that was refused can be opened when it is put right', () =>
    inDir(async (dir) => {
      writeFileSync(join(dir, 'store.mdb'), 'mine')
      expect((await left(lmdbStore({ dir }))).tag).toBe('StoreNotOurs')
      rmSync(join(dir, 'store.mdb'))
      expect(await contentOf(dir)).toEqual([])
    }))

  test.for(['', 'nobody', '1', `${process.pid}`, '-1', '99999999'])(
    'a lock file that says "%s" locks nobody out',
    (says) =>
      inDir(async (dir) => {
        writeFileSync(join(dir, 'store.lock'), says)
        expect(await contentOf(dir)).toEqual([])
      }),
  )
})

needs.programs('prlimit', 'sh')('a disk that is full', () => {
  test('refuses, loses nothing, and is written to again when there is room', () =>
    inDir(async (dir) => {
      // A limit on the size of files stands for the disk's; the signal that comes with it would end the process.
      const script = 'trap "" XFSZ; ulimit -S -f 600; exec "$0" "$@"'
      const filler = started('sh', '-c', script, process.execPath, victim, 'fill', dir)
      try {
        await hears(filler, /^read /)
        const said = filler.said()
        const wrote = said.filter((line) => line.startsWith('wrote')).length
        expect(wrote).toBeGreaterThan(5)
        expect(said).toContain(`read ${wrote}`)
        expect(said.find((line) => line.startsWith('refused'))).toMatch(
          /^refused the store in .* cannot be used: File too large/,
        )
        await once(
          spawn('prlimit', ['--fsize=unlimited', '--pid', `${filler.child.pid}`], { stdio: 'inherit' }),
          'close',
        )
        filler.child.stdin?.write('go on\n')
        await hears(filler, /^again$/)
        const stored = new Map(await contentOf(dir))
        expect(stored.size).toBe(wrote + 1)
        expect(stored.get('again')).toBe('x')
      } finally {
        await filler.kill()
      }
    }))
})

describe('many callers', () => {
  /** How many transactions lmdb has made, each with its flush: the number on its newer meta page. */
  const flushes = (dir: string): number => {
    const bytes = readFileSync(dataOf(dir))
    return Math.max(bytes.readUIntLE(152, 6), bytes.readUIntLE(4096 + 152, 6))
  }

  test('share flushes, and one caller has its own', () =>
    inDir((dir) =>
      withStore({ dir }, async (store) => {
        const before = flushes(dir)
        for (let i = 0; i < 10; i++) await right(store.transact(put(`one/${i}`, 'x')))
        expect(flushes(dir)).toBe(before + 10)
        await Promise.all(Array.from({ length: 1000 }, (_, i) => right(store.transact(put(`all/${i}`, 'x')))))
        expect(flushes(dir)).toBe(before + 11)
      }),
    ))

  test('whose transactions are all refused, or write nothing, cost no flush', () =>
    inDir((dir) =>
      withStore({ dir }, async (store) => {
        const before = flushes(dir)
        await store.transact({ compares: [{ key: 'a', revision: 7 }], writes: [{ key: 'a', value: 'x' }] })()
        await right(store.transact({ compares: [{ key: 'a', revision: 0 }], writes: [] }))
        expect(flushes(dir)).toBe(before)
      }),
    ))
})
