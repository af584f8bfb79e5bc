// Labs: sets of namespaces that leave no trace. Everything of a lab is in namespaces whose names begin with its prefix, so
// they are found by name alone, also by another process after the first one was killed.

import type { KernelError } from '../kernel/kernel.ts'
import { E, type Either } from '../prelude.ts'
import { complaintOf } from './errno.ts'
import { type Lab, labOfName } from './names.ts'
import { realNames } from './observe.ts'
import { runWithin, unavailable } from './run.ts'

/** The labs of this machine, in order of their names. */
export const listLabs = async (): Promise<ReadonlyArray<Lab>> => {
  const labs = [...(await realNames())].map(labOfName).filter((lab) => lab !== null)
  return [...new Set(labs)].sort()
}

const namespacesOf = async (lab: Lab): Promise<ReadonlyArray<string>> =>
  [...(await realNames())].filter((real) => labOfName(real) === lab).sort()

/** A command that a killed process had started may still be adding namespaces; it is over in a moment. */
const ATTEMPTS = 3

/**
 * Deletes the lab's namespaces, and all that is in them; right away if there are none. Processes that still run in one keep
 * it, without a name, until they end.
 */
export const removeLab = async (lab: Lab): Promise<Either<KernelError, void>> => {
  const run = runWithin(1)
  let complaint = ''
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const reals = await namespacesOf(lab)
    if (reals.length === 0) return E.right(undefined)
    const script = reals.map((real) => `netns delete ${real}\n`).join('')
    const ran = await run(null, 'ip', ['-force', '-batch', '-'], script)
    if (E.isLeft(ran)) return ran
    complaint = complaintOf(ran.right.stderr).detail
  }
  const left = await namespacesOf(lab)
  return left.length === 0
    ? E.right(undefined)
    : E.left(unavailable(`could not delete ${left.join(', ')}: ${complaint}`))
}
