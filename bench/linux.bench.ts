// The kernel itself, as the engine makes use of it on a host: beside the floor (the same messages sent raw) and the systems that
// are installed. Needs root; without it there are no such metrics.

import type { Bench } from './lib.ts'
import { attachMetrics } from './linux/attach.ts'
import { crowdMetrics } from './linux/crowd.ts'
import { networkMetrics } from './linux/networks.ts'

const isRoot = process.platform === 'linux' && process.getuid?.() === 0

export const benches: ReadonlyArray<Bench> = isRoot
  ? [...attachMetrics, ...crowdMetrics, ...networkMetrics].map((metric) => ({ ...metric, unit: 'ms', better: 'lower' }))
  : []
