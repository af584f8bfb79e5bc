// Probes of test/kernel-sim by the data path, in one line.

import { type ProbeResult, runProbe } from '../../../src/kernel-sim/datapath/probe.ts'
import { PARTS } from '../../../src/kernel-sim/datapath/wired.ts'
import type { World } from '../../../src/kernel-sim/state.ts'
import type { Ending, Fact } from '../facts.ts'
import { probeOf } from '../world.ts'

export const attempt = (world: World, from: string, proto: Fact[1], to: string, listener = ''): ProbeResult =>
  runProbe(PARTS, world, probeOf(from, proto, to, listener))

export const endingOf = ({ verdict }: ProbeResult): Ending => (verdict.tag === 'arrived' ? 'arrived' : verdict.how)
/** `where: why` of a probe that died. */
export const reasonOf = ({ verdict }: ProbeResult): string =>
  verdict.tag === 'arrived' ? 'arrived' : `${verdict.where}: ${verdict.why}`
