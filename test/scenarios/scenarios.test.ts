// Every scenario in the simulation, and on the running kernel.

import { describe, expect, test } from 'vitest'
import { labOf } from '../kernel-linux/labs.ts'
import { needs } from '../lib/need.ts'
import { ownLab } from '../lib/own-names.ts'
import { SCENARIOS } from './all.ts'
import { runOnLinux } from './linux.ts'
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
  for (const [what, scenarios] of SCENARIOS)
    describe(what, () => {
      for (const [at, scenario] of scenarios.entries())
        test.skipIf((scenario.needs ?? []).length > 0)(scenario.title, async () => {
          expect(await runOnLinux(labOf(ownLab(`scenario-${what}-${at}`)), scenario)).toEqual([])
        })
    })
})
