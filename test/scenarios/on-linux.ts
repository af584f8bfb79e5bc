// Scenarios as tests on the running kernel.

import { expect, test } from 'vitest'
import { labOf } from '../kernel-linux/labs.ts'
import { ownLab } from '../lib/own-names.ts'
import { runOnLinux } from './linux.ts'
import type { Scenario } from './scenario.ts'

/** What can be in the name of a lab. */
const slug = (what: string): string => what.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')

export const onLinux = (what: string, scenarios: ReadonlyArray<Scenario>): void => {
  for (const [at, scenario] of scenarios.entries())
    test(scenario.title, async () => {
      const lab = labOf(ownLab(`scenario-${slug(what)}-${at}`))
      expect(await runOnLinux(lab, scenario)).toEqual([])
    })
}
