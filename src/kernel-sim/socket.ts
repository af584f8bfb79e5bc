// Where a packet's journey ends: the sockets of a namespace, and what the transport layers answer. The probing socket is
// a connected one; a listener answers from the address it was asked at, UDP too, as a server with a socket for each
// address does (one on the wildcard, without IP_PKTINFO, would answer from the address its route prefers).
// Sources: net/ipv4/{tcp_input,tcp_ipv4,udp,icmp,ping}.c and their IPv6 counterparts, RFC 9293 section 3.10.7.

import { type Ip, isIp4 } from '../net/ip.ts'
import type { IfName } from '../net/name.ts'
import { hasIn } from '../net/pmap.ts'
import { type Port, port } from '../net/port.ts'
import { type Body, mirror, type Packet, quotedBy, tupleOf } from './packet.ts'
import { drop, type Heard, note, type Run } from './run.ts'
import type { NsEntry, Tuple } from './state.ts'

/** A packet to be sent; without a source its route chooses one. */
export type Outgoing = Readonly<{ src: Ip | null; dst: Ip; body: Body }>
/** What the receiving socket layer wants sent: an answer, or the ICMP error "port unreachable". */
export type Reaction = Readonly<{ tag: 'answer'; packet: Outgoing } | { tag: 'port-unreachable' }>

export const listenerKey = (proto: 'tcp' | 'udp', at: Port): string => `${proto}/${at}`

const same = (a: Tuple | null, b: Tuple | null): boolean =>
  a !== null &&
  b !== null &&
  a.proto === b.proto &&
  a.src === b.src &&
  a.dst === b.dst &&
  a.sport === b.sport &&
  a.dport === b.dport

/** Whether a packet is for the probing socket: an answer to what it sent. */
const isForProber = (run: Run, space: NsEntry, packet: Packet): boolean => {
  if (run.socket === null || run.socket.ns !== space.ns) return false
  const tuple = tupleOf(packet)
  return tuple !== null && same(tupleOf(run.socket.request), mirror(tuple))
}

const hear = (run: Run, what: Heard): void => {
  run.heard ??= what
}

/** Whether a socket is told of an error other than "port unreachable" while it is still waiting (see probe.ts). */
const isTold = ({ src, body }: Packet): boolean => body.proto === 'icmp' || (body.proto === 'tcp' && isIp4(src))

/** What connect(), send() or ping report of an ICMP error. */
const hearError = (run: Run, space: NsEntry, error: Packet): void => {
  const quoted = quotedBy(error)
  if (quoted === null || run.socket === null || run.socket.ns !== space.ns) return
  if (!same(tupleOf(quoted), tupleOf(run.socket.request))) return
  const { body } = error
  if (body.proto !== 'icmp') return
  const refused = body.type === 'unreachable' && body.code === 'port'
  if (refused) hear(run, 'refused')
  else if (isTold(quoted)) hear(run, 'unreachable')
}

const answer = (packet: Outgoing): Reaction => ({ tag: 'answer', packet })

const onTcp = (
  run: Run,
  space: NsEntry,
  dev: IfName,
  packet: Packet,
  body: Body & { proto: 'tcp' },
): Reaction | null => {
  const reply = (flags: 'SYN-ACK' | 'ACK' | 'RST'): Reaction =>
    answer({ src: packet.dst, dst: packet.src, body: { proto: 'tcp', sport: body.dport, dport: body.sport, flags } })
  const listens = hasIn(space.listeners, listenerKey('tcp', port(body.dport)))
  switch (body.flags) {
    case 'SYN':
      if (listens) return reply('SYN-ACK')
      drop(run, space.ns, dev, packet, { tag: 'no-listener', proto: 'tcp', port: port(body.dport) })
      return reply('RST')
    case 'SYN-ACK':
      if (isForProber(run, space, packet)) return reply('ACK')
      drop(run, space.ns, dev, packet, { tag: 'no-socket' })
      return reply('RST')
    case 'ACK':
      if (listens) {
        hear(run, 'arrived')
        return null
      }
      drop(run, space.ns, dev, packet, { tag: 'no-socket' })
      return reply('RST')
    case 'RST':
      if (isForProber(run, space, packet)) hear(run, 'refused')
      return null
  }
}

const onUdp = (
  run: Run,
  space: NsEntry,
  dev: IfName,
  packet: Packet,
  body: Body & { proto: 'udp' },
): Reaction | null => {
  if (isForProber(run, space, packet)) {
    hear(run, 'arrived')
    return null
  }
  if (hasIn(space.listeners, listenerKey('udp', port(body.dport))))
    return answer({ src: packet.dst, dst: packet.src, body: { proto: 'udp', sport: body.dport, dport: body.sport } })
  drop(run, space.ns, dev, packet, { tag: 'no-listener', proto: 'udp', port: port(body.dport) })
  return { tag: 'port-unreachable' }
}

const onIcmp = (
  run: Run,
  space: NsEntry,
  dev: IfName,
  packet: Packet,
  body: Body & { proto: 'icmp' },
): Reaction | null => {
  switch (body.type) {
    case 'echo-request':
      return answer({ src: packet.dst, dst: packet.src, body: { proto: 'icmp', type: 'echo-reply', id: body.id } })
    case 'echo-reply':
      if (isForProber(run, space, packet)) hear(run, 'arrived')
      else drop(run, space.ns, dev, packet, { tag: 'no-socket' })
      return null
    case 'unreachable':
    case 'time-exceeded':
      hearError(run, space, packet)
      return null
  }
}

/** Hands a packet to the transport layer of its protocol, and says what that sends back. */
export const receiveLocal = (run: Run, space: NsEntry, dev: IfName, packet: Packet): Reaction | null => {
  note(run, space.ns, dev, packet, { tag: 'delivered' })
  const { body } = packet
  switch (body.proto) {
    case 'tcp':
      return onTcp(run, space, dev, packet, body)
    case 'udp':
      return onUdp(run, space, dev, packet, body)
    case 'icmp':
      return onIcmp(run, space, dev, packet, body)
  }
}
