// The parts of a simulated cluster: time, processes, and a store behind a line that is late, loses, and is cut.

import { describe, expect, test } from 'vitest'
import { makeLine } from '../../src/cluster-sim/line.ts'
import { planOf } from '../../src/cluster-sim/plan.ts'
import { startProcess } from '../../src/cluster-sim/process.ts'
import { randomOf } from '../../src/cluster-sim/random.ts'
import { shrink } from '../../src/cluster-sim/shrink.ts'
import { DEADLINE_MS, storeOver } from '../../src/cluster-sim/store.ts'
import { virtualTime } from '../../src/cluster-sim/time.ts'
import { E, type Either } from '../../src/prelude.ts'
import type { StoreError } from '../../src/store/error.ts'
import { memoryStore } from '../../src/store/memory.ts'
import type { News } from '../../src/store/store.ts'

const world = ({ broken = 0, history = 1000 } = {}) => {
  const time = virtualTime()
  const store = memoryStore({ clock: time, history })
  const process = startProcess(time)
  const line = makeLine(time, randomOf(1, 'line'), broken)
  const strayed: string[] = []
  const over = storeOver({ store, line, process, lagMs: 0, strayed: (what) => strayed.push(what) })
  return { time, store, process, line, strayed, over }
}
const put = (key: string, value = '1') => ({ compares: [], writes: [{ key, value }] })

/** What a promise has come to so far. */
const outcomeOf = <A>(promise: Promise<A>): (() => A | 'waits') => {
  let outcome: A | 'waits' = 'waits'
  void promise.then((value) => {
    outcome = value
  })
  return () => outcome
}
const tagOf = (outcome: Either<StoreError, unknown> | 'waits'): string =>
  outcome === 'waits' ? outcome : E.isLeft(outcome) ? outcome.left.tag : 'done'

const holds = async ({ store }: ReturnType<typeof world>, key: string): Promise<boolean> => {
  const entry = await store.get(key)()
  return E.isRight(entry) && entry.right !== null
}

test('one seed is one row of numbers, and another another', () => {
  const row = (seed: number, part: string) => Array.from({ length: 20 }, randomOf(seed, part).next)
  expect(row(1, 'a')).toEqual(row(1, 'a'))
  expect(row(1, 'a')).not.toEqual(row(2, 'a'))
  expect(row(1, 'a')).not.toEqual(row(1, 'b'))
  expect(planOf(7, { hosts: 3, commands: 50, faults: true })).toEqual(
    planOf(7, { hosts: 3, commands: 50, faults: true }),
  )
})

test('events come in the order of their times, and of their asking; withdrawn ones not at all', async () => {
  const time = virtualTime()
  const told: string[] = []
  for (const [ms, what] of [
    [5, 'c'],
    [1, 'a'],
    [5, 'd'],
    [3, 'b'],
  ] as const)
    time.after(ms, () => told.push(`${what}${time.now()}`))
  time.after(4, () => told.push('never'))()
  await time.runUntil(4)
  expect([told, time.now()]).toEqual([['a1', 'b3'], 4])
  await time.runUntil(100)
  expect(told).toEqual(['a1', 'b3', 'c5', 'd5'])
})

describe('a process', () => {
  test('that stands still does what came meanwhile when it goes on, in order', async () => {
    const time = virtualTime()
    const process = startProcess(time)
    const told: string[] = []
    process.clock.after(10, () => told.push('timer'))
    process.pause()
    await time.runUntil(20)
    process.enter(() => told.push('answer'))
    expect(told).toEqual([])
    process.resume()
    process.enter(() => told.push('later'))
    await time.runUntil(30)
    expect(told).toEqual(['timer', 'answer', 'later'])
  })

  test('that has ended does nothing more', async () => {
    const { time, process, over, strayed } = world()
    const told: string[] = []
    process.clock.after(10, () => told.push('timer'))
    const asked = outcomeOf(over.get('x')())
    process.end()
    process.enter(() => told.push('answer'))
    await time.runUntil(10_000)
    expect([told, asked()]).toEqual([[], 'waits'])
    void over.get('y')()
    expect(strayed).toEqual(['get y'])
  })
})

