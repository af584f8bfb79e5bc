// What the nemesis does: whatever the seed, all are well between phases and at the end, nothing is killed twice, and there are faults of
// every kind, shorter and longer than a host may be silent.

import { describe, expect, test } from 'vitest'
import { diceOf } from '../../lib/histories.ts'
import { HOSTS, type Phase, planOf, SERVERS, type Trouble } from './plan.ts'

const TTL_MS = 3000
const SEEDS = Array.from({ length: 200 }, (_, i) => i + 1)
const plans: ReadonlyArray<ReadonlyArray<Phase>> = SEEDS.map((seed) => planOf(diceOf(seed), 60_000, TTL_MS))
const troubles: ReadonlyArray<Trouble> = plans.flat().flatMap((phase) => phase.troubles)

describe('the plans of 200 seeds', () => {
  test('have phases one after the other, each as long as its troubles, and all within the run', () => {
    for (const phases of plans) {
      expect(phases.length).toBeGreaterThan(1)
      for (const [i, phase] of phases.entries()) {
        expect(phase.fromMs).toBeGreaterThan(phases[i - 1]?.toMs ?? 0)
        expect(phase.toMs).toBeLessThanOrEqual(60_000)
        for (const { fromMs, toMs } of phase.troubles) {
          expect(fromMs).toBeGreaterThanOrEqual(phase.fromMs)
          expect(toMs).toBeGreaterThan(fromMs)
          expect(toMs).toBeLessThanOrEqual(phase.toMs)
        }
      }
    }
  })

  test('kill or stop nobody twice in a phase', () => {
    for (const { troubles: some } of plans.flat()) {
      const nodes = some.flatMap(({ fault }) => (fault.do === 'cut' ? [] : [fault.node]))
      expect(new Set(nodes).size).toBe(nodes.length)
    }
  })

  test.each(['kill', 'stop', 'cut'])('%s servers and hosts, for shorter and for longer', (kind) => {
    const its = troubles.filter(({ fault }) => fault.do === kind)
    const lengths = its.map(({ fromMs, toMs }) => toMs - fromMs)
    expect([Math.min(...lengths) < TTL_MS, Math.max(...lengths) > 2 * TTL_MS]).toEqual([true, true])
    const hit = new Set(
      its.flatMap(({ fault }) => (fault.do === 'cut' ? fault.cuts.map(({ to }) => to) : [fault.node])),
    )
    expect([...hit].sort()).toEqual([...HOSTS, ...SERVERS].sort())
  })
})
