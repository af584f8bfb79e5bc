// cnm down: removes what `cnm run --keep` left on the machine, and the remains of runs that were killed.

import { listLabs, removeLab } from '../../kernel-linux/lab.ts'
import { type Lab, parseLab } from '../../kernel-linux/names.ts'
import { E, type Either, traverse } from '../../prelude.ts'
import { isClaimed } from '../claim.ts'
import { EXIT } from '../exit.ts'
import type { Io } from '../io.ts'
import { isRunLab } from '../lab-name.ts'
import { kernelProblem, type Problem } from '../problem.ts'

export type DownOptions = Readonly<{ labs: ReadonlyArray<string>; all: boolean }>

const unclaimed = async (labs: ReadonlyArray<Lab>, io: Io): Promise<ReadonlyArray<Lab>> => {
  const free: Lab[] = []
  for (const lab of labs)
    if (await isClaimed(lab)) io.err(`lab ${lab} is in use by a cnm that runs; --all removes it, too`)
    else free.push(lab)
  return free
}

const named = (texts: ReadonlyArray<string>): Either<Problem, ReadonlyArray<Lab>> => {
  const labs = traverse(texts, parseLab)
  return E.isLeft(labs) ? E.left({ exit: EXIT.wrong, lines: [`cnm: ${labs.left}`] }) : labs
}

/** Of the labs that are named, or of all: those that no running `cnm` uses; with --all, those too. */
export const down = async (io: Io, { labs, all }: DownOptions): Promise<Either<Problem, number>> => {
  const asked = named(labs)
  if (E.isLeft(asked)) return asked
  const there = await listLabs()
  const ours = there.filter(isRunLab).filter((lab) => asked.right.length === 0 || asked.right.includes(lab))
  const chosen = all ? ours : await unclaimed(ours, io)
  for (const lab of asked.right) if (!ours.includes(lab)) io.out(`there is no lab ${lab}`)
  if (chosen.length === 0 && asked.right.length === 0) io.out('there is nothing to remove')
  for (const lab of chosen) {
    const removed = await removeLab(lab)
    if (E.isLeft(removed)) return E.left(kernelProblem(removed.left))
    io.out(`removed lab ${lab}`)
  }
  return E.right(EXIT.ok)
}
