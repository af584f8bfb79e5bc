// A set of whole numbers as sorted, disjoint, non-adjacent ranges: cost follows the number of gaps, never the size of the
// pool. Persistent: every change is a new value.

/** Both ends belong to the range. */
export type Range = Readonly<{ from: bigint; to: bigint }>
export type Ranges = ReadonlyArray<Range>

export const NO_RANGES: Ranges = []

/** Index of the first range that ends at or after `n` (binary search). */
const reach = (ranges: Ranges, n: bigint): number => {
  let low = 0
  let high = ranges.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((ranges[middle]?.to ?? 0n) < n) low = middle + 1
    else high = middle
  }
  return low
}

export const holds = (ranges: Ranges, n: bigint): boolean => {
  const at = ranges[reach(ranges, n)]
  return at !== undefined && at.from <= n
}

/** The set with `n` in it. */
export const include = (ranges: Ranges, n: bigint): Ranges => {
  if (holds(ranges, n)) return ranges
  const at = reach(ranges, n)
  const before = ranges[at - 1]
  const next = ranges[at]
  const joinsBefore = before !== undefined && before.to === n - 1n
  const joinsNext = next !== undefined && next.from === n + 1n
  const merged: Range = {
    from: joinsBefore ? before.from : n,
    to: joinsNext ? next.to : n,
  }
  return [...ranges.slice(0, joinsBefore ? at - 1 : at), merged, ...ranges.slice(joinsNext ? at + 1 : at)]
}

/** The set without `n`. */
export const exclude = (ranges: Ranges, n: bigint): Ranges => {
  const at = reach(ranges, n)
  const range = ranges[at]
  if (range === undefined || range.from > n) return ranges
  const parts: Range[] = []
  if (range.from < n) parts.push({ from: range.from, to: n - 1n })
  if (range.to > n) parts.push({ from: n + 1n, to: range.to })
  return [...ranges.slice(0, at), ...parts, ...ranges.slice(at + 1)]
}

/** The lowest number of `from`..`to` that is not in the set, or null. */
export const lowestFree = (ranges: Ranges, from: bigint, to: bigint): bigint | null => {
  const at = ranges[reach(ranges, from)]
  const free = at !== undefined && at.from <= from ? at.to + 1n : from
  return free <= to ? free : null
}

/** How many numbers are in the set. */
export const countOf = (ranges: Ranges): bigint => ranges.reduce((sum, { from, to }) => sum + to - from + 1n, 0n)
