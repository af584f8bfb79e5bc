// A plan that fails, with less in it: commands and faults are left out, in halves and then in smaller parts, as long as it still fails.

import type { Plan } from './plan.ts'

export type Shrunk = Readonly<{ plan: Plan; tries: number }>

/** What is left of `items` that still fails; `isBad` says so of a part. */
const fewer = async <A>(
  items: ReadonlyArray<A>,
  isBad: (part: ReadonlyArray<A>) => Promise<boolean>,
): Promise<ReadonlyArray<A>> => {
  let kept = items
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < kept.length; ) {
      const part = [...kept.slice(0, from), ...kept.slice(from + size)]
      if (await isBad(part)) kept = part
      else from += size
    }
  }
  return kept
}

/** `fails` of the plan itself. At most so many plans are tried. */
export const shrink = async (
  plan: Plan,
  fails: (plan: Plan) => Promise<boolean>,
  maxTries: number,
): Promise<Shrunk> => {
  let tries = 0
  const isBad = (candidate: Plan): Promise<boolean> => (++tries > maxTries ? Promise.resolve(false) : fails(candidate))
  // What comes behind the first failure is often the most, and quickly found.
  const faults = await fewer(plan.faults, (part) => isBad({ ...plan, faults: part }))
  const acts = await fewer(plan.acts, (part) => isBad({ ...plan, faults, acts: part }))
  const last = await fewer(faults, (part) => isBad({ ...plan, acts, faults: part }))
  return { plan: { ...plan, acts, faults: last }, tries: Math.min(tries, maxTries) }
}
