// What several metrics are read from one series of rounds: medians, tails, and the ratios between contenders.

import { expect, test } from 'vitest'
import { logOf, medianOf, once, quantile, type Rounds, tailOf } from '../../bench/linux/samples.ts'

const rounds = (contenders: Readonly<Record<string, ReadonlyArray<ReadonlyArray<number>>>>): Rounds =>
  new Map(Object.entries(contenders))

test('a quantile is a value that was measured, of the rank nearest from above', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i)
  expect([0.5, 0.95, 0.99, 1].map((share) => quantile(hundred, share))).toEqual([50, 95, 99, 100])
  expect(quantile([7], 0.99)).toBe(7)
})

test('a ratio is the median of the rounds’ own ratios, so that a slow round of both changes nothing', () => {
  const measured = rounds({ ours: [[1], [50], [2]], floor: [[2], [100], [4]] })
  expect(medianOf(measured)).toEqual({ value: 2, ratios: [{ ratio: 0.5, to: 'floor' }] })
})

test('of a contender that was measured in one round only, that round counts', () => {
  const slow: number[][] = []
  slow[1] = [30]
  expect(medianOf(rounds({ ours: [[1], [3], [1]], dockerd: slow })).ratios).toEqual([{ ratio: 0.1, to: 'dockerd' }])
})

test('a tail is looked for in all rounds together', () => {
  const measured = rounds({
    ours: [
      [1, 1, 1],
      [1, 1, 8],
    ],
    floor: [
      [1, 1, 1],
      [1, 1, 2],
    ],
  })
  expect(tailOf(measured, 0.99)).toEqual({ value: 8, ratios: [{ ratio: 4, to: 'floor' }] })
})

test('a log keeps samples by contender and round, in the order of the contenders', () => {
  const log = logOf()
  log.note('ours', 0, 1)
  log.note('floor', 0, 2)
  log.note('ours', 1, 3)
  log.note('ours', 1, 4)
  expect([...log.rounds()]).toEqual([
    ['ours', [[1], [3, 4]]],
    ['floor', [[2]]],
  ])
})

test('what several metrics are read from is measured once', async () => {
  let times = 0
  const measure = once(async () => {
    times += 1
    return times
  })
  expect([await measure(), await measure()]).toEqual([1, 1])
})
