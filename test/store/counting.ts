// A counter that several clients of one store raise by compare, while something goes wrong, and what must be true of it afterwards.

import { expect } from 'vitest'
import { E } from '../../src/prelude.ts'
import type { StoreError } from '../../src/store/error.ts'
import type { News, Store } from '../../src/store/store.ts'
import type { Relay } from '../lib/relay.ts'
import { left, put, right } from './lib.ts'

/** Right: the number that this call has written. Left: nobody knows. A conflict is tried again. */
export const raise = async (store: Store): Promise<E.Either<StoreError, number>> => {
  for (;;) {
    const entry = await store.get('n')()
    if (E.isLeft(entry)) continue
    const next = Number(entry.right?.value ?? 0) + 1
    const done = await store.transact({
      compares: [{ key: 'n', revision: entry.right?.revision ?? 0 }],
      writes: [{ key: 'n', value: String(next) }],
    })()
    if (E.isRight(done)) return E.right(next)
    if (done.left.tag !== 'StoreConflict') return done
  }
}

/** The numbers that a watch tells, and at last why it has ended. */
export const listen = (store: Store): Array<number | StoreError['tag']> => {
  const heard: Array<number | StoreError['tag']> = []
  store.watch('n', 0, (news: News) => {
    if (news.tag === 'Ended') heard.push(news.error.tag)
    else heard.push(...news.writes.map(({ value }) => Number(value)))
  })
  return heard
}

export const upTo = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, i) => i + 1)

/**
 * Over a line that is cut: the caller is told in time that nobody knows, and a watch goes on when it is healed. `direct` reaches the
 * server beside it.
 */
export const throughACut = async (store: Store, relay: Relay, direct: Store): Promise<void> => {
  await raise(store)
  const heard = listen(store)
  await expect.poll(() => heard).toEqual([1])
  relay.cut()
  expect(await left(store.transact(put('a', 'x')))).toMatchObject({ tag: 'StoreUnavailable' })
  expect(await left(store.get('a'))).toMatchObject({ tag: 'StoreUnavailable' })
  await raise(direct)
  await raise(direct)
  relay.heal()
  await expect.poll(() => heard, { timeout: 10_000 }).toEqual([1, 2, 3])
  await expect.poll(async () => E.isRight(await store.get('n')())).toBe(true)
  expect(await raise(store)).toEqual(E.right(4))
}

/** Raises over all stores at once before, during and after the harm, and checks that nothing is lost, doubled or untold. */
export const counting = async (stores: ReadonlyArray<Store>, harm: () => Promise<void>): Promise<void> => {
  const heards = stores.map(listen)
  const raised: number[] = []
  let unknown = 0
  let isOver = false
  const working = Promise.all(
    stores.map(async (store) => {
      while (!isOver) {
        const outcome = await raise(store)
        if (E.isRight(outcome)) raised.push(outcome.right)
        else unknown += 1
      }
    }),
  )
  const more = async (): Promise<void> => {
    const before = raised.length
    await expect.poll(() => raised.length, { timeout: 60_000 }).toBeGreaterThan(before + 20)
  }
  try {
    await more()
    await harm()
    await more()
  } finally {
    isOver = true
    await working
  }
  expect(new Set(raised).size, 'no number is given twice').toBe(raised.length)
  for (const [i, store] of stores.entries()) {
    const count = Number((await right(store.get('n')))?.value)
    expect(count).toBeGreaterThanOrEqual(raised.length)
    expect(count).toBeLessThanOrEqual(raised.length + unknown)
    await expect.poll(() => heards[i], { timeout: 20_000 }).toEqual(upTo(count))
  }
}
