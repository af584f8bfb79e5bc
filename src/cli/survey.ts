// What `cnm run` and `cnm check` find out: answers to questions on the kernel that was asked for, with the simulation's
// reasons. A slow kernel is asked while the user is shown how far it is.

import type { At } from '../compose/at.ts'
import type { Project } from '../compose/project.ts'
import type { Lab as LabName } from '../kernel-linux/names.ts'
import type { Question } from '../lab/approach.ts'
import type { Lab, LabPlan } from '../lab/lab.ts'
import { explainedBy, type Finding, findAll } from '../lab/reach.ts'
import { E, type Either } from '../prelude.ts'
import type { Io } from './io.ts'
import type { MachineOptions } from './machine.ts'
import { kernelProblem, type Problem } from './problem.ts'
import { type Simulation, simulate } from './simulation.ts'

export type KernelName = 'sim' | 'linux'

/** `findings` in the order of the questions; `kept`: the lab that was left on the machine. */
export type Survey = Readonly<{ simulation: Simulation; findings: ReadonlyArray<Finding>; kept: LabName | null }>

const ask = async (
  io: Io,
  lab: Lab,
  questions: ReadonlyArray<Question>,
): Promise<Either<Problem, ReadonlyArray<Finding>>> => {
  const total = questions.length
  const found = await findAll(lab.kernel, lab.engine.model(), questions, (done) => {
    if (lab.kernel.name === 'linux') io.progress(`trying packets: ${done} of ${total} ...`)
  })
  return E.isLeft(found) ? E.left(kernelProblem(found.left)) : found
}

/** Asks what `questionsOf` makes of the lab's containers. They are the same on both kernels, as the model is. */
export const survey = async (
  io: Io,
  project: Project,
  plan: LabPlan<At>,
  options: Readonly<{ kernel: KernelName }> & MachineOptions,
  questionsOf: (lab: Lab) => ReadonlyArray<Question>,
): Promise<Either<Problem, Survey>> => {
  const simulation = await simulate(plan)
  if (E.isLeft(simulation)) return simulation
  const { lab } = simulation.right
  const simulated = await ask(io, lab, questionsOf(lab))
  if (E.isLeft(simulated)) return simulated
  if (options.kernel === 'sim') return E.right({ simulation: simulation.right, findings: simulated.right, kept: null })
  const { onMachine } = await import('./machine.ts')
  const real = await onMachine(io, project.name, plan, options, (built) => ask(io, built, questionsOf(built)))
  if (E.isLeft(real)) return real
  const findings = explainedBy(real.right.value, simulated.right)
  return E.right({ simulation: simulation.right, findings, kept: real.right.kept })
}
