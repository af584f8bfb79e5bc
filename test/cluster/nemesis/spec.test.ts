// The spec that the nemesis judges by: it believes what a cluster can do, and nothing else. Histories of a small cluster that does one
// thing after the other are never refused; what no cluster may answer is.

import { describe, expect, test } from 'vitest'
import { check } from '../../../src/history/check.ts'
import type { Operation } from '../../../src/history/event.ts'
import { explain } from '../../../src/history/explain.ts'
import { showExplanation } from '../../../src/history/show.ts'
import { type Dice, diceOf, interleaved } from '../../lib/histories.ts'
import { operationsIn } from '../../lib/planted.ts'
import { hostsSpec, type In, type Out } from './spec.ts'

const SPEC = hostsSpec(() => null)
type Said = Out['said']
type Endpoint = {
  readonly host: string
  readonly net: number
  readonly name: string
  readonly ip: string
  box: number | null
}

/** A cluster that does everything at one instant. */
const cluster = (dice: Dice): ((input: In) => Out) => {
  const networks = new Map<number, Readonly<{ name: string; scope: string }>>()
  const ends = new Map<number, Endpoint>()
  const boxes = new Set<number>()
  const out = (said: Said, ip: string | null = null): Out => ({ said, ip })
  const on = (net: number) => [...ends.values()].filter((each) => each.net === net)
  const free = (net: number): string => {
    const taken = new Set(on(net).map(({ ip }) => ip))
    const some = Array.from({ length: 40 }, (_, n) => `10.0.0.${n + 20}`).filter((ip) => !taken.has(ip))
    return some[dice(some.length)] ?? ''
  }
  return (input) => {
    switch (input.do) {
      case 'network': {
        const isTaken = [...networks.values()].some(({ name, scope }) => name === input.name && scope === input.scope)
        if (isTaken) return out('taken')
        networks.set(input.net, input)
        return out('done')
      }
      case 'no network':
        if (!networks.has(input.net)) return out('absent')
        if (on(input.net).length > 0) return out('in use')
        networks.delete(input.net)
        return out('done')
      case 'endpoint': {
        const { host, net, name } = input
        if (!networks.has(net)) return out('no network')
        if (on(net).some((each) => each.name === name)) return out('taken')
        if (on(net).some((each) => each.ip === input.ip)) return out('address taken')
        const ip = input.ip ?? free(net)
        ends.set(input.end, { host, net, name, ip, box: null })
        return out('done', ip)
      }
      case 'no endpoint': {
        const found = ends.get(input.end)
        if (found === undefined) return out('absent')
        if (found.host !== input.host) return out('elsewhere')
        if (found.box !== null) return out('joined')
        ends.delete(input.end)
        return out('done')
      }
      case 'sandbox':
        if (boxes.has(input.box)) return out('taken')
        boxes.add(input.box)
        return out('done')
      case 'no sandbox':
        if (!boxes.delete(input.box)) return out('absent')
        for (const [end, { box }] of ends) if (box === input.box) ends.delete(end)
        return out('done')
      case 'join': {
        const found = ends.get(input.end)
        if (found === undefined) return out('absent')
        if (found.host !== input.host) return out('elsewhere')
        if (!boxes.has(input.box)) return out('no sandbox')
        if (found.box !== null) return out('joined')
        found.box = input.box
        return out('done')
      }
      case 'leave': {
        const found = ends.get(input.end)
        if (found === undefined) return out('absent')
        if (found.host !== input.host) return out('elsewhere')
        if (!boxes.has(input.box)) return out('no sandbox')
        if (found.box !== input.box) return out('not joined')
        found.box = null
        return out('done')
      }
      case 'clear':
        for (const [end, { host, net }] of ends)
          if (host === input.host && networks.get(net)?.scope === 'global') ends.delete(end)
        return out('done')
    }
  }
}

