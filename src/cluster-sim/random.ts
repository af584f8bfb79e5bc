// Chance from a seed: the same seed is the same row of numbers, on every machine. Each part of a simulation has a row of its own, so that what
// one draws does not shift what another gets.

export type Random = Readonly<{
  /** At least 0 and below 1. */
  next: () => number
  /** A whole number of at least 0 and below `limit`. */
  below: (limit: number) => number
  /** At least `from` and below `to`. */
  between: (from: number, to: number) => number
  chance: (share: number) => boolean
  /** One of these, of which there is one at least. */
  oneOf: <A>(items: readonly [A, ...ReadonlyArray<A>]) => A
}>

/** FNV-1a of 32 bits. */
const hashOf = (text: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0
  return hash
}

/** Mulberry32 by Tommy Ettinger: 32 bits of state, which pass through all their values. */
export const randomOf = (seed: number, part: string): Random => {
  let state = (hashOf(`${seed} ${part}`) ^ Math.imul(seed, 0x9e3779b1)) >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  return {
    next,
    below,
    between: (from, to) => from + next() * (to - from),
    chance: (share) => next() < share,
    oneOf: (items) => items[below(items.length)] ?? items[0],
  }
}
