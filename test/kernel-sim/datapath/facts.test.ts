// The data path ends every probe as Linux does: test/kernel-sim/facts.ts, which was measured there.

import { expect, test } from 'vitest'
import { runProbe, runProbes } from '../../../src/kernel-sim/datapath/probe.ts'
import { PARTS } from '../../../src/kernel-sim/datapath/wired.ts'
import { FACTS } from '../facts.ts'
import { topology } from '../topology.ts'
import { probeOf, worldOf } from '../world.ts'

const built = worldOf(topology)

test.each(FACTS)('%s %s %s [%s]: %s', (from, proto, to, listener, ends) => {
  const { verdict } = runProbe(PARTS, built, probeOf(from, proto, to, listener), { trace: false })
  expect(verdict.tag === 'arrived' ? 'arrived' : verdict.how).toBe(ends)
})

test('all of them in a row over one plane end the same: what earlier packets left behind changes nothing', () => {
  const probes = FACTS.map(([from, proto, to, listener]) => probeOf(from, proto, to, listener))
  const { verdicts } = runProbes(PARTS, built, probes)
  const endings = verdicts.map((verdict) => (verdict.tag === 'arrived' ? 'arrived' : verdict.how))
  expect(FACTS.map((fact, i) => [...fact.slice(0, 4), endings[i]])).toEqual(FACTS.map((fact) => [...fact]))
})

test('with and without a trace the verdict is the same, where and why included', () => {
  for (const [from, proto, to, listener] of FACTS.filter((_, i) => i % 7 === 0)) {
    const probe = probeOf(from, proto, to, listener)
    const quiet = runProbe(PARTS, built, probe, { trace: false })
    expect(quiet.verdict).toEqual(runProbe(PARTS, built, probe).verdict)
    expect(quiet.trace).toEqual([])
  }
})
