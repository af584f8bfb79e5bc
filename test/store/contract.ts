// What every store promises; each store's test file runs these facts on a fresh one.

import { expect, test } from 'vitest'
import { E } from '../../src/prelude.ts'
import type { News, Store, Transaction } from '../../src/store/store.ts'

const put = (key: string, value: string): Transaction => ({ compares: [], writes: [{ key, value }] })

const right = async <A>(task: () => Promise<E.Either<unknown, A>>): Promise<A> => {
  const result = await task()
  if (E.isLeft(result)) throw new Error(`unexpected ${JSON.stringify(result.left)}`)
  return result.right
}

export const storeContract = (fresh: () => Store): void => {
  test('a key that was never written is absent', async () => {
    expect(await right(fresh().get('a'))).toBeNull()
  })

  test('a write is read back with the revision of its transaction', async () => {
    const store = fresh()
    const revision = await right(store.transact(put('a', 'one')))
    expect(await right(store.get('a'))).toEqual({ key: 'a', value: 'one', revision })
  })

  test('a list holds what is below its prefix, in key order', async () => {
    const store = fresh()
    for (const key of ['b/2', 'a/1', 'b/1', 'c']) await right(store.transact(put(key, key)))
    const { entries } = await right(store.list('b/'))
    expect(entries.map(({ key }) => key)).toEqual(['b/1', 'b/2'])
  })

  test('a removed key is absent, and removing it again is no error', async () => {
    const store = fresh()
    await right(store.transact(put('a', 'one')))
    for (const _ of [1, 2]) await right(store.transact({ compares: [], writes: [{ key: 'a', value: null }] }))
    expect(await right(store.get('a'))).toBeNull()
  })

  test('a transaction with a stale compare changes nothing and names the key', async () => {
    const store = fresh()
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

  test('revision 0 compares with absence', async () => {
    const store = fresh()
    const create: Transaction = { compares: [{ key: 'a', revision: 0 }], writes: [{ key: 'a', value: 'one' }] }
    await right(store.transact(create))
    expect(await store.transact(create)()).toEqual(E.left({ tag: 'StoreConflict', key: 'a' }))
  })

  test('a watch tells of every later transaction below its prefix once, in order, until it is stopped', async () => {
    const store = fresh()
    const since = await right(store.transact(put('n/1', 'before')))
    await right(store.transact(put('n/2', 'missed')))
    const told: News[] = []
    const stop = store.watch('n/', since, (news) => told.push(news))
    await right(store.transact(put('other', 'x')))
    await right(store.transact(put('n/1', 'after')))
    stop()
    await right(store.transact(put('n/3', 'late')))
    expect(told.map(({ writes }) => writes)).toEqual([
      [{ key: 'n/2', value: 'missed' }],
      [{ key: 'n/1', value: 'after' }],
    ])
    expect(told.map(({ revision }) => revision)).toEqual([since + 1, since + 3])
  })
}
