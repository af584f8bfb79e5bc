// Many contenders measured in the same rounds, turn about, and what is told of it.

import { median, type Result } from '../lib.ts'

/** Milliseconds, by contender and round. The first contender is ours. */
export type Rounds = ReadonlyMap<string, ReadonlyArray<ReadonlyArray<number>>>

/** The value below which a share of them is: the nearest one of those measured. */
export const quantile = (values: ReadonlyArray<number>, share: number): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const found = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
  if (found === undefined) throw new Error('a quantile of no values')
  return found
}

/** As bench/lib.ts: the median of the rounds' own ratios; of those in which both were measured. */
const ratioOfMedians = (
  mine: ReadonlyArray<ReadonlyArray<number>>,
  theirs: ReadonlyArray<ReadonlyArray<number>>,
): number =>
  median(
    mine.flatMap((round, i) => {
      const other = theirs[i]
      return other === undefined ? [] : [median(round) / median(other)]
    }),
  )

const from = (
  rounds: Rounds,
  value: (rounds: ReadonlyArray<ReadonlyArray<number>>) => number,
  ratio: typeof ratioOfMedians,
): Result => {
  const [mine = [], ...theirs] = rounds.values()
  const [, ...names] = rounds.keys()
  return { value: value(mine), ratios: names.map((to, i) => ({ ratio: ratio(mine, theirs[i] ?? []), to })) }
}

export const medianOf = (rounds: Rounds): Result => from(rounds, (mine) => median(mine.flat()), ratioOfMedians)

/** Tails are rare, so they are looked for in all rounds together. */
export const tailOf = (rounds: Rounds, share: number): Result => {
  const tail = (some: ReadonlyArray<ReadonlyArray<number>>): number => quantile(some.flat(), share)
  return from(rounds, tail, (mine, theirs) => tail(mine) / tail(theirs))
}

/** Collects samples under a name. */
export type Log = Readonly<{ note: (name: string, round: number, ms: number) => void; rounds: () => Rounds }>

export const logOf = (): Log => {
  const all = new Map<string, number[][]>()
  return {
    note: (name, round, ms) => {
      const rounds = all.get(name) ?? []
      all.set(name, rounds)
      const samples = rounds[round] ?? []
      rounds[round] = samples
      samples.push(ms)
    },
    rounds: () => all,
  }
}

export const timeOf = async (work: () => Promise<unknown> | unknown): Promise<number> => {
  const start = performance.now()
  await work()
  return performance.now() - start
}

/** What several metrics are read from is measured once. */
export const once = <A>(measure: () => Promise<A>): (() => Promise<A>) => {
  let measured: Promise<A> | null = null
  return () => {
    measured ??= measure()
    return measured
  }
}