/** Of few objects; sandboxes are numbered by their host. */
const asking = (): ((dice: Dice) => In) => {
  let next = 1
  let made = 0
  return (dice) => {
    const host = ['a', 'b', 'c'][dice(3)] ?? 'a'
    const net = 1 + dice(made + 1)
    const [end, box] = [Math.max(1, next - dice(12)), 1 + ['a', 'b', 'c'].indexOf(host) + 3 * dice(2)]
    const ip = dice(2) === 0 ? null : `10.0.0.${2 + dice(3)}`
    const kind = dice(30)
    if (kind < 3) {
      made += 1
      const scope = dice(3) === 0 ? host : 'global'
      return { do: 'network', net: made, name: `${scope === 'global' ? '' : 'my-'}n${dice(2)}`, scope, host }
    }
    if (kind < 6) return { do: 'no network', net, host }
    if (kind < 14) return { do: 'endpoint', end: next++, net, name: `e${dice(3)}`, ip, host }
    if (kind < 20) return { do: 'no endpoint', end, host }
    if (kind < 22) return { do: 'sandbox', box, host, name: `s${box}` }
    if (kind < 23) return { do: 'no sandbox', box, host }
    if (kind < 27) return { do: 'join', end, box, host }
    return kind < 29 ? { do: 'leave', end, box, host } : { do: 'clear', host }
  }
}

const RUNS = 60
const storyOf = (seed: number, unknown: number): ReadonlyArray<Operation<In, Out>> =>
  operationsIn(
    interleaved<In, Out>({ clients: 6, operations: 150, unknown, ask: asking(), system: cluster }, diceOf(seed)),
  )

const told = (story: ReadonlyArray<Operation<In, Out>>): string => {
  const verdict = check(SPEC, story)
  return verdict.tag === 'violated' ? showExplanation(SPEC, explain(SPEC, verdict.group)) : verdict.tag
}

describe('a cluster that does one thing after the other', () => {
  test.each([0, 60])('is believed, when %d of 1,000 operations have no answer', (unknown) => {
    for (let seed = 1; seed <= RUNS; seed++)
      expect([seed, told(storyOf(seed, unknown))]).toEqual([seed, 'linearizable'])
  })

  test('is not believed when a clear is left out that took something away', () => {
    const lost = Array.from({ length: RUNS }, (_, i) => {
      const story = storyOf(i + 1, 0)
      return check(
        SPEC,
        story.filter(({ input }) => input.do !== 'clear'),
      ).tag
    })
    expect(lost.filter((tag) => tag === 'violated').length).toBeGreaterThan(RUNS / 2)
  })
})

const GLOBAL: In = { do: 'network', net: 1, name: 'red', scope: 'global', host: 'a' }
const endpoint = (end: number, host: string, name: string, ip: string | null = null): In => ({
  ...{ do: 'endpoint', net: 1, end, host, name, ip },
})
const drop = (end: number, host: string): In => ({ do: 'no endpoint', end, host })

/** One after the other; `?` for an answer that nobody heard. */
const inTurn = (...story: ReadonlyArray<readonly [In, Said | '?', string?]>): ReadonlyArray<Operation<In, Out>> =>
  story.map(([input, said, ip = null], i) => {
    const isKnown = said !== '?'
    return {
      ...{ id: i, client: input.host, input, called: 2 * i, required: isKnown },
      returned: isKnown ? 2 * i + 1 : Number.POSITIVE_INFINITY,
      output: isKnown ? { said, ip } : undefined,
    }
  })
/** As an operation that need not have happened, from the beginning of the history until its place. */
const withClear = (
  host: string,
  at: number,
  story: ReadonlyArray<Operation<In, Out>>,
): ReadonlyArray<Operation<In, Out>> => [
  ...story,
  {
    ...{ id: -1, client: 'the others', input: { do: 'clear', host }, output: { said: 'done', ip: null } },
    ...{ called: 0, returned: at, required: false },
  },
]

