// The Kernel port on the running Linux kernel.

import type { Kernel, KernelError, Refusal } from '../kernel/kernel.ts'
import type { Ns } from '../net/name.ts'
import { E, type Either, type TaskEither } from '../prelude.ts'
import { agentsOf } from './agents.ts'
import { apply } from './apply.ts'
import { counters } from './counters.ts'
import { makeDepartures } from './departures.ts'
import { earsInProcess } from './facts/in-process.ts'
import { earsByTools } from './facts/tools.ts'
import { facts } from './facts.ts'
import { flowsInProcess, flowsThroughTool, withFlows } from './flows.ts'
import { type Names, netnsPath } from './names.ts'
import { makeNeighbours } from './neighbours.ts'
import { loadLibc } from './netlink/libc.ts'
import { throughNetlink } from './netlink/transport.ts'
import { throughConsole } from './nft/console.ts'
import { throughLibnftables } from './nft/in-process.ts'
import { throughNft } from './nft/tool.ts'
import { observe } from './observe.ts'
import type { Paths } from './place.ts'
import { proberOf } from './probe.ts'
import { runWithin } from './run.ts'
import { throughProc } from './sysctl/in-process.ts'
import { throughSysctl } from './sysctl/tool.ts'
import { throughIproute2 } from './transport.ts'

/**
 * `patienceMs`: how long a probe waits for an answer. `transport`: whether the kernel is reached by system calls of this process
 * (`netlink`) or by the tools (`iproute2`); what cannot be called is reached by its tool all the same.
 */
export type LinuxOptions = Readonly<{ names: Names; patienceMs?: number; transport?: 'iproute2' | 'netlink' }>
/** `close` waits for what is being deleted, and ends what was started for probes; the kernel can be used again afterwards. */
export type LinuxKernel = Kernel & Readonly<{ close: () => Promise<void> }>

const pathsOf =
  (names: Names): Paths =>
  (ns) => {
    const real = names(ns)
    return real === null ? null : netnsPath(real)
  }

const orElse = <A>(inProcess: Either<unknown, A> | null, otherwise: () => A): A =>
  inProcess !== null && E.isRight(inProcess) ? inProcess.right : otherwise()

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
  const transport = inProcess ? throughNetlink(names, departures) : throughIproute2(run, names)
  const paths = pathsOf(names)
  const flows = orElse(flowsInProcess(paths), () => flowsThroughTool(run, names))
  const byRules =
    options.transport === 'netlink'
      ? orElse(throughLibnftables(paths), () => throughConsole(run, names, paths))
      : throughNft(run, names)
  const firewall = withFlows(byRules, flows)
  const sysctls = orElse(inProcess ? throughProc(paths) : null, () => throughSysctl(run, names))
  const ears = orElse(inProcess ? earsInProcess(paths) : null, () => earsByTools(run, names))
  const eyes = { names, transport, firewall, sysctls, departures, neighbours: makeNeighbours() }
  const agents = agentsOf()
  const vacate = async (ns: Ns): Promise<void> => {
    await Promise.all([agents.vacate(names(ns)), firewall.vacate(ns)])
  }
  const probe = proberOf(runWithin(PINGS), agents, names, patienceMs)
  return {
    name: 'linux',
    marksAtOnce: inProcess,
    observe: (scope) => () => observe(eyes, scope),
    apply:
      (ops): TaskEither<ReadonlyArray<Refusal> | KernelError, void> =>
      (): Promise<Either<ReadonlyArray<Refusal> | KernelError, void>> =>
        apply({ ...eyes, vacate }, ops),
    facts: (question) => () => facts(ears, sysctls, question),
    settled: departures.all,
    probe: (one) => () => probe(one),
    counters: (ns) => () => counters(run, names(ns)),
    close: async () => {
      await departures.all()
      await Promise.all([agents.close(), firewall.close()])
    },
  }
}
