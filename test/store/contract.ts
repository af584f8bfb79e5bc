// What every store promises; each store's test file runs these facts on a fresh one.

import { randomBytes } from 'node:crypto'
import { afterEach, expect, test } from 'vitest'
import { check } from '../../src/history/check.ts'
import { explain } from '../../src/history/explain.ts'
import { recorder } from '../../src/history/record.ts'
import { showExplanation } from '../../src/history/show.ts'
import { STORE, type StoreIn, type StoreOut } from '../../src/history/specs/store.ts'
import { E } from '../../src/prelude.ts'
import { MAX_KEY_BYTES } from '../../src/store/error.ts'
import type { News, Store, Transaction } from '../../src/store/store.ts'
import { type Dice, diceOf } from '../lib/histories.ts'
import { operationsIn } from '../lib/planted.ts'
import { put, right } from './lib.ts'

/** How to get a store, and one that remembers as many transactions. */
export type Fresh = (options?: { readonly history: number }) => Promise<Store>

/** `largestBytes`: of a value that does not get smaller by packing. Null: there is no limit that a test could reach. */
export type Limits = Readonly<{ largestBytes: number | null }>

type Changed = Extract<News, { tag: 'Changed' }>
const changes = (told: ReadonlyArray<News>): ReadonlyArray<Changed> => told.filter((news) => news.tag === 'Changed')

export const storeContract = (make: Fresh, { largestBytes }: Limits = { largestBytes: null }): void => {
  const made: Store[] = []
  const fresh: Fresh = async (options) => {
    const store = await make(options)
    made.push(store)
    return store
  }
  afterEach(async () => {
    for (const store of made.splice(0)) await store.close()
  })

  readsAndWrites(fresh)
  keysAndValues(fresh)
  sizes(fresh, largestBytes)
  manyAtOnce(fresh)
  watches(fresh)
  ends(fresh)
}

