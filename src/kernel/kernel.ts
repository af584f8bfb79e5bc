// The port that both kernels implement: look, change, try a packet, count. Neither kernel knows why it is asked.

import type { HostFacts, HostQuestion } from '../net/host-facts.ts'
import type { Ip } from '../net/ip.ts'
import type { IfName, Ns } from '../net/name.ts'
import type { Port } from '../net/port.ts'
import type { TaskEither } from '../prelude.ts'
import type { Errno } from './errno.ts'
import type { KernelOp } from './op.ts'
import type { KernelState } from './state.ts'
import type { SysctlName } from './sysctl.ts'

/**
 * What to look at. Namespaces that do not exist are simply not in the answer. Sysctls are too many to list unasked. `firewalls`: the
 * namespaces whose firewall is of interest; absent: all.
 */
export type Scope = Readonly<{
  namespaces: ReadonlyArray<Ns>
  firewalls?: ReadonlyArray<Ns>
  sysctls: ReadonlyArray<Readonly<{ ns: Ns; name: SysctlName }>>
}>

/** An operation the kernel refused: its place in the list, its errno, the kernel's own words if it gave any. */
export type Refusal = Readonly<{ at: number; op: KernelOp; errno: Errno; detail: string | null }>

/** The kernel itself could not be asked. */
export type KernelError = Readonly<{ tag: 'KernelUnavailable'; what: string; hint: string | null }>

/**
 * One attempt to reach an address from inside a namespace: an echo request, a TCP handshake, or a UDP datagram that a
 * listener returns. `listener` is where something is made to listen for the time of the probe (null: nothing is).
 */
export type Probe = Readonly<
  | { proto: 'icmp'; ns: Ns; to: Ip }
  | { proto: 'tcp' | 'udp'; ns: Ns; to: Ip; port: Port; listener: Readonly<{ ns: Ns; port: Port }> | null }
>

/** How a probe that got no answer ended, as its sender sees it. */
export type Failure = 'refused' | 'unreachable' | 'timeout'

/** `where` and `why` are known to the simulated kernel only; Linux leaves them null. */
export type Verdict = Readonly<
  { tag: 'arrived' } | { tag: 'died'; how: Failure; where: string | null; why: string | null }
>

/**
 * What passed a device in one direction since it was made. `bytes` is the length of the frames as the device counts it: bridges
 * leave the Ethernet header out of what they receive, loopback always does. Above 2^53 it is rounded.
 */
export type Traffic = Readonly<{ packets: number; bytes: number; errors: number; dropped: number }>
export type Counters = Readonly<{ dev: IfName; rx: Traffic; tx: Traffic }>

export interface Kernel {
  readonly name: 'sim' | 'linux'
  /** A link that is given an alias bears our mark from its first moment on, not only when it has the alias (owned.ts). */
  readonly marksAtOnce: boolean
  /** What is there, without what the kernel adds by itself (see `normalise.ts`). */
  readonly observe: (scope: Scope) => TaskEither<KernelError, KernelState>
  /** What the host is like beside what we hold on it. */
  readonly facts: (question: HostQuestion) => TaskEither<KernelError, HostFacts>
  /**
   * Applies all operations in order. A refused one does not stop the rest, but for those on what it could not make (see
   * `hold-back.ts`), which are refused with it. Left: the refused ones, never empty.
   */
  readonly apply: (ops: ReadonlyArray<KernelOp>) => TaskEither<ReadonlyArray<Refusal> | KernelError, void>
  /** What was applied, but still goes on behind (deletions take their time), is over. */
  readonly settled: () => Promise<void>
  readonly probe: (probe: Probe) => TaskEither<KernelError, Verdict>
  /** Of all devices of a namespace, in order of their names; none if there is no such namespace. */
  readonly counters: (ns: Ns) => TaskEither<KernelError, ReadonlyArray<Counters>>
}
