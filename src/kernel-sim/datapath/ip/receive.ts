// A packet that a device has handed up: whether it can come from there at all, past `prerouting`, and whether it is for the host,
// for somebody else, or for nobody.
// Sources: net/ipv4/ip_input.c (ip_rcv), net/ipv4/route.c (ip_error), net/ipv6/ip6_input.c (ip6_rcv_core),
// net/ipv6/route.c (ip6_pkt_drop).

import { type Ip6, isLoopback, isMulticast } from '../../../net/ip.ts'
import { isGroup } from '../../../net/mac.ts'
import { runs4, runs6 } from '../../control/inet.ts'
import type { Packet6 } from '../../wire/ip6.ts'
import type { Packet } from '../../wire/nested.ts'
import type { Device, IcmpError } from '../plane.ts'
import type { Held, Skb } from '../skb.ts'
import { type DropReason, drop } from '../step.ts'
import { sendError } from './errors.ts'
import { type Incoming, type Verdict, verdictOn } from './fib.ts'
import { forward4, forward6 } from './forward.ts'
import { deliverHere } from './local.ts'
import { policyOf } from './policy.ts'

const lose = (dev: Device, packet: Packet, reason: DropReason): void => drop(dev.space, dev, 'ip', packet, reason)

/** What routes and rules that lead nowhere let a router say. */
const errorFor = (errno: (Verdict & { tag: 'refuse' })['errno'], isIp6: boolean): IcmpError | null => {
  switch (errno) {
    case null:
    case 'EINVAL':
      return null
    case 'EACCES':
      return { tag: 'unreachable', code: 'prohibited' }
    case 'EHOSTUNREACH':
      return { tag: 'unreachable', code: isIp6 ? 'net' : 'host' }
    case 'ENETUNREACH':
    case 'EAGAIN':
      return { tag: 'unreachable', code: 'net' }
  }
}

/** An ICMP error goes the way of what it is about, where there are several. */
const incomingOf = ({ packet, meta }: Held): Incoming => {
  const { body, dst, src, tos } = packet
  const own = { dst, src, tos, mark: meta.mark }
  const hashed = 'about' in body ? { src: body.about.src, dst: body.about.dst } : own
  return Object.assign(own, { hashed })
}

const route = (dev: Device, held: Held, isForMany: boolean) => {
  const { space } = dev
  const { packet, meta } = held
  const verdict = verdictOn(space, dev, incomingOf(held))
  switch (verdict.tag) {
    case 'deliver':
      return deliverHere(space, dev, held)
    case 'refuse': {
      lose(dev, packet, verdict.reason)
      const error = isForMany ? null : errorFor(verdict.errno, packet.tag === 'ip6')
      if (error !== null) sendError(space, dev, held, error)
      return
    }
    case 'forward':
      if (isForMany) return lose(dev, packet, { tag: 'not-unicast', to: packet.dst })
      if (packet.tag === 'ip4') return forward4(space, dev, verdict.way, packet, meta)
      return forward6(space, dev, verdict.way, packet, meta)
  }
}

const scopeOf = (group: Ip6): number => Number((group >> 112n) & 0xfn)

/** Addresses that cannot come from this device (ip6_rcv_core). */
const bad6 = (dev: Device, { src, dst }: Packet6): DropReason | null => {
  const { link } = dev
  if (!runs6(link) || policyOf(dev).disabled6) return { tag: 'ipv6-disabled' }
  if (isMulticast(src)) return { tag: 'martian-source', ip: src }
  const isNoGroup = isMulticast(dst) && scopeOf(dst) === 0
  if (link.spec.type === 'loopback') return isNoGroup ? { tag: 'martian-destination', ip: dst } : null
  if (isLoopback(src)) return { tag: 'martian-source', ip: src }
  if (isNoGroup || isLoopback(dst) || (isMulticast(dst) && scopeOf(dst) === 1))
    return { tag: 'martian-destination', ip: dst }
  return null
}

const bad = (dev: Device, packet: Packet): DropReason | null => {
  if (packet.tag === 'ip6') return bad6(dev, packet)
  return runs4(dev.link) ? null : { tag: 'martian-destination', ip: packet.dst }
}

/** What comes over loopback was routed when it was sent. */
export const receiveIp = (dev: Device, { frame, meta }: Skb) => {
  const { space } = dev
  const { payload: packet } = frame
  if (packet.tag !== 'ip4' && packet.tag !== 'ip6') return
  const reason = bad(dev, packet)
  if (reason !== null) return lose(dev, packet, reason)
  let held: Held = { packet, meta }
  if (space.entry.firewall !== null) {
    const family = packet.tag === 'ip4' ? 'ip' : 'ip6'
    const at = { family, hook: 'prerouting', iif: dev, oif: null, next: null } as const
    const passed = space.plane.parts.pass(space, at, held)
    if (passed === null) return
    held = passed
  }
  if (dev.link.spec.type === 'loopback') deliverHere(space, dev, held)
  else route(dev, held, isGroup(frame.dst))
}
