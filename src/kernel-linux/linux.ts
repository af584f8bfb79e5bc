// The Kernel port on the running Linux kernel.

import type { Kernel, KernelError, Refusal } from '../kernel/kernel.ts'
import type { Either, TaskEither } from '../prelude.ts'
import { agentsOf } from './agents.ts'
import { apply } from './apply.ts'
import type { Names } from './names.ts'
import { observe } from './observe.ts'
import { proberOf } from './probe.ts'
import { runWithin } from './run.ts'

/** `patienceMs`: how long a probe waits for an answer. */
export type LinuxOptions = Readonly<{ names: Names; patienceMs?: number }>
/** `close` ends what was started for probes; the kernel can be used again afterwards. */
export type LinuxKernel = Kernel & Readonly<{ close: () => Promise<void> }>

const PROCESSES = 8
/** Pings mostly wait, so more of them may run at once. */
const PINGS = 192
const PATIENCE_MS = 1000

/** Needs root (CAP_NET_ADMIN, CAP_SYS_ADMIN) and the tools; see `linuxReady`. Changes only what operations name. */
export const linuxKernel = ({ names, patienceMs = PATIENCE_MS }: LinuxOptions): LinuxKernel => {
  const run = runWithin(PROCESSES)
  const agents = agentsOf()
  const probe = proberOf(runWithin(PINGS), agents, names, patienceMs)
  return {
    name: 'linux',
    observe: (scope) => () => observe(run, names, scope),
    apply:
      (ops): TaskEither<ReadonlyArray<Refusal> | KernelError, void> =>
      (): Promise<Either<ReadonlyArray<Refusal> | KernelError, void>> =>
        apply({ run, names, vacate: agents.vacate }, ops),
    probe: (one) => () => probe(one),
    close: agents.close,
  }
}
