// The file of the store on disk: whatever happens to its bytes, it is refused and left alone, or everything is there; and
// whatever part of a transaction reached the disk when the power went, the transaction before is there, whole.

import { readFileSync, writeFileSync } from 'node:fs'
import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { E } from '../src/prelude.ts'
import { lmdbStore } from '../src/store/lmdb/lmdb.ts'
import type { Store, Write } from '../src/store/store.ts'
import { runs } from '../test/lib/runs.ts'
import { dataOf, fill, inDir, put, right } from '../test/store/lib.ts'

const PAGE = 4096

const pairsOf = async (store: Store) => (await right(store.list(''))).entries.map(({ key, value }) => [key, value])
const opened = async <A>(dir: string, work: (store: Store) => Promise<A>): Promise<A> => {
  const store = await right(lmdbStore({ dir }))
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

const example = inDir(async (dir) => {
  await fill(dir)
  return { bytes: readFileSync(dataOf(dir)), content: await opened(dir, pairsOf) }
})

type Harm = (bytes: Buffer) => void
const place = fc.nat().map((n) => (length: number) => n % length)
const bits: fc.Arbitrary<Harm> = fc
  .array(fc.tuple(place, fc.nat(7)), { minLength: 1, maxLength: 3 })
  .map((flips) => (bytes) => {
    for (const [at, bit] of flips) bytes[at(bytes.length)] = (bytes[at(bytes.length)] ?? 0) ^ (1 << bit)
  })
/** Where lmdb keeps what it believes: the heads of pages, and their lists of nodes. */
const headers: fc.Arbitrary<Harm> = fc
  .array(fc.tuple(place, fc.nat(199), fc.nat(255)), { minLength: 1, maxLength: 3 })
  .map((changes) => (bytes) => {
    for (const [page, at, byte] of changes) bytes[page(bytes.length / PAGE) * PAGE + at] = byte
  })
/** The 168 bytes of each meta page that lmdb reads. */
const metas: fc.Arbitrary<Harm> = fc
  .array(fc.tuple(fc.nat(1), fc.nat(167), fc.nat(255)), { minLength: 1, maxLength: 2 })
  .map((changes) => (bytes) => {
    for (const [page, at, byte] of changes) bytes[page * PAGE + at] = byte
  })
const pages: fc.Arbitrary<Harm> = fc.tuple(place, fc.option(place)).map(([to, from]) => (bytes) => {
  const target = to(bytes.length / PAGE) * PAGE
  if (from === null) bytes.fill(0, target, target + PAGE)
  else bytes.copyWithin(target, from(bytes.length / PAGE) * PAGE, from(bytes.length / PAGE) * PAGE + PAGE)
})
const harm = fc.oneof(bits, headers, metas, pages)

describe('a file that was altered', () => {
  test.prop([harm], runs(3))('is refused and left as it is, or everything is there and stays', async (harm) => {
    const { bytes, content } = await example
    const altered = Buffer.from(bytes)
    harm(altered)
    await inDir(async (dir) => {
      writeFileSync(dataOf(dir), altered)
      const store = await lmdbStore({ dir })()
      if (E.isLeft(store)) {
        expect(store.left.tag).toMatch(/^Store(NotOurs|Damaged)$/)
        expect(readFileSync(dataOf(dir)).equals(altered)).toBe(true)
        return
      }
      expect(await pairsOf(store.right)).toEqual(content)
      for (let i = 0; i < 5; i++) await right(store.right.transact(put(`small/${i}`, 'x'.repeat(i * 2000))))
      const later = await pairsOf(store.right)
      await store.right.close()
      expect(await opened(dir, pairsOf)).toEqual(later)
    })
  })
})

const writes = fc.uniqueArray(
  fc.record({
    key: fc.oneof(
      fc.nat(200).map((n) => `small/${n}`),
      fc.nat(12).map((n) => `large/${n}`),
    ),
    value: fc.option(fc.nat(9000).map((n) => 'w'.repeat(n))),
  }),
  { selector: ({ key }: Write) => key, minLength: 1, maxLength: 6 },
)

describe('a loss of power', () => {
  // lmdb writes the pages of a transaction to places that no earlier one uses, flushes, and only then writes the meta page.
  // Until it does, any of those pages may be on the disk, and any not.
  test.prop([fc.array(writes, { minLength: 1, maxLength: 4 }), fc.infiniteStream(fc.boolean()), fc.boolean()])(
    'during a transaction leaves the one before, whichever pages were written',
    async (transactions, reached, grown) => {
      const { bytes } = await example
      const last = transactions.length - 1
      await inDir(async (dir) => {
        writeFileSync(dataOf(dir), bytes)
        const states = await opened(dir, async (store) => {
          const all: Array<{ bytes: Buffer; content: unknown }> = []
          for (const writes of transactions) {
            all.push({ bytes: readFileSync(dataOf(dir)), content: await pairsOf(store) })
            await right(store.transact({ compares: [], writes }))
          }
          return [...all, { bytes: readFileSync(dataOf(dir)), content: await pairsOf(store) }]
        })
        const [before, after] = [states[last], states[last + 1]]
        if (before === undefined || after === undefined) throw new Error('no transaction was made')

        const lost = Buffer.alloc(grown ? Math.max(before.bytes.length, after.bytes.length) : before.bytes.length)
        before.bytes.copy(lost)
        for (let at = 2 * PAGE; at < lost.length; at += PAGE)
          if (reached.next().value) after.bytes.copy(lost, at, at, at + PAGE)
        writeFileSync(dataOf(dir), lost)
        expect(await opened(dir, pairsOf)).toEqual(before.content)

        writeFileSync(dataOf(dir), after.bytes)
        expect(await opened(dir, pairsOf)).toEqual(after.content)
      })
    },
  )
})