const readsAndWrites = (fresh: Fresh): void => {
  test('a key that was never written is absent', async () => {
    expect(await right((await fresh()).get('a'))).toBeNull()
  })

  test('a write is read back with the revision of its transaction', async () => {
    const store = await fresh()
    const revision = await right(store.transact(put('a', 'one')))
    expect(await right(store.get('a'))).toEqual({ key: 'a', value: 'one', revision })
  })

  test('a removed key is absent, and removing it again is no error', async () => {
    const store = await fresh()
    await right(store.transact(put('a', 'one')))
    for (const _ of [1, 2]) await right(store.transact(put('a', null)))
    expect(await right(store.get('a'))).toBeNull()
  })

  test('a transaction with a stale compare changes nothing and names the key', async () => {
    const store = await fresh()
    const first = await right(store.transact(put('a', 'one')))
    await right(store.transact(put('a', 'two')))
    const stale = await store.transact({
      compares: [{ key: 'a', revision: first }],
      writes: [
        { key: 'b', value: 'x' },
        { key: 'a', value: 'three' },
      ],
    })()
    expect(stale).toEqual(E.left({ tag: 'StoreConflict', key: 'a' }))
    expect((await right(store.get('a')))?.value).toBe('two')
    expect(await right(store.get('b'))).toBeNull()
  })

  test('of many compares the one that is not met is named, wherever it stands', async () => {
    const store = await fresh()
    const keys = Array.from({ length: 20 }, (_, i) => `k/${i}`)
    const revision = await right(store.transact({ compares: [], writes: keys.map((key) => ({ key, value: 'one' })) }))
    for (const stale of ['k/0', 'k/11', 'k/19', 'absent']) {
      const compares = [...keys, 'absent'].map((key) => ({ key, revision: key === 'absent' ? 0 : revision }))
      const late = compares.map((compare) =>
        compare.key === stale ? { ...compare, revision: compare.revision + 1 } : compare,
      )
      const writes = [{ key: 'b', value: stale }]
      expect(await store.transact({ compares: late, writes })()).toEqual(E.left({ tag: 'StoreConflict', key: stale }))
      expect(await store.transact({ compares: late, writes: [] })()).toEqual(
        E.left({ tag: 'StoreConflict', key: stale }),
      )
      expect(await right(store.get('b'))).toBeNull()
    }
    const met = [...keys, 'absent'].map((key) => ({ key, revision: key === 'absent' ? 0 : revision }))
    await right(store.transact({ compares: met, writes: [{ key: 'b', value: 'x' }] }))
  })

  test('revision 0 compares with absence', async () => {
    const store = await fresh()
    const create: Transaction = { compares: [{ key: 'a', revision: 0 }], writes: [{ key: 'a', value: 'one' }] }
    await right(store.transact(create))
    expect(await store.transact(create)()).toEqual(E.left({ tag: 'StoreConflict', key: 'a' }))
  })

  test('a transaction without writes only compares', async () => {
    const store = await fresh()
    const revision = await right(store.transact(put('a', 'one')))
    expect(await right(store.transact({ compares: [{ key: 'a', revision }], writes: [] }))).toBe(revision)
    expect((await right(store.list(''))).revision).toBe(revision)
  })

  test('of many concurrent transactions on one revision, one happens', async () => {
    const store = await fresh()
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        store.transact({ compares: [{ key: 'a', revision: 0 }], writes: [{ key: 'a', value: `${i}` }] })(),
      ),
    )
    expect(outcomes.filter(E.isRight)).toHaveLength(1)
    expect((await right(store.get('a')))?.value).toBe(`${outcomes.findIndex(E.isRight)}`)
  })

  test('concurrent transactions each get a revision of their own, and none is lost', async () => {
    const store = await fresh()
    const revisions = await Promise.all(
      Array.from({ length: 200 }, (_, i) => right(store.transact(put(`k/${i}`, `${i}`)))),
    )
    expect(new Set(revisions).size).toBe(200)
    const { entries, revision } = await right(store.list('k/'))
    expect(new Map(entries.map(({ key, revision }) => [key, revision]))).toEqual(
      new Map(revisions.map((each, i) => [`k/${i}`, each])),
    )
    expect(revision).toBe(Math.max(...revisions))
  })

  test('counters raised by compare and repeat add up', async () => {
    const store = await fresh()
    const raise = async (): Promise<void> => {
      for (;;) {
        const entry = await right(store.get('n'))
        const outcome = await store.transact({
          compares: [{ key: 'n', revision: entry?.revision ?? 0 }],
          writes: [{ key: 'n', value: `${Number(entry?.value ?? 0) + 1}` }],
        })()
        if (E.isRight(outcome)) return
      }
    }
    await Promise.all(Array.from({ length: 20 }, raise))
    expect((await right(store.get('n')))?.value).toBe('20')
  })
}

const manyAtOnce = (fresh: Fresh): void => {
  const answerOf = async (store: Store, input: StoreIn): Promise<StoreOut> => {
    if (input.do === 'get') return { entry: await right(store.get(input.key)) }
    if (input.do === 'list') return right(store.list(input.prefix))
    const outcome = await store.transact(input)()
    if (E.isRight(outcome)) return { revision: outcome.right }
    if (outcome.left.tag !== 'StoreConflict') throw new Error(outcome.left.tag)
    return { conflict: outcome.left.key }
  }

  test('what callers at once are answered is linearizable', async () => {
    const store = await fresh()
    const log = recorder<StoreIn, StoreOut>()
    const call = async (client: string, dice: Dice): Promise<void> => {
      let known = 0
      const ask = async (input: StoreIn): Promise<void> => {
        const id = log.invoke(client, input)
        const output = await answerOf(store, input)
        log.ok(id, output)
        if ('entry' in output) known = output.entry?.revision ?? 0
      }
      for (let i = 0; i < 40; i++) {
        const key = `k/${dice(3)}`
        const writes = [{ key, value: dice(5) === 0 ? null : `${client} ${i}` }]
        const more = dice(4) === 0 ? [{ key: 'k/both', value: `${client} ${i}` }] : []
        if (dice(10) === 0) await ask({ do: 'list', prefix: 'k/' })
        else await ask({ do: 'get', key })
        const compares = dice(2) === 0 ? [{ key, revision: known }] : []
        await ask({ do: 'transact', compares, writes: [...writes, ...more] })
      }
    }
    await Promise.all(Array.from({ length: 8 }, (_, n) => call(`c${n}`, diceOf(n + 1))))
    const verdict = check(STORE, operationsIn(log.history()))
    expect(verdict.tag, verdict.tag === 'violated' ? showExplanation(STORE, explain(STORE, verdict.group)) : '').toBe(
      'linearizable',
    )
  })
}

