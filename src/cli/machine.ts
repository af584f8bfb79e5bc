// A project on the running kernel: a lab of namespaces with a name of its own, made for one piece of work and taken down
// after it. Invariant: when this returns or the process ends by a signal it may catch, nothing of the lab is left, unless
// it was to be kept and was built whole. What a killed process leaves, `cnm down` finds by its name.

import type { At } from '../compose/at.ts'
import type { Kernel, KernelError } from '../kernel/kernel.ts'
import { removeLab } from '../kernel-linux/lab.ts'
import { limitOf } from '../kernel-linux/limit.ts'
import { linuxKernel } from '../kernel-linux/linux.ts'
import { type Lab as LabName, labNames } from '../kernel-linux/names.ts'
import { linuxReady, type TransportName, transportFor } from '../kernel-linux/ready.ts'
import { type Lab, type LabPlan, openLab } from '../lab/lab.ts'
import { E, type Either, type TaskEither } from '../prelude.ts'
import { claim } from './claim.ts'
import { EXIT } from './exit.ts'
import { exitOf, guarded } from './guard.ts'
import type { Io } from './io.ts'
import { runLab } from './lab-name.ts'
import { kernelProblem, labProblem, type Problem } from './problem.ts'

const STOPPED: KernelError = { tag: 'KernelUnavailable', what: 'the work was stopped', hint: null }

/** Probes handed on at a time; the others wait here, where they can still be called off. */
const PROBES = 128

/** A kernel that begins nothing new after `stop`, waiting probes included; `track` hears of everything it begins. */
const stoppable = (kernel: Kernel, stop: AbortSignal, track: <A>(work: Promise<A>) => Promise<A>): Kernel => {
  const limit = limitOf(PROBES)
  const unlessStopped = <L, A>(task: TaskEither<L, A>): Promise<Either<L | KernelError, A>> =>
    stop.aborted ? Promise.resolve(E.left(STOPPED)) : track<Either<L | KernelError, A>>(task())
  return {
    ...kernel,
    observe: (scope) => () => unlessStopped(kernel.observe(scope)),
    facts: (question) => () => unlessStopped(kernel.facts(question)),
    apply: (ops) => () => unlessStopped(kernel.apply(ops)),
    probe: (probe) => () => limit(() => unlessStopped(kernel.probe(probe))),
    counters: (ns) => () => unlessStopped(kernel.counters(ns)),
  }
}

const ATTEMPTS = 3

/** Again if need be: Ctrl-C reaches the tools that take it down, too. */
const takeDown = async (name: LabName): Promise<Either<KernelError, void>> => {
  let removed = await removeLab(name)
  for (let attempt = 1; attempt < ATTEMPTS && E.isLeft(removed); attempt++) removed = await removeLab(name)
  return removed
}

/** `transport` null: what is best here. */
export type MachineOptions = Readonly<{ keep: boolean; transport: TransportName | null }>
export type OnMachine<A> = Readonly<{ value: A; kept: LabName | null }>

/** Builds the plan on the running kernel, lets `work` use it, and takes it down again unless it is to be kept. */
export const onMachine = async <A>(
  io: Io,
  project: string,
  plan: LabPlan<At>,
  { keep, transport: asked }: MachineOptions,
  work: (lab: Lab) => Promise<Either<Problem, A>>,
): Promise<Either<Problem, OnMachine<A>>> => {
  const transport = transportFor(asked)
  if (E.isLeft(transport)) return E.left(kernelProblem(transport.left))
  const name = runLab(project)
  const kernel = linuxKernel({ names: labNames(name), transport: transport.right })
  const busy = new Set<Promise<unknown>>()
  const track = <B>(each: Promise<B>): Promise<B> => {
    busy.add(each)
    return each.finally(() => busy.delete(each))
  }
  let left: KernelError | null = null

  const build = async (stop: AbortSignal): Promise<Either<Problem, A>> => {
    io.progress('looking at this machine ...')
    const ready = await track(linuxReady(name, transport.right))
    if (E.isLeft(ready)) return E.left(kernelProblem(ready.left))
    io.progress(`building lab ${name} ...`)
    const lab = await openLab(stoppable(kernel, stop, track), plan)
    return E.isLeft(lab) ? E.left(labProblem(lab.left)) : work(lab.right)
  }
  const clean = async (end: 'done' | 'failed' | 'stopped', value: Either<Problem, A> | null): Promise<void> => {
    io.progress(`taking lab ${name} down ...`)
    await Promise.allSettled([...busy])
    await kernel.close()
    const kept = keep && end === 'done' && value !== null && E.isRight(value)
    if (!kept) {
      const removed = await takeDown(name)
      if (E.isLeft(removed)) left = removed.left
    }
    io.progress(null)
  }

  const release = await claim(name)
  const done = await guarded(build, clean)
  release()
  if (left !== null)
    return E.left({
      exit: EXIT.machine,
      lines: [...kernelProblem(left).lines, `cnm: try again with: cnm down ${name}`],
    })
  if (done.tag === 'stopped')
    return E.left({ exit: exitOf(done.signal), lines: ['cnm: stopped; nothing is left behind'] })
  return E.isLeft(done.value) ? done.value : E.right({ value: done.value.right, kept: keep ? name : null })
}
