// The IP layer of a namespace: a packet that came in is checked, translated, routed, and delivered or forwarded; one of
// our own is routed, translated and sent. In the order of the kernel's functions.
// Sources: net/ipv4/{ip_input,route,ip_forward,ip_output,fib_frontend,icmp}.c, net/ipv6/{ip6_input,ip6_output,route}.c.

import { type Ip, ip4, ip6, isIp4, isLoopback, isMulticast, isUnspecified, MAX4 } from '../net/ip.ts'
import { type IfName, LO } from '../net/name.ts'
import type { Flow } from './conntrack.ts'
import { settle, throughHook } from './hooks.ts'
import { isLocal } from './local.ts'
import { sendTo } from './neighbour.ts'
import { type Body, type Packet, packetFamily, packet as packetOf, quotedBy } from './packet.ts'
import { policyOf } from './policy.ts'
import { lookup, sourceFor, type Way, wayTo } from './route.ts'
import { drop, note, type Run } from './run.ts'
import { type Outgoing, receiveLocal } from './socket.ts'
import type { NsEntry } from './state.ts'
import type { DropReason } from './trace.ts'

const nowhere = (like: Ip): Ip => (isIp4(like) ? ip4(0) : ip6(0n))

/** Why a packet of our own cannot leave this way, or null. */
const cannotLeave = ({ dst }: Packet, way: Way): DropReason | null => {
  if (way.tag === 'none') return { tag: 'no-route', to: dst }
  return way.tag === 'broadcast' ? { tag: 'not-unicast', to: dst } : null
}

/** 127.0.0.0/8 may leave the host only by a device that has route_localnet (__mkroute_output); ::1 never. */
const isStuckLoopback = (space: NsEntry, { src }: Packet, dev: IfName): boolean =>
  dev !== LO && isLoopback(src) && !(isIp4(src) && policyOf(space, dev).routeLocalnet)

/** Source NAT, the entry in the conntrack table, then the neighbour. */
const leave = (
  run: Run,
  space: NsEntry,
  iif: IfName | null,
  packet: Packet,
  flow: Flow | null,
  way: Way & { tag: 'local' | 'unicast' },
) => {
  const next = way.tag === 'local' ? packet.dst : way.next
  const passed = throughHook(run, space, { hook: 'postrouting', iif, oif: way.dev, next }, { packet, flow })
  if (passed === null) return
  const settled = settle(run, space, passed)
  sendTo(run, space.ns, way.dev, next, settled.packet, settled.flow)
}

const refuse = (run: Run, space: NsEntry, dev: IfName | null, packet: Packet, reason: DropReason): DropReason => {
  drop(run, space.ns, dev, packet, reason)
  return reason
}

/**
 * Sends a packet of our own; `dev` matters to link-local destinations only. A reason: the kernel could not even begin,
 * and the sending call fails with it.
 */
export const send = (run: Run, space: NsEntry, { src, dst, body }: Outgoing, dev: IfName | null): DropReason | null => {
  const way = wayTo(space, dst, dev)
  const source = src ?? sourceFor(space, way, dst)
  const packet = packetOf(source ?? nowhere(dst), dst, body)
  note(run, space.ns, null, packet, { tag: 'sent' })
  const reason = cannotLeave(packet, way) ?? (source === null ? { tag: 'no-source' as const, to: dst } : null)
  if (reason !== null || way.tag === 'none' || way.tag === 'broadcast')
    return reason === null ? null : refuse(run, space, null, packet, reason)
  note(run, space.ns, way.dev, packet, { tag: 'routed', dev: way.dev, via: way.tag === 'local' ? null : way.via })
  const passed = throughHook(
    run,
    space,
    { hook: 'output', iif: null, oif: way.dev, next: null },
    { packet, flow: null },
  )
  if (passed === null) return null
  if (passed.packet.dst === dst) {
    leave(run, space, null, passed.packet, passed.flow, way)
    return null
  }
  return reroute(run, space, passed.packet, passed.flow)
}

/** Destination NAT of an own packet: it is routed again, and keeps its source (ip_route_me_harder). */
const reroute = (run: Run, space: NsEntry, packet: Packet, flow: Flow | null): DropReason | null => {
  const way = wayTo(space, packet.dst, null)
  if (way.tag === 'none' || way.tag === 'broadcast')
    return refuse(run, space, null, packet, cannotLeave(packet, way) ?? { tag: 'no-route', to: packet.dst })
  if (isStuckLoopback(space, packet, way.dev))
    return refuse(run, space, way.dev, packet, { tag: 'martian-source', ip: packet.src })
  note(run, space.ns, way.dev, packet, { tag: 'routed', dev: way.dev, via: way.tag === 'local' ? null : way.via })
  leave(run, space, null, packet, flow, way)
  return null
}

/** Tells the sender of a packet what became of it; errors are not told about errors (RFC 1122 section 3.2.2). */
const tell = (run: Run, space: NsEntry, dev: IfName, about: Packet, body: Body) => {
  if (quotedBy(about) !== null || isUnspecified(about.src) || isMulticast(about.src)) return
  send(run, space, { src: isLocal(space, about.dst) ? about.dst : null, dst: about.src, body }, dev)
}

