// A metric of these benchmarks: milliseconds, the fewer the better, if it does not say otherwise.

import type { Bench } from '../lib.ts'

export type Metric = Pick<Bench, 'name' | 'run'> & Partial<Pick<Bench, 'unit' | 'better'>>

export const benchOf = (metric: Metric): Bench => ({ unit: 'ms', better: 'lower', ...metric })
