// What every store promises of what is held; each store's test file runs these facts on a fresh one.

import { expect, test } from 'vitest'
import { E } from '../../src/prelude.ts'
import type { StoreError } from '../../src/store/error.ts'
import type { Hold, Leases } from '../../src/store/lease.ts'
import type { News, Store } from '../../src/store/store.ts'
import { right } from './lib.ts'

/**
 * A holder, and somebody else who sees the same entries. `cut`: the holder cannot reach the store any more. `elapse`: so much time
 * goes by, and what was due in it is done.
 */
export type Party = Readonly<{
  store: Store
  leases: Leases
  other: Store
  cut: () => void
  elapse: (ms: number) => Promise<void>
  end: () => Promise<void>
}>

export const leaseContract = (make: () => Promise<Party>, ttlMs: number): void => {
  /** A party with a hold on `here/a`, what was told of its loss, and what a watcher was told. */
  const holding = async (work: (party: Party, hold: Hold, losses: StoreError[], told: News[]) => Promise<void>) => {
    const party = await make()
    try {
      const losses: StoreError[] = []
      const told: News[] = []
      const hold = await right(party.leases.hold('here/a', 'x', ttlMs, (error) => losses.push(error)))
      party.other.watch('here/', hold.revision, (news) => told.push(news))
      await work(party, hold, losses, told)
    } finally {
      await party.end()
    }
  }
  const gone = (told: ReadonlyArray<News>) =>
    expect
      .poll(() => told, { timeout: 20_000 })
      .toMatchObject([{ tag: 'Changed', writes: [{ key: 'here/a', value: null }] }])

  test('what is held is an entry that others see, with the revision of the hold', () =>
    holding(async ({ other }, { revision }) => {
      expect(await right(other.get('here/a'))).toEqual({ key: 'here/a', value: 'x', revision })
    }))

  test('what is held cannot be held by another', () =>
    holding(async ({ leases }) => {
      expect(await leases.hold('here/a', 'y', ttlMs, () => {})()).toEqual(
        E.left({ tag: 'StoreConflict', key: 'here/a' }),
      )
    }))

  test('it lasts beyond its time to live while its holder lives', () =>
    holding(async ({ other, elapse }, { revision }, losses) => {
      await elapse(2.5 * ttlMs)
      expect((await right(other.get('here/a')))?.revision).toBe(revision)
      expect(losses).toEqual([])
    }))

  test('what is released is gone at once, nobody calls that a loss, and it may be held again', () =>
    holding(async ({ other, leases }, { release }, losses, told) => {
      await release()
      await release()
      expect(await right(other.get('here/a'))).toBeNull()
      await gone(told)
      expect(losses).toEqual([])
      await right(leases.hold('here/a', 'y', ttlMs, () => {}))
    }))

  test('of a holder that is cut off it is gone in time, and whoever watches is told once', () =>
    holding(async ({ other, cut, elapse }, _hold, _losses, told) => {
      cut()
      await elapse(ttlMs)
      await gone(told)
      expect(await right(other.get('here/a'))).toBeNull()
    }))

  test('a compare with a lost hold fails, also when another holds it', () =>
    holding(async ({ other, cut, elapse }, { revision }, _losses, told) => {
      cut()
      await elapse(ttlMs)
      await gone(told)
      await right(other.transact({ compares: [], writes: [{ key: 'here/a', value: 'another' }] }))
      const late = await other.transact({
        compares: [{ key: 'here/a', revision }],
        writes: [{ key: 'b', value: 'late' }],
      })()
      expect(late).toEqual(E.left({ tag: 'StoreConflict', key: 'here/a' }))
    }))

  test('closing the store says that it is lost', () =>
    holding(async ({ store }, _hold, losses) => {
      await store.close()
      await expect.poll(() => losses).toEqual([{ tag: 'StoreClosed' }])
    }))

  test('a closed store holds nothing', async () => {
    const party = await make()
    await party.store.close()
    expect(await party.leases.hold('here/a', 'x', ttlMs, () => {})()).toEqual(E.left({ tag: 'StoreClosed' }))
    await party.end()
  })
}
