// One attempt to reach an address, from the socket that tries to what that socket is told, within PATIENCE_MS.
//
// What Linux tells it, and when, follows from the sockets and from virtual time:
//   no route or no source address at the sender      ENETUNREACH, EADDRNOTAVAIL at once   unreachable
//   ICMP net or host unreachable, time exceeded      at once (ping; tcp over IPv4)        unreachable
//   the same for tcp over IPv6                       when the SYN is sent again, after 1 s    timeout
//   the same for a connected UDP socket              never, without IP_RECVERR            timeout
//   RST, or ICMP port unreachable                    ECONNREFUSED at once                 refused
//   the next hop's MAC is not found                  EHOSTUNREACH after about 3 s         timeout
//   dropped without a word                           ETIMEDOUT after minutes              timeout
// Whoever waits for what cannot come any more does not make the clock move. Why a packet died may be known only after the prober
// has given up: the network goes on without it until then.
// Sources: connect(2), ip(7), icmp(7), udp(7), measured on Linux 6.18.

import type { Failure, Probe, Verdict } from '../../kernel/kernel.ts'
import type { Ip } from '../../net/ip.ts'
import type { World } from '../state.ts'
import { receive } from './device.ts'
import { run } from './loop.ts'
import { type Host, type Parts, type Plane, type Space, spaceOf } from './plane.ts'
import { connectUdp, openEcho, openUdp, sendEcho, sendUdp } from './socket/datagram.ts'
import { DEFAULTS, type SocketErrno } from './socket/entry.ts'
import { removeSocket } from './socket/table.ts'
import { abandonTcp, connectTcp, listenTcp } from './socket/tcp.ts'
import { stopListening } from './socket/tcp-listener.ts'
import type { Death, Step } from './step.ts'
import { type Names, NO_NAMES, reasonText, whereText } from './words.ts'
import { onWorld } from './world.ts'

/** How long a prober waits. Below the 3 s after which Linux gives up on a neighbour, so that is a timeout too. */
export const PATIENCE_MS = 1000
/** How long after that the network is asked why. */
const EXPLANATION_MS = 4000

export type ProbeResult = Readonly<{ world: World; verdict: Verdict; trace: ReadonlyArray<Step> }>

const PING = Uint8Array.from({ length: 56 }, (_, i) => i)
const DATAGRAM = new TextEncoder().encode('cnm?\n')

/** What the prober has been told, null while it waits; and how it ends. */
type Attempt = Readonly<{ told: () => 'arrived' | SocketErrno | null; end: () => void }>

const nothing = () => {}
const failed = (errno: SocketErrno): Attempt => ({ told: () => errno, end: nothing })

/** Opens the probe's listener; the way to close it again. A port that is taken already is left to whoever has it. */
const listen = (plane: Plane, host: Host, probe: Probe): (() => void) => {
  if (probe.proto === 'icmp' || probe.listener === null) return nothing
  const space = spaceOf(plane, host, probe.listener.ns)
  if (space === null) return nothing
  const binding = { family: null, ip: null, port: probe.listener.port, options: DEFAULTS }
  if (probe.proto === 'udp') {
    const socket = openUdp(space, binding, { tag: 'echo' })
    return typeof socket === 'string' ? nothing : () => removeSocket(space, socket)
  }
  const socket = listenTcp(space, binding, null)
  return typeof socket === 'string' ? nothing : () => stopListening(space, socket, 'silently')
}

const ping = (space: Space, to: Ip): Attempt => {
  const socket = openEcho(space, to, null, DEFAULTS, PING)
  if (typeof socket === 'string') return failed(socket)
  const errno = sendEcho(space, socket, to, 1, PING)
  return {
    told: () => errno ?? (socket.inbox.length > 0 ? 'arrived' : socket.error),
    end: () => removeSocket(space, socket),
  }
}

