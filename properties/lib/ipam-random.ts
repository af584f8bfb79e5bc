// Long programs for properties about addresses: drawn from one seed, a hundred times as quickly as fast-check draws them,
// and made short again by leaving steps out.

/** Whole numbers from 0 up to, not including, 2^32, as mulberry32 draws them. */
export type Dice = () => number

export const diceOf = (seed: number): Dice => {
  let at = seed >>> 0
  return () => {
    at = (at + 0x6d2b79f5) >>> 0
    let t = at
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (t ^ (t >>> 14)) >>> 0
  }
}

/** One step of a program, as numbers that the program's reader gives a meaning. */
export type Step = readonly [number, number, number, number]

export const stepsOf = (dice: Dice, length: number): ReadonlyArray<Step> =>
  Array.from({ length }, () => [dice(), dice(), dice(), dice()] as const)

/** The item at `n`, going round. */
export const pick = <T>(items: ReadonlyArray<T>, n: number): T => {
  const item = items[n % items.length]
  if (item === undefined) throw new Error('nothing to pick from')
  return item
}

/** A program that still fails when as much of it as can be is left out, halves first and single steps last. */
export const shortest = (
  steps: ReadonlyArray<Step>,
  fails: (steps: ReadonlyArray<Step>) => boolean,
): ReadonlyArray<Step> => {
  let left = steps
  for (let size = steps.length >> 1; size > 0; size >>= 1)
    for (let from = 0; from < left.length; ) {
      const rest = left.toSpliced(from, size)
      if (fails(rest)) left = rest
      else from += size
    }
  return left
}

/** Throws if the program has a fault, with the fault of the shortest program that has one too. */
export const expectNoFault = (
  steps: ReadonlyArray<Step>,
  faultOf: (steps: ReadonlyArray<Step>) => string | null,
): void => {
  if (faultOf(steps) !== null) throw new Error(faultOf(shortest(steps, (each) => faultOf(each) !== null)) ?? '')
}

/** Freezes a value and all it holds but typed arrays, which cannot be. What is frozen already has been seen. */
export const deepFreeze = <T>(value: T): T => {
  const open = typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) && !Object.isFrozen(value)
  if (!open) return value
  Object.freeze(value)
  for (const each of Object.values(value)) deepFreeze(each)
  return value
}
