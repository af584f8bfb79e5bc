// What commands would do, told without doing it: the same steps and the same `diff` as a turn.

import type { Drivers } from '../drivers/registry.ts'
import { diff } from '../kernel/diff.ts'
import type { KernelOp } from '../kernel/op.ts'
import type { KernelState } from '../kernel/state.ts'
import type { Command } from '../model/command.ts'
import type { CnmError } from '../model/error.ts'
import type { CnmEvent } from '../model/event.ts'
import { E, type Either } from '../prelude.ts'
import { type HostValues, settingBack } from './host-values.ts'
import { type Core, step } from './step.ts'

/** What one knows before a turn: the model with the host as it should be, the host as it is, and its own sysctls. */
export type Known = Readonly<{ core: Core; believed: KernelState; values: HostValues }>

/** What commands would do: events, and the operations that lead from the host as we believe it is. */
export type Preview = Readonly<{ events: ReadonlyArray<CnmEvent>; ops: ReadonlyArray<KernelOp> }>

/** The operations that lead from the host as it is to the host as it should be. */
export const operations = (believed: KernelState, wanted: KernelState, values: HostValues): ReadonlyArray<KernelOp> =>
  diff(believed, wanted).map(settingBack(values))

/** Left: the first command that would be refused. */
export const foresee = (
  drivers: Drivers,
  { core, believed, values }: Known,
  commands: ReadonlyArray<Command>,
): Either<CnmError, Preview & Readonly<{ core: Core }>> => {
  let next = core
  const events: CnmEvent[] = []
  for (const command of commands) {
    const taken = step(drivers, next, command)
    if (E.isLeft(taken)) return taken
    next = taken.right.core
    events.push(...taken.right.events)
  }
  return E.right({ core: next, events, ops: operations(believed, next.wanted.state, values) })
}