const unreachable = (about: Packet, code: 'net' | 'host' | 'port'): Body => ({
  proto: 'icmp',
  type: 'unreachable',
  code,
  about,
})

/** Addresses that cannot come from a wire (ip_route_input_slow, ipv6_rcv). */
const martian = (space: NsEntry, dev: IfName, { src, dst }: Packet): DropReason | null => {
  if (isMulticast(src) || src === MAX4) return { tag: 'martian-source', ip: src }
  const allowed = isIp4(src) && policyOf(space, dev).routeLocalnet
  if (allowed) return null
  if (isLoopback(dst)) return { tag: 'martian-destination', ip: dst }
  return isLoopback(src) ? { tag: 'martian-source', ip: src } : null
}

/** An IPv4 source must not be ours, and with rp_filter must be reached the way it came (fib_validate_source). */
const badSource = (space: NsEntry, dev: IfName, { src }: Packet): DropReason | null => {
  if (!isIp4(src)) return null
  if (isLocal(space, src)) return { tag: 'martian-source', ip: src }
  const { rpFilter } = policyOf(space, dev)
  if (rpFilter === 0) return null
  const back = lookup(space, src)
  const passes = back !== null && (rpFilter !== 1 || back.dev === dev)
  return passes ? null : { tag: 'reverse-path', ip: src }
}

const deliver = (run: Run, space: NsEntry, dev: IfName, packet: Packet, flow: Flow | null) => {
  note(run, space.ns, dev, packet, { tag: 'routed-local' })
  const passed = throughHook(run, space, { hook: 'input', iif: dev, oif: null, next: null }, { packet, flow })
  if (passed === null) return
  settle(run, space, passed)
  const reaction = receiveLocal(run, space, dev, passed.packet)
  if (reaction === null) return
  if (reaction.tag === 'answer') send(run, space, reaction.packet, dev)
  else tell(run, space, dev, passed.packet, unreachable(passed.packet, 'port'))
}

const forward = (
  run: Run,
  space: NsEntry,
  dev: IfName,
  packet: Packet,
  flow: Flow | null,
  way: Way & { tag: 'unicast' },
) => {
  if (packet.ttl <= 1) {
    drop(run, space.ns, dev, packet, { tag: 'ttl-exceeded' })
    return tell(run, space, dev, packet, { proto: 'icmp', type: 'time-exceeded', about: packet })
  }
  note(run, space.ns, dev, packet, { tag: 'routed', dev: way.dev, via: way.via })
  const hopped = { ...packet, ttl: packet.ttl - 1 }
  const place = { hook: 'forward', iif: dev, oif: way.dev, next: way.next } as const
  const passed = throughHook(run, space, place, { packet: hopped, flow })
  if (passed === null) return
  note(run, space.ns, dev, passed.packet, { tag: 'forwarded' })
  leave(run, space, dev, passed.packet, passed.flow, way)
}

/** Routes a packet that is past prerouting. A host that does not forward says nothing of what it cannot deliver. */
const route = (run: Run, space: NsEntry, dev: IfName, packet: Packet, flow: Flow | null) => {
  const { ns } = space
  const family = packetFamily(packet)
  const policy = policyOf(space, dev)
  const forwards = family === 4 ? policy.forwarding4 : policy.forwarding6
  const bad = family === 4 ? martian(space, dev, packet) : null
  if (bad !== null) return drop(run, ns, dev, packet, bad)
  const way = wayTo(space, packet.dst, dev)
  if (way.tag === 'broadcast') return drop(run, ns, dev, packet, { tag: 'not-unicast', to: packet.dst })
  if (way.tag === 'none') {
    drop(run, ns, dev, packet, { tag: 'no-route', to: packet.dst })
    if (forwards || family === 6) tell(run, space, dev, packet, unreachable(packet, 'net'))
    return
  }
  const local = way.tag === 'local'
  const reason = !local && !forwards ? ({ tag: 'not-forwarding', family } as const) : badSource(space, dev, packet)
  if (reason !== null) return drop(run, ns, dev, packet, reason)
  if (local) deliver(run, space, dev, packet, flow)
  else forward(run, space, dev, packet, flow, way)
}

/** A packet that a device has handed up. What comes over loopback was routed when it was sent. */
export const receivePacket = (run: Run, space: NsEntry, dev: IfName, packet: Packet, flow: Flow | null) => {
  if (!isIp4(packet.src)) {
    const reason = policyOf(space, dev).disabled6 ? ({ tag: 'ipv6-disabled' } as const) : null
    const bad = reason ?? (dev === LO ? null : martian(space, dev, packet))
    if (bad !== null) return drop(run, space.ns, dev, packet, bad)
  }
  const passed = throughHook(run, space, { hook: 'prerouting', iif: dev, oif: null, next: null }, { packet, flow })
  if (passed === null) return
  if (dev === LO) deliver(run, space, dev, passed.packet, passed.flow)
  else route(run, space, dev, passed.packet, passed.flow)
}
