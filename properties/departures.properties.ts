// Groups of links that are deleted behind (src/kernel-linux/netlink/condemned.ts), whoever fills them and whenever.

import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Condemned, makeCondemned } from '../src/kernel-linux/netlink/condemned.ts'
import { HOST, type Ns, ns } from '../src/net/name.ts'
import { runs } from '../test/lib/runs.ts'

const SPACES: ReadonlyArray<Ns> = [HOST, ns('c1')]

type Event = Readonly<
  | { tag: 'fill'; ns: Ns; links: number; tookMs: number; hurries: boolean }
  | { tag: 'stir' }
  | { tag: 'wait'; ms: number }
>

const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      tag: fc.constant('fill' as const),
      ns: fc.constantFrom(...SPACES),
      links: fc.oneof(fc.nat(2), fc.constantFrom(100, 300)),
      tookMs: fc.constantFrom(0, 0, 1, 30, 400),
      hurries: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ tag: 'stir' } as const) },
  { weight: 3, arbitrary: fc.record({ tag: fc.constant('wait' as const), ms: fc.constantFrom(1, 4, 6, 50, 300) }) },
)

type Group = {
  readonly ns: Ns
  users: number
  links: number
  filledAt: number | null
  deletion: 'no' | 'begun' | 'done'
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Groups as the kernel would have them; what must not be is written down. */
const watched = (deletionMs: number) => {
  const groups = new Map<number, Group>()
  const wrong: string[] = []
  const ages: number[] = []
  let deleting = 0
  const condemned: Condemned = makeCondemned(async (where, number) => {
    const group = groups.get(number)
    if (group === undefined || group.links === 0) return void wrong.push('a group without links is deleted')
    if (group.ns !== where) wrong.push('a group is deleted elsewhere')
    if (group.users > 0) wrong.push('a group is deleted that somebody fills')
    if (group.deletion !== 'no') wrong.push('a group is deleted twice')
    if (deleting > 0) wrong.push('two groups are deleted at once')
    group.deletion = 'begun'
    ages.push(performance.now() - (group.filledAt ?? Number.NEGATIVE_INFINITY))
    deleting += 1
    await sleep(deletionMs)
    deleting -= 1
    group.deletion = 'done'
  })
  const fill = ({ ns: where, links, tookMs, hurries }: Extract<Event, { tag: 'fill' }>): Promise<void> =>
    condemned.fill(where, async (number, going, added) => {
      const group = groups.get(number) ?? { ns: where, users: 0, links: 0, filledAt: null, deletion: 'no' }
      groups.set(number, group)
      if (group.ns !== where) wrong.push('a group is lent to another namespace')
      group.users += 1
      await sleep(tookMs)
      if (group.deletion !== 'no') wrong.push('links enter a group that goes already')
      if (links > 0) {
        group.links += links
        group.filledAt ??= performance.now()
        void going.gone.then(() => {
          if (group.deletion !== 'done') wrong.push('a link is said to be gone before its group is')
        })
      }
      added(links)
      if (hurries) going.hurry()
      group.users -= 1
    })
  return { condemned, fill, groups, wrong, ages }
}

describe('groups of condemned links', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test('are deleted once, one at a time, never while somebody fills one, and all of them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 40 }), fc.constantFrom(0, 20), async (events, deletionMs) => {
        const { condemned, fill, groups, wrong } = watched(deletionMs)
        const fills: Promise<void>[] = []
        for (const one of events) {
          if (one.tag === 'fill') fills.push(fill(one))
          else if (one.tag === 'stir') condemned.stir()
          await vi.advanceTimersByTimeAsync(one.tag === 'wait' ? one.ms : 0)
        }
        await vi.advanceTimersByTimeAsync(60_000)
        await Promise.all(fills)
        expect(wrong).toEqual([])
        expect([...groups.values()].filter(({ links, deletion }) => links > 0 && deletion !== 'done')).toEqual([])
      }),
      runs(1),
    )
  })

  test('are few, and none waits for long or grows without end, while somebody is always at work', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(1, 2, 4), fc.constantFrom(1, 10, 60), async (everyMs, links) => {
        const { condemned, fill, groups, wrong, ages } = watched(20)
        const streamMs = 3_000
        for (let now = 0; now < streamMs; now += everyMs) {
          condemned.stir()
          void fill({ tag: 'fill', ns: HOST, links, tookMs: 1, hurries: false })
          await vi.advanceTimersByTimeAsync(everyMs)
        }
        await vi.advanceTimersByTimeAsync(1_000)
        const deleted = [...groups.values()].filter((group) => group.links > 0)
        const total = deleted.reduce((sum, group) => sum + group.links, 0)
        expect(wrong).toEqual([])
        expect(Math.max(...deleted.map((group) => group.links))).toBeLessThanOrEqual(256 + 2 * links)
        // By age, or by size.
        expect(deleted.length).toBeLessThanOrEqual(streamMs / 200 + total / 256 + 2)
        // One that is full may have to wait for those before it.
        if (total / 256 < streamMs / 200) expect(Math.max(...ages)).toBeLessThanOrEqual(200 + 20 + 2 * everyMs)
      }),
      runs(0.1),
    )
  })
})
