// One attempt to reach an address, from the socket that tries to what that socket is told, within PATIENCE_MS.
//
// What Linux tells it, and when:
//   no route or no source address at the sender      ENETUNREACH, EADDRNOTAVAIL at once   unreachable
//   ICMP net or host unreachable, time exceeded      at once (ping; tcp over IPv4)        unreachable
//   the same for tcp over IPv6                       when the SYN is sent again, after 1 s    timeout
//   the same for a connected UDP socket              never, without IP_RECVERR            timeout
//   RST, or ICMP port unreachable                    ECONNREFUSED at once                 refused
//   the next hop's MAC is not found, at the sender
//   or at a router (which then sends host unreachable)   EHOSTUNREACH after about 3 s      timeout
//   dropped without a word                               ETIMEDOUT after minutes           timeout
//   sent by way of the own loopback device, which is down    never                        timeout
// (tcp_v6_err: on veth the error comes back while connect() holds the socket, so the first one only counts as soft.)
// Sources: connect(2), ip(7), icmp(7), udp(7), net/ipv4/icmp.c (icmp_err_convert), measured on Linux 6.18.

import type { Failure, Probe, Verdict } from '../kernel/kernel.ts'
import type { Ns } from '../net/name.ts'
import { setIn } from '../net/pmap.ts'
import { send } from './deliver.ts'
import { type Body, packet } from './packet.ts'
import { settleNetwork } from './receive.ts'
import { sourceFor, wayTo } from './route.ts'
import { newRun, putSpace, type Run, spaceOf, worldAfter } from './run.ts'
import { listenerKey, type Outgoing } from './socket.ts'
import { type NsEntry, nsWith, type World } from './state.ts'
import type { DropReason, Trace } from './trace.ts'
import { type Names, NO_NAMES, reasonText, whereText } from './words.ts'

/** How long a prober waits. Below the 3 s after which Linux gives up on a neighbour, so that is a timeout too. */
export const PATIENCE_MS = 1000

export type ProbeResult = Readonly<{ world: World; verdict: Verdict; trace: Trace }>

/** net.ipv4.ip_local_port_range. */
const FIRST_PORT = 32768
const LAST_PORT = 60999

const bodyOf = (probe: Probe, own: number): Body => {
  switch (probe.proto) {
    case 'icmp':
      return { proto: 'icmp', type: 'echo-request', id: own }
    case 'tcp':
      return { proto: 'tcp', sport: own, dport: probe.port, flags: 'SYN' }
    case 'udp':
      return { proto: 'udp', sport: own, dport: probe.port }
  }
}

/** Opens the probe's listener; the way to close it again. */
const listen = (run: Run, probe: Probe): (() => void) => {
  if (probe.proto === 'icmp' || probe.listener === null) return () => {}
  const { ns, port } = probe.listener
  const space = spaceOf(run, ns)
  if (space === undefined) return () => {}
  const before = space.listeners
  const entry = { proto: probe.proto, port }
  putSpace(run, nsWith(space, { listeners: setIn(before, listenerKey(probe.proto, port), entry) }))
  return () => {
    const now = spaceOf(run, ns)
    if (now !== undefined) putSpace(run, nsWith(now, { listeners: before }))
  }
}

/** How the sending call fails when the kernel cannot even begin; a packet lost later than that is not reported. */
const localFailure = (reason: DropReason, probe: Probe): Failure =>
  reason.tag === 'martian-source' && probe.proto === 'tcp' ? 'timeout' : 'unreachable'

const verdictOf = (run: Run, local: Failure | null, names: Names): Verdict => {
  if (run.heard === 'arrived') return { tag: 'arrived' }
  const how = run.heard ?? local ?? 'timeout'
  const { death } = run
  return death === null
    ? { tag: 'died', how, where: null, why: null }
    : { tag: 'died', how, where: whereText(death, names), why: reasonText(death.event.reason, death.ns, names) }
}

const noSuchNamespace = (world: World, ns: Ns): ProbeResult => ({
  world,
  verdict: { tag: 'died', how: 'unreachable', where: ns, why: 'there is no such namespace' },
  trace: [],
})

const after = (port: number): number => (port >= LAST_PORT ? FIRST_PORT : port + 1)

/** Never the port that is asked for: a socket that calls its own address there would answer itself. */
const ownPort = (space: NsEntry, probe: Probe): number =>
  probe.proto !== 'icmp' && probe.port === space.nextPort ? after(space.nextPort) : space.nextPort

const attempt = (run: Run, space: NsEntry, probe: Probe): Failure | null => {
  const own = ownPort(space, probe)
  const body = bodyOf(probe, own)
  putSpace(run, nsWith(space, { nextPort: after(own) }))
  const close = listen(run, probe)
  const src = sourceFor(space, wayTo(space, probe.to, null), probe.to)
  const outgoing: Outgoing = { src, dst: probe.to, body }
  if (src !== null) run.socket = { ns: probe.ns, request: packet(src, probe.to, body) }
  const reason = send(run, spaceOf(run, probe.ns) ?? space, outgoing, null)
  settleNetwork(run)
  close()
  return reason === null ? null : localFailure(reason, probe)
}

/**
 * Tries to reach an address. The world that comes back has learned from it: neighbours, MACs, conversations. `trace`
 * (default true) false leaves the trace empty, which is faster; the verdict says where and why all the same, in `names`.
 */
export const runProbe = (
  world: World,
  probe: Probe,
  options: Readonly<{ trace?: boolean; names?: Names }> = {},
): ProbeResult => {
  const run = newRun(world, options.trace ?? true)
  const space = spaceOf(run, probe.ns)
  if (space === undefined) return noSuchNamespace(world, probe.ns)
  const local = attempt(run, space, probe)
  return { world: worldAfter(run), verdict: verdictOf(run, local, options.names ?? NO_NAMES), trace: run.steps ?? [] }
}