const keysAndValues = (fresh: Fresh): void => {
  test('a list holds what is below its prefix, in key order', async () => {
    const store = await fresh()
    for (const key of ['b/2', 'a/1', 'b/1', 'c', 'b', 'b0']) await right(store.transact(put(key, key)))
    const { entries } = await right(store.list('b/'))
    expect(entries.map(({ key }) => key)).toEqual(['b/1', 'b/2'])
  })

  test('the empty prefix lists everything, in the order of JavaScript’s strings', async () => {
    const store = await fresh()
    const keys = ['\0', ' ', 'a', 'a\0', 'z', '~', 'ÿ', 'Ā', '\u{ffff}', '\u{10000}', '\u{10ffff}', '\ue000', 'a/b']
    for (const key of keys) await right(store.transact(put(key, key)))
    expect((await right(store.list(''))).entries.map(({ key }) => key)).toEqual([...keys].sort())
  })

  test('a prefix of the highest characters lists what is below it', async () => {
    const store = await fresh()
    const keys = ['ÿ', 'ÿÿ', 'ÿÿa', 'Ā', '\u{10ffff}', '\u{10ffff}\u{10ffff}', '\u{10ffff}a']
    for (const key of keys) await right(store.transact(put(key, key)))
    const below = async (prefix: string) => (await right(store.list(prefix))).entries.map(({ key }) => key)
    expect(await below('ÿÿ')).toEqual(['ÿÿ', 'ÿÿa'])
    expect(await below('\u{10ffff}')).toEqual(['\u{10ffff}', '\u{10ffff}a', '\u{10ffff}\u{10ffff}'])
    expect(await below('nobody')).toEqual([])
  })

  test('the longest key is kept, a longer one is refused', async () => {
    const store = await fresh()
    const longest = 'é'.repeat(MAX_KEY_BYTES / 2)
    await right(store.transact(put(longest, 'x')))
    expect((await right(store.list(longest.slice(0, -1)))).entries.map(({ key }) => key)).toEqual([longest])
    const longer = `${longest}a`
    const bad = E.left({ tag: 'StoreBadKey', key: longer, why: 'long' })
    expect(await store.transact(put(longer, 'x'))()).toEqual(bad)
    expect(await store.get(longer)()).toEqual(bad)
  })

  test.for([
    ['an empty key', put('', 'x'), { tag: 'StoreBadKey', key: '', why: 'empty' }],
    ['half of a character as key', put('a\ud800', 'x'), { tag: 'StoreBadKey', key: 'a\ud800', why: 'notText' }],
    ['half of a character as value', put('a', '\udc00'), { tag: 'StoreBadValue', key: 'a' }],
    [
      'a key twice',
      { compares: [], writes: [...put('a', '1').writes, ...put('b', '2').writes, ...put('a', null).writes] },
      { tag: 'StoreBadKey', key: 'a', why: 'twice' },
    ],
    [
      'an empty key to compare',
      { compares: [{ key: '', revision: 0 }], writes: [] },
      { tag: 'StoreBadKey', key: '', why: 'empty' },
    ],
  ] as const)('%s is refused, and nothing is written', async ([, transaction, error]) => {
    const store = await fresh()
    const before = await right(store.list(''))
    expect(await store.transact(transaction)()).toEqual(E.left(error))
    expect(await right(store.list(''))).toEqual({ ...before, entries: [] })
  })

  test('values may be empty, and of any characters', async () => {
    const store = await fresh()
    const values = ['', '\0', 'line\nline', '\u{10ffff}', '{"a":[1,2]}']
    for (const [i, value] of values.entries()) await right(store.transact(put(`v${i}`, value)))
    expect((await right(store.list('v'))).entries.map(({ value }) => value)).toEqual(values)
  })
}

