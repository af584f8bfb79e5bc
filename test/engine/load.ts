// What the callers of a process that is killed do, and what can be seen of it afterwards.

import type { Kernel } from '../../src/kernel/kernel.ts'
import { linuxKernel } from '../../src/kernel-linux/linux.ts'
import { labNames, parseLab } from '../../src/kernel-linux/names.ts'
import { simKernel } from '../../src/kernel-sim/kernel.ts'
import type { Command } from '../../src/model/command.ts'
import type { Model } from '../../src/model/types.ts'
import { getIn } from '../../src/net/pmap.ts'
import { E } from '../../src/prelude.ts'
import { box, createEndpoint, createSandbox, join } from '../lib/model.ts'

export const CALLERS = 8

/** The simulated kernel, or Linux in the namespaces of a lab. */
export const kernelOf = (lab: string | null): Kernel => {
  if (lab === null) return simKernel()
  const parsed = parseLab(lab)
  if (E.isLeft(parsed)) throw new Error(parsed.left)
  return linuxKernel({ names: labNames(parsed.right) })
}

/** One turn: a container, its endpoint, and the two joined. The container's host name says which one it is. */
export const makeContainer = (caller: number, n: number): ReadonlyArray<Command> => [
  createSandbox(caller, `c${caller}`, { hostname: `n${n}` }),
  createEndpoint(caller, 1, `c${caller}`),
  join(caller, caller),
]

/** Which of its containers a caller has; 0 if none. */
export const numberOf = (model: Model, caller: number): number =>
  Number(getIn(model.sandboxes, box(caller))?.hostname.slice(1) ?? 0)