const udp = (space: Space, to: Ip, port: number): Attempt => {
  const end = { ip: to, port }
  const socket = connectUdp(space, end, null, DEFAULTS, DATAGRAM)
  if (typeof socket === 'string') return failed(socket)
  const errno = sendUdp(space, socket, end, DATAGRAM)
  return {
    told: () => errno ?? (socket.inbox.length > 0 ? 'arrived' : socket.error),
    end: () => removeSocket(space, socket),
  }
}

const tcp = (space: Space, to: Ip, port: number): Attempt => {
  const socket = connectTcp(space, { ip: to, port }, null, DEFAULTS)
  if (typeof socket === 'string') return failed(socket)
  return {
    told: () => (socket.state === 'established' ? 'arrived' : socket.error),
    end: () => abandonTcp(space, socket),
  }
}

const begin = (space: Space, probe: Probe): Attempt => {
  switch (probe.proto) {
    case 'icmp':
      return ping(space, probe.to)
    case 'udp':
      return udp(space, probe.to, probe.port)
    case 'tcp':
      return tcp(space, probe.to, probe.port)
  }
}

/** Goes on until something is the case, or there is nothing more to come before `untilMs`, and no further. */
const goOn = (plane: Plane, untilMs: number, isOver: () => boolean) =>
  run(plane, receive, Number.POSITIVE_INFINITY, () => isOver() || (plane.pending[0]?.atMs ?? untilMs) >= untilMs)

const failureOf = (probe: Probe, errno: SocketErrno | null): Failure => {
  if (errno === null || errno === 'ETIMEDOUT') return 'timeout'
  const isRefusal = errno === 'ECONNREFUSED' || errno === 'ECONNRESET'
  return isRefusal && probe.proto !== 'icmp' ? 'refused' : 'unreachable'
}

const died = (how: Failure, death: Death | null, names: Names): Verdict =>
  death === null
    ? { tag: 'died', how, where: null, why: null }
    : { tag: 'died', how, where: whereText(death, names), why: reasonText(death.event.reason, death.ns, names) }

/** Tries over an open plane, which has learned from it. */
export const probeOver = (plane: Plane, host: Host, probe: Probe, names: Names = NO_NAMES): Verdict => {
  const space = spaceOf(plane, host, probe.ns)
  if (space === null) return { tag: 'died', how: 'unreachable', where: probe.ns, why: 'there is no such namespace' }
  plane.death = null
  const beganMs = plane.nowMs
  const close = listen(plane, host, probe)
  const attempt = begin(space, probe)
  goOn(plane, beganMs + PATIENCE_MS, () => attempt.told() !== null)
  const told = attempt.told()
  attempt.end()
  close()
  if (told === 'arrived') return { tag: 'arrived' }
  if (plane.death === null) goOn(plane, plane.nowMs + EXPLANATION_MS, () => plane.death !== null)
  return died(failureOf(probe, told), plane.death, names)
}

/**
 * Tries to reach an address. The world that comes back has learned from it: neighbours, MACs, conversations. `trace`
 * (default true) false leaves the trace empty, which is faster; the verdict says where and why all the same, in `names`.
 */
export const runProbe = (
  parts: Parts,
  world: World,
  probe: Probe,
  { trace: isTraced = true, names = NO_NAMES }: Readonly<{ trace?: boolean; names?: Names }> = {},
): ProbeResult => {
  const trace: Step[] = []
  const { world: after, result: verdict } = onWorld(parts, world, (plane, host) => {
    if (isTraced) plane.watch = (step) => trace.push(step)
    return probeOver(plane, host, probe, names)
  })
  return { world: after, verdict, trace }
}

/** One after the other over one plane, which costs much less than as many calls of `runProbe`. */
export const runProbes = (
  parts: Parts,
  world: World,
  probes: ReadonlyArray<Probe>,
  names: Names = NO_NAMES,
): Readonly<{ world: World; verdicts: ReadonlyArray<Verdict> }> => {
  const { world: after, result: verdicts } = onWorld(parts, world, (plane, host) =>
    probes.map((probe) => probeOver(plane, host, probe, names)),
  )
  return { world: after, verdicts }
}