const LARGE_BYTES = 6_000_000

const sizes = (fresh: Fresh, largestBytes: number | null): void => {
  test('a large value is read back', async () => {
    const store = await fresh()
    const value = noise(Math.min(LARGE_BYTES, largestBytes ?? LARGE_BYTES))
    await right(store.transact(put('a', value)))
    expect((await right(store.get('a')))?.value === value).toBe(true)
  })

  test('a transaction too large is refused before anything happens, and its size is said', async () => {
    const store = await fresh()
    if (largestBytes === null) return
    const before = await right(store.list(''))
    const huge = await store.transact({
      compares: [],
      writes: ['a', 'b'].map((key) => ({ key, value: noise(largestBytes) })),
    })()
    expect(huge).toMatchObject({ left: { tag: 'StoreTooLarge', what: 'bytes' } })
    expect(await right(store.list(''))).toEqual(before)
  })

  test('a thousand keys are written, and removed, in one transaction each', async () => {
    const store = await fresh()
    const told: News[] = []
    const keys = Array.from({ length: 1000 }, (_, i) => `k/${String(i).padStart(4, '0')}`)
    const since = (await right(store.list(''))).revision
    store.watch('k/', since, (news) => told.push(news))
    const revision = await right(store.transact({ compares: [], writes: keys.map((key) => ({ key, value: key })) }))
    const { entries } = await right(store.list('k/'))
    expect(entries).toEqual(keys.map((key) => ({ key, value: key, revision })))
    const later = await right(
      store.transact({ compares: [{ key: 'k/0999', revision }], writes: keys.map((key) => ({ key, value: null })) }),
    )
    expect((await right(store.list('k/'))).entries).toEqual([])
    await expect.poll(() => told.length).toBe(2)
    expect(changes(told).map(({ revision, writes }) => [revision, writes.length])).toEqual([
      [revision, 1000],
      [later, 1000],
    ])
  })
}

/** Text that does not get smaller by packing, of so many bytes. */
const noise = (bytes: number): string =>
  randomBytes(Math.ceil((bytes * 3) / 4))
    .toString('base64')
    .slice(0, bytes)

