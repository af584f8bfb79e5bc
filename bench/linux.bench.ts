// The kernel itself, as the engine makes use of it on a host: beside the floor (the same messages sent raw) and the systems that
// are installed. Needs root.

import type { Absent, Bench } from './lib.ts'
import { attachMetrics } from './linux/attach.ts'
import { crowdMetrics } from './linux/crowd.ts'
import { client, server } from './linux/echo.ts'
import { benchOf } from './linux/metric.ts'
import { networkMetrics } from './linux/networks.ts'
import { recoverMetrics, victim } from './linux/recover.ts'
import { playing } from './linux/role.ts'
import { scaleMetrics } from './linux/scale.ts'

/** Processes of a benchmark are this bundle again, in a role. */
const BUNDLE = import.meta.url
export const play = playing({ victim, server, client })

const isRoot = process.platform === 'linux' && process.getuid?.() === 0

export const benches: ReadonlyArray<Bench> = isRoot
  ? [...attachMetrics, ...scaleMetrics(BUNDLE), ...crowdMetrics, ...networkMetrics, ...recoverMetrics(BUNDLE)].map(
      benchOf,
    )
  : []

export const absent: ReadonlyArray<Absent> = isRoot ? [] : [{ area: 'linux', why: 'it needs Linux and root' }]
