// The Kernel port on the running Linux kernel.

import type { Kernel, KernelError, Refusal } from '../kernel/kernel.ts'
import { E, type Either, type TaskEither } from '../prelude.ts'
import { agentsOf } from './agents.ts'
import { apply } from './apply.ts'
import { counters } from './counters.ts'
import { makeDepartures } from './departures.ts'
import type { Names } from './names.ts'
import { loadLibc } from './netlink/libc.ts'
import { throughNetlink } from './netlink/transport.ts'
import { observe } from './observe.ts'
import { proberOf } from './probe.ts'
import { runWithin } from './run.ts'
import { throughIproute2 } from './transport.ts'

/**
 * `patienceMs`: how long a probe waits for an answer. `transport`: how links, addresses and routes are reached (transport.ts);
 * where the C library cannot be called, `netlink` is iproute2 all the same.
 */
export type LinuxOptions = Readonly<{ names: Names; patienceMs?: number; transport?: 'iproute2' | 'netlink' }>
/** `close` waits for what is being deleted, and ends what was started for probes; the kernel can be used again afterwards. */
export type LinuxKernel = Kernel & Readonly<{ close: () => Promise<void> }>

const PROCESSES = 8
/** Pings mostly wait, so more of them may run at once. */
const PINGS = 192
const PATIENCE_MS = 1000

/** Needs root (CAP_NET_ADMIN, CAP_SYS_ADMIN) and the tools; see `linuxReady`. Changes only what operations name. */
export const linuxKernel = (options: LinuxOptions): LinuxKernel => {
  const { names, patienceMs = PATIENCE_MS } = options
  const run = runWithin(PROCESSES)
  const inProcess = options.transport === 'netlink' && E.isRight(loadLibc())
  const departures = makeDepartures()
  const transport = inProcess ? throughNetlink(run, names, departures) : throughIproute2(run, names)
  const eyes = { run, names, transport, departures }
  const agents = agentsOf()
  const probe = proberOf(runWithin(PINGS), agents, names, patienceMs)
  return {
    name: 'linux',
    marksAtOnce: inProcess,
    observe: (scope) => () => observe(eyes, scope),
    apply:
      (ops): TaskEither<ReadonlyArray<Refusal> | KernelError, void> =>
      (): Promise<Either<ReadonlyArray<Refusal> | KernelError, void>> =>
        apply({ ...eyes, vacate: agents.vacate }, ops),
    settled: departures.all,
    probe: (one) => () => probe(one),
    counters: (ns) => () => counters(run, names(ns)),
    close: async () => {
      await departures.all()
      await agents.close()
    },
  }
}
