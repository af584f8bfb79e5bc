// Stores: the one on disk answers as the one in memory does, whatever is asked of them; and what a decoder is given that was
// not encoded so, it refuses.

import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { E } from '../src/prelude.ts'
import { exportStore, importStore, readDump } from '../src/store/dump.ts'
import { lmdbStore } from '../src/store/lmdb/lmdb.ts'
import { decodeHead, decodeRecord, encodeHead, encodeRecord, keyBytes, keyText } from '../src/store/lmdb/record.ts'
import { memoryStore } from '../src/store/memory.ts'
import type { News, Store, Transaction } from '../src/store/store.ts'
import { runs } from '../test/lib/runs.ts'
import { inDir, right } from '../test/store/lib.ts'

const text = fc.string({ unit: 'binary', maxLength: 20 })
const key = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('a', 'a/1', 'a/2', 'b', 'ÿ', '\u{ffff}', '\u{10000}') },
  text,
  fc.constantFrom('', 'x'.repeat(1024), 'x'.repeat(1025), '\ud800'),
)
const value = fc.oneof(
  text,
  fc.integer({ min: 0, max: 20_000 }).map((n) => 'v'.repeat(n)),
)

/** Compares name a revision from the end: 0 is the present one, so that some hold and some do not. */
type Ask = Readonly<{
  compares: ReadonlyArray<Readonly<{ key: string; ago: number | null }>>
  writes: Transaction['writes']
}>
const ask: fc.Arbitrary<Ask> = fc.record({
  compares: fc.array(fc.record({ key, ago: fc.option(fc.nat(1), { freq: 3 }) }), { maxLength: 2 }),
  writes: fc.array(fc.record({ key, value: fc.option(value, { freq: 3 }) }), { maxLength: 4 }),
})

type Act = Readonly<
  | { do: 'transact'; together: ReadonlyArray<Ask> }
  | { do: 'get'; key: string }
  | { do: 'list'; prefix: string }
  | { do: 'watch'; prefix: string; ago: number }
  | { do: 'unwatch' }
>
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('transact' as const), together: fc.array(ask, { maxLength: 5 }) }),
  },
  fc.record({ do: fc.constant('get' as const), key }),
  fc.record({ do: fc.constant('list' as const), prefix: fc.oneof(fc.constantFrom('', 'a', 'a/'), key) }),
  fc.record({ do: fc.constant('watch' as const), prefix: fc.constantFrom('', 'a', 'a/'), ago: fc.nat(12) }),
  fc.record({ do: fc.constant('unwatch' as const) }),
)

type Seen = Readonly<{ seen: ReadonlyArray<unknown>; last: unknown }>

/** Everything that can be seen of a store while it does all this, and what it holds before it is closed. */
const observe = async (store: Store, acts: ReadonlyArray<Act>): Promise<Seen> => {
  const seen: unknown[] = []
  const stops: Array<() => void> = []
  const transactionOf = async ({ compares, writes }: Ask): Promise<Transaction> => ({
    writes,
    compares: await Promise.all(
      compares.map(async ({ key, ago }) => {
        const entry = await store.get(key)()
        const revision = E.isRight(entry) ? (entry.right?.revision ?? 0) : 0
        return { key, revision: ago === null ? 0 : Math.max(0, revision - ago) }
      }),
    ),
  })
  const perform = async (each: Act): Promise<unknown> => {
    switch (each.do) {
      case 'transact': {
        const transactions = await Promise.all(each.together.map(transactionOf))
        return Promise.all(transactions.map((transaction) => store.transact(transaction)()))
      }
      case 'get':
        return store.get(each.key)()
      case 'list':
        return store.list(each.prefix)()
      case 'watch': {
        const { revision } = await right(store.list(''))
        const name = stops.length
        stops.push(
          store.watch(each.prefix, Math.max(0, revision - each.ago), (news: News) => seen.push({ name, news })),
        )
        return null
      }
      case 'unwatch':
        return stops.at(-1)?.()
    }
  }
  for (const each of acts) seen.push({ did: each.do, answer: await perform(each) })
  const last = await store.list('')()
  await store.close()
  return { seen, last }
}

describe('a store', () => {
  test.prop([fc.array(act, { maxLength: 25 })])('on disk answers as the one in memory', async (acts) => {
    const expected = await observe(memoryStore({ history: 5 }), acts)
    const found = await inDir(async (dir) => observe(await right(lmdbStore({ dir, history: 5 })), acts))
    expect(found).toEqual(expected)
  })

  test.prop([fc.array(fc.array(act, { maxLength: 8 }), { maxLength: 4 })], runs(0.3))(
    'on disk holds, opened again, what it held when it was closed',
    (lives) =>
      inDir(async (dir) => {
        let before: unknown = E.right({ entries: [], revision: 0 })
        for (const acts of lives) {
          const store = await right(lmdbStore({ dir }))
          expect(await store.list('')()).toEqual(before)
          before = (await observe(store, acts)).last
        }
        const store = await right(lmdbStore({ dir }))
        expect(await store.list('')()).toEqual(before)
        await store.close()
      }),
  )
})