describe('what must not be, and is seen', () => {
  const made = [GLOBAL, 'done'] as const
  test.each<readonly [string, ReadonlyArray<Operation<In, Out>>]>([
    [
      'one address twice',
      inTurn(made, [endpoint(1, 'a', 'x'), 'done', '10.0.0.2'], [endpoint(2, 'b', 'y'), 'done', '10.0.0.2']),
    ],
    [
      'one name twice',
      inTurn(made, [endpoint(1, 'a', 'x'), 'done', '10.0.0.2'], [endpoint(2, 'b', 'x'), 'done', '10.0.0.3']),
    ],
    ['a name of networks twice', inTurn(made, [{ ...GLOBAL, net: 2, host: 'b' }, 'done'])],
    ['a refusal for an address that is free', inTurn(made, [endpoint(1, 'a', 'x', '10.0.0.2'), 'address taken'])],
    ['a refusal for a name that is free', inTurn(made, [endpoint(1, 'a', 'x'), 'taken'])],
    [
      'a network that goes from under an endpoint',
      inTurn(made, [endpoint(1, 'a', 'x'), 'done', '10.0.0.2'], [{ do: 'no network', net: 1, host: 'b' }, 'done']),
    ],
    [
      'an endpoint on a network that is gone',
      inTurn(made, [{ do: 'no network', net: 1, host: 'b' }, 'done'], [endpoint(1, 'a', 'x'), 'done', '10.0.0.2']),
    ],
    ['a network that is held by nothing', inTurn(made, [{ do: 'no network', net: 1, host: 'b' }, 'in use'])],
    ['an endpoint that is lost', inTurn(made, [endpoint(1, 'a', 'x'), 'done', '10.0.0.2'], [drop(1, 'a'), 'absent'])],
    [
      'an endpoint that is lost, though another host was cleared',
      withClear('b', 4, inTurn(made, [endpoint(1, 'a', 'x'), 'done', '10.0.0.2'], [drop(1, 'a'), 'absent'])),
    ],
    [
      'an endpoint that is lost after the clear of its host',
      withClear('a', 1, inTurn(made, [endpoint(1, 'a', 'x'), 'done', '10.0.0.2'], [drop(1, 'a'), 'absent'])),
    ],
    [
      'an endpoint of a host’s own network that is lost when the host is cleared',
      withClear(
        'a',
        5,
        inTurn(
          [{ ...GLOBAL, scope: 'a' }, 'done'],
          [endpoint(1, 'a', 'x'), 'done', '10.0.0.2'],
          [drop(1, 'a'), 'absent'],
        ),
      ),
    ],
    [
      'an endpoint that goes while it is joined',
      inTurn(
        made,
        [endpoint(1, 'a', 'x'), 'done', '10.0.0.2'],
        [{ do: 'sandbox', box: 7, name: 's', host: 'a' }, 'done'],
        [{ do: 'join', end: 1, box: 7, host: 'a' }, 'done'],
        [drop(1, 'a'), 'done'],
      ),
    ],
    [
      'an address that stays taken after its sandbox went with all that was in it',
      inTurn(
        made,
        [endpoint(1, 'a', 'x', '10.0.0.2'), 'done', '10.0.0.2'],
        [{ do: 'sandbox', box: 7, name: 's', host: 'a' }, 'done'],
        [{ do: 'join', end: 1, box: 7, host: 'a' }, 'done'],
        [{ do: 'no sandbox', box: 7, host: 'a' }, 'done'],
        [endpoint(2, 'b', 'y', '10.0.0.2'), 'address taken'],
      ),
    ],
    [
      'a sandbox that is lost',
      inTurn(
        [{ do: 'sandbox', box: 7, name: 's', host: 'a' }, 'done'],
        [{ do: 'no sandbox', box: 7, host: 'a' }, 'absent'],
      ),
    ],
  ])('%s', (_, story) => {
    expect(check(SPEC, story).tag).toBe('violated')
  })

  test('what was taken by a clear, or may have been done, excuses', () => {
    const lost = inTurn(made, [endpoint(1, 'a', 'x'), 'done', '10.0.0.2'], [drop(1, 'a'), 'absent'])
    expect(check(SPEC, withClear('a', 4, lost)).tag).toBe('linearizable')
    const again = inTurn(
      made,
      [endpoint(1, 'a', 'x'), 'done', '10.0.0.2'],
      [drop(1, 'a'), '?'],
      [endpoint(2, 'b', 'x', '10.0.0.2'), 'done', '10.0.0.2'],
    )
    expect(check(SPEC, again).tag).toBe('linearizable')
  })
})
