// Random transactions, small and large, through two processes' stores on one prefix, answer and leave what a memory store does. What is
// larger than one transaction of Consul's is not to be told from what is not.

import { fc } from '@fast-check/vitest'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { E } from '../../src/prelude.ts'
import { memoryStore } from '../../src/store/memory.ts'
import type { News, Revision, Store, Transaction } from '../../src/store/store.ts'
import { type ConsulCluster, needsConsul, startConsul } from '../lib/consul.ts'
import { runs } from '../lib/runs.ts'
import { openAt } from './consul-lib.ts'
import { right } from './lib.ts'

/** `count` keys from `from` on, of 150 in all; `value` null removes them. */
type Writes = Readonly<{ from: number; count: number; value: string | null }>
/** `back`: so many of the key's revisions ago; null: absent. */
type Rests = Readonly<{ key: number; back: number | null }>
type Step = Readonly<{ by: 0 | 1; rests: ReadonlyArray<Rests>; writes: ReadonlyArray<Writes> }>

const KEYS = 150
/** Stands for a value that is packed. */
const LARGE = 'large'
const writes: fc.Arbitrary<Writes> = fc.record({
  from: fc.nat(KEYS - 1),
  count: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(1, 2) },
    { weight: 1, arbitrary: fc.constantFrom(30, 58, 61, 90) },
  ),
  value: fc.option(fc.constantFrom('', 'a', 'b', LARGE), { freq: 4 }),
})
const rests: fc.Arbitrary<Rests> = fc.record({
  key: fc.nat(KEYS - 1),
  back: fc.constantFrom(0, 0, 0, 0, 0, 0, 1, null),
})
const mostlyPresent = fc.oneof({ weight: 99, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) })
const step: fc.Arbitrary<Step> = fc.record({
  by: fc.constantFrom(0, 1),
  rests: fc.oneof(
    { weight: 4, arbitrary: fc.array(rests, { maxLength: 2 }) },
    {
      weight: 1,
      arbitrary: fc.array(fc.record({ key: fc.nat(KEYS - 1), back: mostlyPresent }), { minLength: 56, maxLength: 64 }),
    },
  ),
  writes: fc.array(writes, { maxLength: 2 }),
})

const nameOf = (n: number): string => `k/${String(n % KEYS).padStart(3, '0')}`

/** A store, and which of its revisions is the n-th that its transactions made. */
type Side = Readonly<{ by: (which: number) => Store; revisions: Revision[] }>

/** `history`: which of the revisions each key had, by their place; the last is the present one. */
const transactionOf = (
  { rests, writes }: Step,
  history: ReadonlyMap<string, ReadonlyArray<number | null>>,
  { revisions }: Side,
): Transaction => {
  const compares = rests.map(({ key, back }) => {
    const past = history.get(nameOf(key)) ?? []
    const place = back === null ? null : (past.at(-1 - back) ?? null)
    return { key: nameOf(key), revision: place === null ? 0 : (revisions[place] ?? 0) }
  })
  const values = new Map<string, string | null>()
  for (const { from, count, value } of writes)
    for (let i = 0; i < count; i++) values.set(nameOf(from + i), value === LARGE ? LARGE.repeat(1000) : value)
  return { compares, writes: [...values].map(([key, value]) => ({ key, value })) }
}

/** With revisions as places among those of its side. */
const shown = async (store: Store, { revisions }: Side) => {
  const { entries, revision } = await right(store.list(''))
  const place = (each: Revision): number => revisions.indexOf(each)
  return { entries: entries.map((entry) => ({ ...entry, revision: place(entry.revision) })), revision: place(revision) }
}

const told = (store: Store, { revisions }: Side): Array<unknown> => {
  const heard: Array<unknown> = []
  store.watch('', 0, (news: News) => {
    heard.push(news.tag === 'Changed' ? { place: () => revisions.indexOf(news.revision), writes: news.writes } : news)
  })
  return heard
}
const places = (heard: ReadonlyArray<unknown>): ReadonlyArray<unknown> =>
  heard.map((each) =>
    typeof each === 'object' && each !== null && 'place' in each && typeof each.place === 'function'
      ? { ...each, place: each.place() }
      : each,
  )

const play = async (steps: ReadonlyArray<Step>, ours: Side, model: Side): Promise<void> => {
  const history = new Map<string, Array<number | null>>()
  const [heard, wanted] = [told(ours.by(1), ours), told(model.by(1), model)]
  for (const each of steps) {
    const asked = transactionOf(each, history, model)
    const [done, expected] = [
      await ours.by(each.by).transact(transactionOf(each, history, ours))(),
      await model.by(each.by).transact(asked)(),
    ]
    if (E.isLeft(expected)) expect(done).toEqual(expected)
    else if (asked.writes.length === 0) {
      expect(E.isRight(done) && ours.revisions.indexOf(done.right)).toBe(model.revisions.indexOf(expected.right))
    } else {
      if (E.isLeft(done)) throw new Error(`${done.left.tag} where the model wrote`)
      ours.revisions.push(done.right)
      model.revisions.push(expected.right)
      for (const { key, value } of asked.writes) {
        const past = history.get(key) ?? []
        history.set(key, [...past, value === null ? null : model.revisions.length - 1])
      }
    }
    expect(await shown(ours.by(1 - each.by), ours)).toEqual(await shown(model.by(1 - each.by), model))
  }
  await expect.poll(() => places(heard), { timeout: 5000 }).toEqual(places(wanted))
}

needsConsul('random transactions on Consul', () => {
  let cluster: ConsulCluster
  let made = 0
  beforeAll(async () => {
    cluster = await startConsul()
  })
  afterAll(() => cluster.end())

  const { numRuns } = runs(0.3)
  test('answer and leave what they do in memory', { timeout: 60_000 + numRuns * 5000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        made += 1
        const model = memoryStore()
        // Short epochs of the log, so that many end.
        const stores = await Promise.all([0, 1].map(() => openAt(cluster, `p${made}`, { history: 100 })))
        const first = await right((stores[0] ?? model).list(''))
        try {
          await play(
            steps,
            { by: (which) => stores[which] ?? model, revisions: [first.revision] },
            { by: () => model, revisions: [(await right(model.list(''))).revision] },
          )
        } finally {
          for (const store of stores) await store.close()
        }
      }),
      { numRuns },
    )
  })
})
