// The kernel of a simulated host, as a process of it has it. It takes a moment; a process that ends meanwhile has done a part of what it asked
// for. It outlives processes, and is empty after a reboot.

import type { Kernel } from '../kernel/kernel.ts'
import { type PaperKernel, paperKernel } from '../kernel/paper.ts'
import type { KernelState } from '../kernel/state.ts'
import type { HostFacts } from '../net/host-facts.ts'
import type { TaskEither } from '../prelude.ts'
import type { Process } from './process.ts'
import type { Random } from './random.ts'

export type Machine = Readonly<{
  kernelFor: (process: Process) => Kernel
  state: () => KernelState
  reboot: () => void
}>

/** What its sysctls say before anybody sets them. */
const OWN = '0'

const delayOf = (random: Random): number => random.between(0.1, 3)

export const makeMachine = (random: Random, host: HostFacts): Machine => {
  let kernel: PaperKernel = paperKernel(host, OWN)

  const late =
    <X, A>(process: Process, work: () => TaskEither<X, A>): TaskEither<X, A> =>
    () =>
      new Promise((resolve, reject) => {
        process.clock.after(delayOf(random), () => {
          work()().then(resolve, reject)
        })
      })

  const applying =
    (process: Process): Kernel['apply'] =>
    (ops) =>
    () =>
      new Promise((resolve, reject) => {
        let isDone = false
        process.clock.after(delayOf(random), () => {
          isDone = true
          kernel.apply(ops)().then(resolve, reject)
        })
        process.atEnd(() => {
          if (!isDone) void kernel.apply(ops.slice(0, random.below(ops.length + 1)))()
        })
      })

  return {
    state: () => kernel.state(),
    reboot: () => {
      kernel = paperKernel(host, OWN)
    },
    kernelFor: (process) => ({
      ...kernel,
      observe: (scope) => late(process, () => kernel.observe(scope)),
      facts: (question) => late(process, () => kernel.facts(question)),
      apply: applying(process),
    }),
  }
}
