// What `npm run bench` prints is read by programs: its lines keep their shape.

import { describe, expect, test } from 'vitest'
import { type Bench, duration, median, type Result, rate } from '../../bench/lib.ts'
import { choose, jsonLines } from '../../scripts/lib/metrics.mjs'

const bench = (name: string): Bench => ({
  name,
  unit: '1/s',
  better: 'higher',
  run: () => Promise.resolve({ value: 1, ratios: [] }),
})

describe('JSON lines', () => {
  const lines = (result: Result): ReadonlyArray<unknown> =>
    jsonLines(bench('net.parse4.rate'), result).map((line) => JSON.parse(line))
  const metric = { metric: 'net.parse4.rate', value: 1235000, unit: '1/s' }

  test('one for a metric without a peer', () => {
    expect(lines({ value: 1234567, ratios: [] })).toEqual([metric])
  })

  test('one for each peer', () => {
    const ratios = [
      { ratio: 3.2, to: 'floor' },
      { ratio: 0.51234, to: 'ipaddr.js' },
    ]
    expect(lines({ value: 1234567, ratios })).toEqual([
      { ...metric, ratio: 3.2, to: 'floor' },
      { ...metric, ratio: 0.5123, to: 'ipaddr.js' },
    ])
  })
})

describe('names', () => {
  const benches = [bench('net.parse4.rate'), bench('net.parse6.rate'), bench('network.rate')]
  const chosen = (...words: ReadonlyArray<string>): ReadonlyArray<string> =>
    choose(benches, words).chosen.map(({ name }) => name)

  test('none means all, an area means its metrics, a metric means itself', () => {
    expect(chosen()).toHaveLength(3)
    expect(chosen('net')).toEqual(['net.parse4.rate', 'net.parse6.rate'])
    expect(chosen('network.rate')).toEqual(['network.rate'])
  })

  test('an unknown one is told, also beside a known one', () => {
    expect(choose(benches, ['net', 'nett']).unknown).toEqual(['nett'])
  })
})

describe('areas that cannot be measured here', () => {
  const benches = [bench('net.parse4.rate')]
  const absent = [{ area: 'linux', why: 'it needs root' }]
  const missing = (...words: ReadonlyArray<string>): ReadonlyArray<string> =>
    choose(benches, words, absent).missing.map(({ area }) => area)

  test('are told with everything, and where one of their metrics is asked for', () => {
    expect(missing()).toEqual(['linux'])
    expect(missing('linux.attach.p50')).toEqual(['linux'])
    expect(missing('net')).toEqual([])
  })

  test('are not unknown, and add nothing', () => {
    expect(choose(benches, ['linux'], absent)).toMatchObject({ chosen: [], unknown: [] })
    expect(choose(benches, ['linuxx'], absent).unknown).toEqual(['linuxx'])
  })
})

describe('measuring', () => {
  const effort = { rounds: 3, roundMs: 1 }
  const spin = (ms: number) => (): void => {
    const end = performance.now() + ms
    while (performance.now() < end);
  }

  test('the median is the middle value', () => {
    expect(median([5, 1, 9])).toBe(5)
    expect(median([1, 2, 4, 8])).toBe(3)
  })

  // The peer does next to nothing, so that no load of the machine turns the two round.
  test('a work of four milliseconds takes at least four, and longer than none', async () => {
    const { value, ratios } = await duration({ ours: spin(4), peers: { nothing: () => {} } }, effort)
    expect(value).toBeGreaterThanOrEqual(4)
    expect(ratios[0]?.to).toBe('nothing')
    expect(ratios[0]?.ratio).toBeGreaterThan(1)
  })

  test('a rate counts the operations of a call', async () => {
    const { value } = await rate(100, { ours: spin(1) }, effort)
    expect(value).toBeLessThanOrEqual(100_000)
    expect(value).toBeGreaterThan(0)
  })

  test('a work that throws is an error, not a figure', async () => {
    const ours = (): void => {
      throw new Error('broken')
    }
    await expect(duration({ ours }, effort)).rejects.toThrow('broken')
  })
})