describe('a request without an answer', () => {
  test('has not happened if it was lost', async () => {
    const all = world()
    all.line.setLoss(1)
    const asked = outcomeOf(all.over.transact(put('x'))())
    await all.time.runUntil(DEADLINE_MS + 1)
    expect([tagOf(asked()), await holds(all, 'x')]).toEqual(['StoreUnavailable', false])
  })

  test('may have happened already, or happen later', async () => {
    const ends = new Set<string>()
    const all = world()
    for (let n = 0; n < 40; n++) {
      const key = `k${n}`
      const asked = outcomeOf(all.over.transact(put(key))())
      await all.time.runUntil(all.time.now() + (n % 8))
      all.line.cut()
      await all.time.runUntil(all.time.now() + DEADLINE_MS + 1)
      const before = await holds(all, key)
      all.line.heal()
      await all.time.runUntil(all.time.now() + 1000)
      ends.add(`${tagOf(asked())} ${before ? 'already' : (await holds(all, key)) ? 'later' : 'never'}`)
    }
    for (const when of ['already', 'later', 'never']) expect(ends).toContain(`StoreUnavailable ${when}`)
  })

  test('is given up at once where connections break, and comes later', async () => {
    const all = world({ broken: 1 })
    const asked = outcomeOf(all.over.transact(put('x'))())
    await all.time.runUntil(2)
    expect(tagOf(asked())).toBe('StoreUnavailable')
    await all.time.runUntil(1000)
    expect(await holds(all, 'x')).toBe(true)
  })
})

describe('a watch', () => {
  test('misses nothing while its line is cut, or ends', async () => {
    const ends = new Set<string>()
    for (let n = 0; n < 20; n++) {
      const all = world()
      for (let skip = 0; skip < n; skip++) all.line.random.next()
      const told: News[] = []
      all.over.watch('', 0, (news) => told.push(news))
      await all.store.transact(put('a'))()
      await all.time.runUntil(1000)
      all.line.cut()
      await all.store.transact(put('b'))()
      await all.store.transact(put('c'))()
      await all.time.runUntil(2000)
      all.line.heal()
      await all.time.runUntil(3000)
      const keys = told.flatMap((news) =>
        news.tag === 'Changed' ? news.writes.map(({ key }) => key) : [news.error.tag],
      )
      ends.add(keys.join())
    }
    expect([...ends].sort()).toEqual(['a,StoreUnavailable', 'a,b,c'])
  })

  test('ends when the store has forgotten what came meanwhile', async () => {
    const all = world({ history: 2 })
    const told: News[] = []
    all.over.watch('', 0, (news) => told.push(news))
    await all.time.runUntil(1000)
    all.line.cut()
    for (let n = 0; n < 10; n++) await all.store.transact(put(`k${n}`))()
    all.line.heal()
    await all.time.runUntil(2000)
    const last = told.at(-1)
    expect(last?.tag === 'Ended' && ['StoreCompacted', 'StoreUnavailable']).toContain(
      last?.tag === 'Ended' && last.error.tag,
    )
  })
})

describe('a hold', () => {
  test.for(['cut', 'pause', 'end'] as const)('is given up by the store while its host is away: %s', async (what) => {
    const all = world()
    const lost: string[] = []
    const held = outcomeOf(all.over.hold('here', 'me', 3000, (error) => lost.push(error.tag))())
    await all.time.runUntil(20_000)
    expect([tagOf(held()), await holds(all, 'here')]).toEqual(['done', true])
    if (what === 'cut') all.line.cut()
    else all.process[what]()
    await all.time.runUntil(30_000)
    expect(await holds(all, 'here')).toBe(false)
    expect(lost.length).toBe(what === 'cut' ? 1 : 0)
    all.process.resume()
    await all.time.runUntil(31_000)
    expect(lost.length).toBe(what === 'end' ? 0 : 1)
  })
})

test('of a plan that fails is left what it takes to fail', async () => {
  const plan = planOf(3, { hosts: 3, commands: 200, faults: true })
  const [first, second] = [plan.acts[17], plan.acts[140]]
  const fails = async ({ acts }: typeof plan) => acts.some((act) => act === first) && acts.some((act) => act === second)
  const { plan: least } = await shrink(plan, fails, 1000)
  expect([least.acts, least.faults]).toEqual([[first, second], []])
})
