// A metric of these benchmarks; bench/linux.bench.ts adds what all have in common.

import type { Result } from '../lib.ts'

export type Metric = Readonly<{ name: string; run: () => Promise<Result> }>
