// Every example on both kernels: the same host, exactly as it should be, and the same answers from real packets.

import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { labPlanOf } from '../../src/cli/source.ts'
import { loadProject } from '../../src/compose/load.ts'
import { simKernel } from '../../src/kernel-sim/kernel.ts'
import { EMPTY_WORLD } from '../../src/kernel-sim/state.ts'
import { settle } from '../../src/lab/lab.ts'
import { bundleAgent, labKernel, rightOf } from '../kernel-linux/labs.ts'
import { needs } from '../lib/need.ts'
import { live } from './live.ts'

const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url))
const names = readdirSync(EXAMPLES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(`${EXAMPLES}${entry.name}/compose.yaml`))
  .map(({ name }) => name)

test('there are examples', () => {
  expect(names.length).toBeGreaterThanOrEqual(4)
})

needs.kernel('the simulated and the real kernel', () => {
  beforeAll(bundleAgent)

  test.each(names)('hold the same and let the same pass for %s', { timeout: 60_000 }, async (name) => {
    const file = `${EXAMPLES}${name}/compose.yaml`
    const plan = labPlanOf(rightOf(await loadProject([file], { env: {}, profiles: [] })()))
    const commands = plan.commands.map(({ command }) => command)
    const simulated = await live(simKernel(EMPTY_WORLD), commands, (model) => settle(model, plan.containers))
    expect([simulated.refused.filter((tag) => tag !== null), simulated.differences]).toEqual([[], []])
    const { kernel, close } = labKernel(`ex-${name}`)
    try {
      expect(await live(kernel, commands, (model) => settle(model, plan.containers))).toEqual(simulated)
    } finally {
      await close()
    }
  })
})
