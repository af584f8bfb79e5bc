// The Kernel port over a world that stays open from probe to probe: nobody can tell.

import { expect, test } from 'vitest'
import { runProbe } from '../../src/kernel-sim/datapath/probe.ts'
import type { Step } from '../../src/kernel-sim/datapath/step.ts'
import { PARTS } from '../../src/kernel-sim/datapath/wired.ts'
import { simKernel } from '../../src/kernel-sim/kernel.ts'
import { E } from '../../src/prelude.ts'
import { FACTS } from './facts.ts'
import { topology } from './topology.ts'
import { probeOf, worldOf } from './world.ts'

const built = worldOf(topology)
const isRedirect = ({ payload }: Step): boolean =>
  'body' in payload && 'type' in payload.body && payload.body.type === 'redirect'
/** Of packets that nobody is told a better way for: how often one was is forgotten where a world is closed (datapath/README.md). */
const probes = FACTS.filter((_, i) => i % 4 === 0)
  .map(([from, proto, to, listener]) => probeOf(from, proto, to, listener))
  .filter((probe) => !runProbe(PARTS, built, probe).trace.some(isRedirect))

test('probes in a row end as each does alone on the world that the last one left', async () => {
  const kernel = simKernel(built)
  let world = built
  for (const probe of probes) {
    const alone = runProbe(PARTS, world, probe, { trace: false })
    world = alone.world
    expect(await kernel.probe(probe)()).toEqual(E.right(alone.verdict))
  }
  expect(probes.length).toBeGreaterThan(20)
  expect(kernel.world().nowMs).toBe(world.nowMs)
  expect(kernel.world().namespaces).toEqual(world.namespaces)
})

test('what is looked at between two probes is a value, which the second one does not change', async () => {
  const kernel = simKernel(built)
  const [first, second] = probes
  if (first === undefined || second === undefined) throw new Error('there are facts')
  await kernel.probe(first)()
  const between = kernel.world()
  const known = structuredClone(between)
  expect(kernel.world()).toBe(between)
  await kernel.probe(second)()
  expect(kernel.world()).not.toBe(between)
  expect(between).toEqual(known)
  kernel.reset(between)
  expect(kernel.world()).toBe(between)
})
