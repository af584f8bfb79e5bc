// Every scenario in the simulation, and on the running kernel; those that need more than the usual are in lacked.test.ts.

import { describe, expect, test } from 'vitest'
import { needs } from '../lib/need.ts'
import { SCENARIOS } from './all.ts'
import { onLinux } from './on-linux.ts'
import { runOnSim } from './sim.ts'

describe('in the simulation', () => {
  for (const [what, scenarios] of SCENARIOS)
    describe(what, () => {
      for (const scenario of scenarios)
        test(scenario.title, async () => {
          expect(await runOnSim(scenario)).toEqual([])
        })
    })
})

needs.kernel('on the running kernel', () => {
  for (const [what, scenarios] of SCENARIOS) {
    const usual = scenarios.filter(({ needs: parts = [] }) => parts.length === 0)
    if (usual.length > 0) describe(what, () => onLinux(what, usual))
  }
})
