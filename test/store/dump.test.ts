// An export is text that says what it is and when it is whole; an import is all of it, into an empty store, or nothing.

import { describe, expect, test } from 'vitest'
import { E } from '../../src/prelude.ts'
import { exportStore, importStore } from '../../src/store/dump.ts'
import { explainStore } from '../../src/store/error.ts'
import { memoryStore } from '../../src/store/memory.ts'
import type { Migration } from '../../src/store/migrate.ts'
import { inDir, left, put, right, withStore } from './lib.ts'

const example = async (): Promise<string> => {
  const store = memoryStore()
  await right(store.transact(put('network/1', '{"name":"web"}')))
  await right(store.transact(put('network/2', 'line\nline')))
  return right(exportStore(store))
}

describe('an export', () => {
  test('is a line that says what it is, one for each entry, and one that sums up', async () => {
    expect(await example()).toBe(
      [
        '{"format":"cnm-store-export","version":1,"schema":1,"revision":2}',
        '{"key":"network/1","revision":1,"value":"{\\"name\\":\\"web\\"}"}',
        '{"key":"network/2","revision":2,"value":"line\\nline"}',
        '{"entries":2,"crc32":"SUM"}',
        '',
      ]
        .join('\n')
        .replace('SUM', (await example()).match(/"crc32":"([0-9a-f]{8})"/)?.[1] ?? 'no sum'),
    )
  })

  test('carries a store on disk to another', () =>
    inDir((one) =>
      inDir(async (two) => {
        const text = await withStore({ dir: one }, async (store) => {
          for (let i = 0; i < 50; i++) await right(store.transact(put(`k/${i}`, `${i}`.repeat(100 * i))))
          return right(exportStore(store))
        })
        await withStore({ dir: two }, (store) => right(importStore(store, 'export', text)))
        const again = await withStore({ dir: two }, (store) => right(exportStore(store)))
        const values = (text: string) =>
          text
            .split('\n')
            .slice(1, -2)
            .map((line) => JSON.parse(line).value)
        expect(values(again)).toEqual(values(text))
        expect(values(again)).toHaveLength(50)
      }),
    ))

  test('of an empty store imports as nothing', async () => {
    const to = memoryStore()
    expect(await right(importStore(to, 'export', await right(exportStore(memoryStore()))))).toBe(0)
  })
})

describe('an import is refused, and writes nothing,', () => {
  const refuse = async (text: string, migrations?: ReadonlyArray<Migration>) => {
    const to = memoryStore()
    const error = await left(importStore(to, 'backup.jsonl', text, migrations))
    expect((await right(to.list(''))).revision).toBe(0)
    return explainStore(error)
  }

  test.for([
    ['of what is no export', () => '{"networks": []}\n', /^backup.jsonl, line 1 does not begin as an export/],
    ['of nothing', () => '', /line 1 does not begin as an export/],
    ['of a part', (text: string) => text.slice(0, 200), /line \d is cut off/],
    [
      'without its last line',
      (text: string) => text.replace(/\{"entries".*\n/, ''),
      /line 3 is not the last of an export/,
    ],
    [
      'without a line',
      (text: string) => text.replace(/.*network\/1.*\n/, ''),
      /line 3 does not match what is before it/,
    ],
    ['with a changed value', (text: string) => text.replace('web', 'wob'), /line 4 does not match what is before it/],
    ['of another version', (text: string) => text.replace('"version":1', '"version":2'), /version 2, this cnm reads 1/],
  ] as const)('%s', async ([, harm, sentence]) => {
    expect(await refuse(harm(await example()))).toMatch(sentence)
  })

  test('with the way out', async () => {
    expect(await refuse('')).toMatch(/nothing was imported: export again, or take an older export$/)
  })

  test('into a store that is not empty', async () => {
    const to = memoryStore()
    await right(to.transact(put('mine', 'x')))
    const error = await left(importStore(to, 'export', await example()))
    expect(error).toEqual({ tag: 'StoreNotEmpty', entries: 1 })
    expect((await right(to.list(''))).entries.map(({ key }) => key)).toEqual(['mine'])
  })
})

describe('an export of an older schema', () => {
  const upper: Migration = (content) => E.right(content.map(({ key, value }) => ({ key: key.toUpperCase(), value })))

  test('is brought to the present one', async () => {
    const to = memoryStore()
    await right(importStore(to, 'export', await example(), [upper]))
    expect((await right(to.list(''))).entries.map(({ key }) => key)).toEqual(['NETWORK/1', 'NETWORK/2'])
  })

  test('is refused if that cannot be', async () => {
    const error = await left(importStore(memoryStore(), 'export', await example(), [() => E.left('it has no names')]))
    expect(error).toMatchObject({ tag: 'StoreNotMigrated', from: 1, why: 'it has no names' })
  })
})
