// A project in the simulated kernel, which every verb needs: it is there on every machine, and it alone knows reasons.

import type { At } from '../compose/at.ts'
import { type Names, NO_NAMES } from '../kernel-sim/datapath/words.ts'
import type { SimKernel } from '../kernel-sim/kernel.ts'
import { simKernel } from '../kernel-sim/kernel.ts'
import { EMPTY_WORLD, type World } from '../kernel-sim/state.ts'
import { type Lab, type LabPlan, openLab } from '../lab/lab.ts'
import { namesFor } from '../lab/names.ts'
import { E, type Either } from '../prelude.ts'
import { labProblem, type Problem } from './problem.ts'

/** `built` is the world before any packet was sent. */
export type Simulation = Readonly<{ kernel: SimKernel; lab: Lab; names: Names; built: World }>

export const simulate = async (plan: LabPlan<At>): Promise<Either<Problem, Simulation>> => {
  let names = NO_NAMES
  const kernel = simKernel(EMPTY_WORLD, () => names)
  const lab = await openLab(kernel, plan)
  if (E.isLeft(lab)) return E.left(labProblem(lab.left))
  const { engine } = lab.right
  names = namesFor(engine.model(), engine.wanted())
  return E.right({ kernel, lab: lab.right, names, built: kernel.world() })
}
