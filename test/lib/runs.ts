// How often each property runs, and from which seed: CNM_RUNS and CNM_SEED, set by `npm test` and `npm run verify`.
// vitest loads this file before each test file. A property that is far dearer than the others says so with `runs(0.1)`
// instead of a number of its own, so that `verify --runs N` still reaches it.

import fc from 'fast-check'

const whole = (name: string): number | undefined => {
  const text = process.env[name]
  if (text === undefined || text === '') return undefined
  const n = Number(text)
  if (!Number.isSafeInteger(n)) throw new Error(`${name}=${text}: a whole number is needed`)
  return n
}

const numRuns = whole('CNM_RUNS') ?? 100
const seed = whole('CNM_SEED')

fc.configureGlobal({ ...fc.readConfigureGlobal(), numRuns, ...(seed === undefined ? {} : { seed }) })

/** For fast-check's parameters: `share` of the runs asked for, at least one. */
export const runs = (share: number): { readonly numRuns: number } => ({
  numRuns: Math.max(1, Math.round(numRuns * share)),
})
