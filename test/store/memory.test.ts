// The memory store keeps the contract of stores, and that of what is held, by clocks that the test turns.

import { describe, expect, test } from 'vitest'
import { memoryStore } from '../../src/store/memory.ts'
import { turnedClock } from '../lib/turned-clock.ts'
import { storeContract } from './contract.ts'
import { leaseContract } from './lease-contract.ts'
import { right } from './lib.ts'

describe('the memory store', () => storeContract(async (options) => memoryStore(options)))

const STEP_MS = 10

const party = async () => {
  const [clock, holder] = [turnedClock(), turnedClock()]
  const store = memoryStore({ clock })
  return {
    store,
    leases: store.leases(holder),
    other: store,
    cut: holder.stop,
    elapse: async (ms: number) => {
      for (let t = 0; t < ms; t += STEP_MS)
        for (const each of [holder, clock]) {
          each.turn(STEP_MS)
          await null
        }
    },
    end: () => store.close(),
  }
}

describe('what the memory store holds', () => {
  leaseContract(party, 100)

  test('is given up as soon as its time is over, and the holder is told so', async () => {
    const { store, leases, cut, elapse } = await party()
    const losses: string[] = []
    await right(leases.hold('a', 'x', 100, ({ tag }) => losses.push(tag)))
    cut()
    await elapse(90)
    expect(await right(store.get('a'))).not.toBeNull()
    await elapse(10)
    expect(await right(store.get('a'))).toBeNull()
    expect(losses).toEqual(['StoreUnavailable'])
  })
})
