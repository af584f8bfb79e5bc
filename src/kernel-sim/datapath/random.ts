// Random numbers from a seed: the same on every machine. Nothing secret depends on them.
// Source: mulberry32 (T. Ettinger), 32 bits of state.

export type Random = {
  state: number
}

export const randomFrom = (seed: number): Random => ({ state: seed >>> 0 })

/** 32 bits, as an unsigned number. */
export const next32 = (random: Random): number => {
  random.state = (random.state + 0x6d2b79f5) >>> 0
  let t = random.state
  t = Math.imul(t ^ (t >>> 15), t | 1)
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
  return (t ^ (t >>> 14)) >>> 0
}

/** 0 to n - 1; n at most 2^32. */
export const below = (random: Random, n: number): number => Math.floor((next32(random) / 2 ** 32) * n)

/** At least 0, less than 1. */
export const fraction = (random: Random): number => next32(random) / 2 ** 32