/** Bytes, and something that may have happened to them. */
const altered = (whole: fc.Arbitrary<Buffer>): fc.Arbitrary<readonly [Buffer, Buffer]> =>
  whole.chain((bytes) =>
    fc
      .oneof(
        fc.tuple(fc.nat(bytes.length * 8 - 1)).map(([bit]) => {
          const copy = Buffer.from(bytes)
          copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7))
          return copy
        }),
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }).map((changes) => {
          const copy = Buffer.from(bytes)
          for (const [at, byte] of changes) copy[at] = byte
          return copy
        }),
        fc.nat(bytes.length).map((length) => bytes.subarray(0, length)),
        fc
          .tuple(fc.nat(bytes.length), fc.uint8Array({ minLength: 1, maxLength: 8 }))
          .map(([at, more]) => Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)])),
        fc
          .tuple(fc.nat(bytes.length), fc.nat(bytes.length))
          .map(([a, b]) => Buffer.concat([bytes.subarray(b), bytes.subarray(0, a)])),
        fc.uint8Array({ maxLength: 200 }).map((random) => Buffer.from(random)),
        fc.nat(bytes.length).map((length) => Buffer.alloc(length)),
      )
      .map((after) => [bytes, after] as const),
  )

const revision = fc.nat(2 ** 47)
const aKey = text.map(keyBytes)
const record = fc.record({ at: aKey, revision, value: fc.string({ unit: 'binary', maxLength: 60 }) })
const head = fc.record({
  schema: fc.integer({ min: 1, max: 1000 }),
  id: fc.uuid(),
  revision,
  entries: fc.nat(),
  digest: fc.nat(0xffffffff),
})

describe('the decoder of records', () => {
  test.prop([text])('the key of an entry is read back', (key) => {
    expect(keyText(keyBytes(key))).toBe(key)
  })

  test.prop([record])('what was encoded is decoded', ({ at, revision, value }) => {
    expect(decodeRecord(at, encodeRecord(at, revision, value))).toEqual(E.right({ revision, value }))
  })

  test.prop([head])('a head that was encoded is decoded', (head) => {
    expect(decodeHead(encodeHead(head))).toEqual(E.right(head))
  })

  test.prop(
    [
      record.chain(({ at, revision, value }) =>
        altered(fc.constant(encodeRecord(at, revision, value))).map((pair) => ({ at, pair })),
      ),
    ],
    runs(10),
  )('refuses a record that was altered', ({ at, pair: [before, after] }) => {
    expect(E.isRight(decodeRecord(at, after))).toBe(after.equals(before))
  })

  test.prop([record, aKey])('refuses a record under another key', ({ at, revision, value }, other) => {
    expect(E.isRight(decodeRecord(other, encodeRecord(at, revision, value)))).toBe(other.equals(at))
  })

  test.prop([altered(head.map(encodeHead))], runs(10))('refuses a head that was altered', ([before, after]) => {
    expect(E.isRight(decodeHead(after))).toBe(after.equals(before))
  })
})

const content = fc.uniqueArray(fc.record({ key: text.filter((key) => key !== ''), value: text }), {
  selector: ({ key }) => key,
  maxLength: 10,
})

const holding = async (entries: Transaction['writes']): Promise<Store> => {
  const store = memoryStore()
  await right(store.transact({ compares: [], writes: entries }))
  return store
}
const pairsOf = async (store: Store) => (await right(store.list(''))).entries.map(({ key, value }) => [key, value])

describe('an export', () => {
  test.prop([content])('imported is the same content', async (entries) => {
    const from = await holding(entries)
    const to = memoryStore()
    await right(importStore(to, 'export', await right(exportStore(from))))
    expect(await pairsOf(to)).toEqual(await pairsOf(from))
  })

  test.prop([content.chain((entries) => fc.tuple(fc.constant(entries), fc.infiniteStream(fc.nat())))])(
    'that was altered is refused, or says the same',
    async ([entries, dice]) => {
      const whole = await right(exportStore(await holding(entries)))
      const said = readDump('export', whole)
      const roll = (below: number): number => Number(dice.next().value) % below
      const at = roll(whole.length)
      const other = String.fromCharCode(roll(128))
      for (const after of [
        whole.slice(0, at) + other + whole.slice(at + 1),
        whole.slice(0, at) + other + whole.slice(at),
        whole.slice(0, at) + whole.slice(at + 1),
        whole.slice(0, at),
        whole.slice(at),
        whole + other,
      ]) {
        const read = readDump('export', after)
        if (E.isRight(read)) expect(read).toEqual(said)
        else expect(read.left.tag).toBe('StoreBadExport')
      }
    },
  )
})
