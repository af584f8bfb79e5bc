// Runs of whole numbers as a flat list, first and last of each: ascending, disjoint, with a gap between any two. Short lists
// only: finding is a binary search, changing a walk over what is replaced and a copy.

export type Runs = ReadonlyArray<number>

export const NO_RUNS: Runs = []

// A cast: whoever indexes the list has counted its runs.
const at = (runs: Runs, index: number): number => runs[index] as number

/** Index of the first run that ends at `n` or later. */
const seek = (runs: Runs, n: number): number => {
  let low = 0
  let high = runs.length >> 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (at(runs, 2 * middle + 1) < n) low = middle + 1
    else high = middle
  }
  return low
}

/** Index of the first run, from this one on, that begins behind `n`. */
const seekBehind = (runs: Runs, first: number, n: number): number => {
  let run = first
  while (2 * run < runs.length && at(runs, 2 * run) <= n) run++
  return run
}

export const holds = (runs: Runs, n: number): boolean => {
  const run = 2 * seek(runs, n)
  return run < runs.length && at(runs, run) <= n
}

/** The lowest number from `n` on that is in no run. */
export const freeFrom = (runs: Runs, n: number): number => {
  const run = 2 * seek(runs, n)
  return run < runs.length && at(runs, run) <= n ? at(runs, run + 1) + 1 : n
}

/** The lowest number from `n` on that is in a run, or null. */
export const takenFrom = (runs: Runs, n: number): number | null => {
  const run = 2 * seek(runs, n)
  return run === runs.length ? null : Math.max(n, at(runs, run))
}

/** How many numbers are in the runs from the one with this index to before another's. */
export const countIn = (runs: Runs, first = 0, end = runs.length >> 1): number => {
  let sum = 0
  for (let run = first; run < end; run++) sum += at(runs, 2 * run + 1) - at(runs, 2 * run) + 1
  return sum
}

/** How many numbers up to `n`, that included, are in the runs. */
export const countUpTo = (runs: Runs, n: number): number => {
  const run = seek(runs, n)
  const inThis = 2 * run < runs.length ? Math.max(0, n - at(runs, 2 * run) + 1) : 0
  return countIn(runs, 0, run) + inThis
}

/** The list after a change, and how many numbers more it holds. */
export type Changed = Readonly<{ runs: Runs; gained: number }>

/** These runs instead of those from `first` to before `end`. */
const replace = (runs: Runs, first: number, end: number, by: Runs): Changed => ({
  runs: runs.toSpliced(2 * first, 2 * (end - first), ...by),
  gained: countIn(by) - countIn(runs, first, end),
})

/** With the numbers `from`..`to`, or null if it holds them all. */
export const put = (runs: Runs, from: number, to: number): Changed | null => {
  const first = seek(runs, from - 1)
  const end = seekBehind(runs, first, to + 1)
  if (first === end) return replace(runs, first, end, [from, to])
  const start = at(runs, 2 * first)
  const stop = at(runs, 2 * end - 1)
  if (end - first === 1 && start <= from && stop >= to) return null
  return replace(runs, first, end, [Math.min(start, from), Math.max(stop, to)])
}

/** Without the numbers `from`..`to`, or null if it holds none of them. */
export const cut = (runs: Runs, from: number, to: number): Changed | null => {
  const first = seek(runs, from)
  const end = seekBehind(runs, first, to)
  if (first === end) return null
  const rest: number[] = []
  const start = at(runs, 2 * first)
  const stop = at(runs, 2 * end - 1)
  if (start < from) rest.push(start, from - 1)
  if (stop > to) rest.push(to + 1, stop)
  return replace(runs, first, end, rest)
}
