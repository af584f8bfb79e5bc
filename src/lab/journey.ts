// One question followed hop by hop: the probe that decides it, sent through a simulated world, with everything it met.

import type { Verdict } from '../kernel/kernel.ts'
import { runProbe } from '../kernel-sim/datapath/probe.ts'
import type { Step } from '../kernel-sim/datapath/step.ts'
import { PARTS } from '../kernel-sim/datapath/wired.ts'
import type { Names } from '../kernel-sim/datapath/words.ts'
import type { World } from '../kernel-sim/state.ts'
import type { Model } from '../model/types.ts'
import { type Approach, type Attempt, approach, type Question } from './approach.ts'

/** `attempt` null: there was nothing to try, and `cannot` says why. */
export type Journey = Readonly<
  { attempt: Attempt; verdict: Verdict; trace: ReadonlyArray<Step> } | { attempt: null; cannot: string }
>

/** Of several attempts the one that arrives, else the first. */
export const travel = (world: World, { attempts, cannot }: Approach, names: Names): Journey => {
  let first: Journey | null = null
  for (const attempt of attempts) {
    const { verdict, trace } = runProbe(PARTS, world, attempt.probe, { names })
    const journey: Journey = { attempt, verdict, trace }
    if (verdict.tag === 'arrived') return journey
    first ??= journey
  }
  return first ?? { attempt: null, cannot }
}

export const journeyOf = (world: World, model: Model, question: Question, names: Names): Journey =>
  travel(world, approach(model, question), names)
