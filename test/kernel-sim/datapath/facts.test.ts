// The data path ends every probe as Linux does: test/kernel-sim/facts.ts, which was measured there.

import { expect, test } from 'vitest'
import { runProbe } from '../../../src/kernel-sim/datapath/probe.ts'
import { FACTS } from '../facts.ts'
import { topology } from '../topology.ts'
import { probeOf, worldOf } from '../world.ts'
import { PARTS } from './wired.ts'

const built = worldOf(topology)

test.each(FACTS)('%s %s %s [%s]: %s', (from, proto, to, listener, ends) => {
  const { verdict } = runProbe(PARTS, built, probeOf(from, proto, to, listener), { trace: false })
  expect(verdict.tag === 'arrived' ? 'arrived' : verdict.how).toBe(ends)
})
