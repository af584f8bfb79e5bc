// The contract of a benchmark, and how one is measured. A file bench/NAME.bench.ts exports `benches`; scripts/bench.mjs runs
// them. Ours and its peers are measured in the same rounds, turn about, and a ratio is the median of the rounds' own ratios:
// what slows the machine for a while slows both sides.

import { Bench as Tinybench } from 'tinybench'

/** `ratio` is ours divided by the peer's, in the metric's own unit: with "higher is better", 3 means three times as fast. */
export type Ratio = Readonly<{ ratio: number; to: string }>
export type Result = Readonly<{ value: number; ratios: ReadonlyArray<Ratio> }>

export type Bench = Readonly<{
  /** Stable: `area.what.kind`, such as `net.parse4.rate`. */
  name: string
  unit: '1/s' | 's' | 'ms' | 'us' | 'ns' | 'MB' | 'x'
  better: 'higher' | 'lower'
  run: () => Promise<Result>
}>

/** Metrics whose names begin with `area` cannot be measured here: a file may export `absent`, a list of these. */
export type Absent = Readonly<{ area: string; why: string }>

type Work = () => unknown
/** What to measure: `ours`, and others doing the same work, by the name that the ratio gives as `to`. */
export type Contest = Readonly<{ ours: Work; peers?: Readonly<Record<string, Work>> }>
export type Effort = Readonly<{ rounds: number; roundMs: number }>

const EFFORT: Effort = { rounds: 7, roundMs: 100 }

/** The middle value; of an even number of values, the mean of the two in the middle. */
export const median = (values: ReadonlyArray<number>): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const low = sorted[Math.floor((sorted.length - 1) / 2)]
  const high = sorted[Math.floor(sorted.length / 2)]
  if (low === undefined || high === undefined) throw new Error('the median of no values')
  return (low + high) / 2
}

/** The median time of one call in milliseconds, called for `timeMs` and at least once. */
const latencyMs = async (work: Work, timeMs: number, warmup: boolean): Promise<number> => {
  const bench = new Tinybench({
    time: timeMs,
    iterations: 1,
    warmup,
    warmupTime: timeMs,
    warmupIterations: 1,
    throws: true,
  })
  const task = (await bench.add('work', work).run())[0]
  if (task?.result.state !== 'completed')
    throw new Error(`the benchmark ended ${task?.result.state ?? 'without a task'}`)
  return task.result.latency.p50
}

/** Milliseconds of each work in each round, the works taking turns. */
const measure = async (
  work: ReadonlyArray<Work>,
  { rounds, roundMs }: Effort,
): Promise<ReadonlyArray<readonly number[]>> => {
  const times: number[][] = work.map(() => [])
  for (let round = 0; round < rounds; round++)
    for (const [i, one] of work.entries()) times[i]?.push(await latencyMs(one, roundMs, round === 0))
  return times
}

const contest =
  (fromMs: (ms: number) => number) =>
  async ({ ours, peers = {} }: Contest, effort: Effort): Promise<Result> => {
    const [mine = [], ...theirs] = (await measure([ours, ...Object.values(peers)], effort)).map((ms) => ms.map(fromMs))
    const ratios = Object.keys(peers).map((to, i) => ({
      ratio: median(mine.map((value, round) => value / (theirs[i]?.[round] ?? Number.NaN))),
      to,
    }))
    return { value: median(mine), ratios }
  }

/** Operations a second, where each call does `ops` of them: enough that a call takes well over a microsecond. */
export const rate = (ops: number, rivals: Contest, effort: Effort = EFFORT): Promise<Result> =>
  contest((ms) => (ops * 1000) / ms)(rivals, effort)

/** Milliseconds of one call. */
export const duration = (rivals: Contest, effort: Effort = EFFORT): Promise<Result> =>
  contest((ms) => ms)(rivals, effort)
