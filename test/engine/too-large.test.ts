// A store that takes only so much in one transaction: what is too much for one turn is done in several, in order.

import { describe, expect, test } from 'vitest'
import { paperKernel } from '../../properties/lib/kernels.ts'
import { freshEngine } from '../../src/engine/engine.ts'
import type { Command } from '../../src/model/command.ts'
import { sizeOfMap } from '../../src/net/pmap.ts'
import { E } from '../../src/prelude.ts'
import { memoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import { createEndpoint, createNetwork, createSandbox, join } from '../lib/model.ts'

const MOST = 10

/** `sizes`: of the transactions that were taken; `refused`: how many were not. */
const narrow = () => {
  const store = memoryStore()
  const sizes: number[] = []
  let refused = 0
  const transact: Store['transact'] = (transaction) => async () => {
    const size = transaction.writes.length
    if (size > MOST) {
      refused += 1
      return E.left({ tag: 'StoreTooLarge', what: 'writes', size, most: MOST })
    }
    sizes.push(size)
    return store.transact(transaction)()
  }
  return { store: { ...store, transact }, sizes, refused: () => refused }
}

const crowd = (count: number): ReadonlyArray<Command> => [
  createNetwork(1, 'front'),
  ...Array.from(
    { length: count },
    (_, i): ReadonlyArray<Command> => [
      createSandbox(i + 1, `box${i}`),
      createEndpoint(i + 1, 1, `end${i}`),
      join(i + 1, i + 1),
    ],
  ).flat(),
]

describe('commands that are too many for one transaction', () => {
  test('are all obeyed, each after those before it', async () => {
    const { store, sizes, refused } = narrow()
    const engine = freshEngine({ kernel: paperKernel(), store, check: true })
    const answers = await engine.submit(crowd(20))
    expect(answers.filter(E.isLeft)).toEqual([])
    expect(sizeOfMap(engine.model().endpoints)).toBe(20)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(MOST)
    const before = refused()
    await engine.submit(crowd(40).slice(61))
    expect(sizeOfMap(engine.model().endpoints)).toBe(40)
    expect(refused() - before).toBeLessThanOrEqual(4)
  })

  test('are refused where they must come together', async () => {
    const { store, sizes } = narrow()
    const engine = freshEngine({ kernel: paperKernel(), store, check: true })
    const answers = await engine.submit(crowd(20), { together: true })
    expect(answers.map((each) => (E.isLeft(each) ? each.left.tag : null))).toEqual(answers.map(() => 'Unavailable'))
    expect([sizeOfMap(engine.model().networks), sizes]).toEqual([0, []])
  })
})