const watches = (fresh: Fresh): void => {
  test('a watch tells of every later transaction below its prefix once, in order, until it is stopped', async () => {
    const store = await fresh()
    const since = await right(store.transact(put('n/1', 'before')))
    const missed = await right(store.transact(put('n/2', 'missed')))
    const told: News[] = []
    const stop = store.watch('n/', since, (news) => told.push(news))
    await right(store.transact(put('other', 'x')))
    const after = await right(store.transact(put('n/1', null)))
    await expect.poll(() => told).toHaveLength(2)
    stop()
    await right(store.transact(put('n/3', 'late')))
    expect(told).toEqual([
      { tag: 'Changed', revision: missed, writes: [{ key: 'n/2', value: 'missed' }] },
      { tag: 'Changed', revision: after, writes: [{ key: 'n/1', value: null }] },
    ])
  })

  test('a watch from the revision of a list misses nothing and repeats nothing', async () => {
    const store = await fresh()
    const writing = Promise.all(Array.from({ length: 50 }, (_, i) => right(store.transact(put(`k/${i}`, `${i}`)))))
    const listed = await right(store.list(''))
    const told: News[] = []
    store.watch('', listed.revision, (news) => told.push(news))
    await writing
    await expect.poll(() => listed.entries.length + told.length).toBe(50)
    expect(changes(told).every(({ revision }) => revision > listed.revision)).toBe(true)
  })

  test('many watchers are each told of their own', async () => {
    const store = await fresh()
    const told = Array.from({ length: 100 }, (): News[] => [])
    for (const [i, news] of told.entries()) store.watch(`${i % 10}/`, 0, (each) => news.push(each))
    await Promise.all(Array.from({ length: 10 }, (_, i) => right(store.transact(put(`${i}/x`, `${i}`)))))
    for (const [i, news] of told.entries()) {
      await expect.poll(() => news).toHaveLength(1)
      expect(changes(news)[0]?.writes).toEqual([{ key: `${i % 10}/x`, value: `${i % 10}` }])
    }
  })

  test('a watch tells nothing of what was refused', async () => {
    const store = await fresh()
    const told: News[] = []
    store.watch('', 0, (news) => told.push(news))
    await store.transact({ compares: [{ key: 'a', revision: 7 }], writes: [{ key: 'a', value: 'x' }] })()
    await right(store.transact(put('b', 'y')))
    await expect.poll(() => told).toHaveLength(1)
    expect(changes(told)[0]?.writes).toEqual([{ key: 'b', value: 'y' }])
  })

  test('a watcher may stop itself and others, and write, while it is told', async () => {
    const store = await fresh()
    const told: string[] = []
    const stops: Array<() => void> = []
    const stopAll = (name: string) => () => {
      told.push(name)
      for (const stop of stops) stop()
      void store.transact(put('b', name))()
    }
    stops.push(store.watch('', 0, stopAll('first')), store.watch('', 0, stopAll('second')))
    await right(store.transact(put('a', 'x')))
    // Which of the two is told first is the store's affair.
    await expect.poll(async () => (await right(store.get('b')))?.value).toBeDefined()
    expect(told).toEqual([(await right(store.get('b')))?.value])
  })

  test('a watch from before what the store remembers ends at once and says so', async () => {
    const store = await fresh({ history: 3 })
    const revisions: number[] = []
    for (let i = 0; i < 20; i++) revisions.push(await right(store.transact(put('a', `${i}`))))
    const told: News[] = []
    store.watch('', revisions[0] ?? 0, (news) => told.push(news))
    await expect.poll(() => told).toHaveLength(1)
    expect(told[0]).toMatchObject({ tag: 'Ended', error: { tag: 'StoreCompacted', since: revisions[0] } })
    await right(store.transact(put('a', 'later')))
    expect(told).toHaveLength(1)
  })

  test('as many transactions as the store is told to remember can be looked back', async () => {
    const store = await fresh({ history: 3 })
    const revisions: number[] = []
    for (let i = 0; i < 20; i++) revisions.push(await right(store.transact(put('a', `${i}`))))
    const told: News[] = []
    store.watch('', revisions[16] ?? 0, (news) => told.push(news))
    await expect.poll(() => changes(told).map(({ revision }) => revision)).toEqual(revisions.slice(17))
  })
}

const ends = (fresh: Fresh): void => {
  test('a closed store refuses everything, and may be closed again', async () => {
    const store = await fresh()
    await right(store.transact(put('a', 'one')))
    await store.close()
    await store.close()
    const closed = E.left({ tag: 'StoreClosed' })
    expect(await store.get('a')()).toEqual(closed)
    expect(await store.list('')()).toEqual(closed)
    expect(await store.transact(put('a', 'two'))()).toEqual(closed)
    const told: News[] = []
    store.watch('', 0, (news) => told.push(news))
    await expect.poll(() => told).toEqual([{ tag: 'Ended', error: { tag: 'StoreClosed' } }])
  })

  test('closing ends the watches and waits for the transactions under way', async () => {
    const store = await fresh()
    const told: News[] = []
    store.watch('a', 0, (news) => told.push(news))
    const writing = Array.from({ length: 10 }, (_, i) => store.transact(put(`a/${i}`, 'x'))())
    await store.close()
    expect((await Promise.all(writing)).every(E.isRight)).toBe(true)
    expect(told).toHaveLength(11)
    expect(told.at(-1)).toEqual({ tag: 'Ended', error: { tag: 'StoreClosed' } })
  })
}
