// A packet that a device has handed up: whether it can come from there at all, past `prerouting`, and whether it is for the host,
// for somebody else, or for nobody.
// Sources: net/ipv4/ip_input.c (ip_rcv), net/ipv4/route.c (ip_error), net/ipv6/ip6_input.c (ip6_rcv_core),
// net/ipv6/route.c (ip6_pkt_drop).

import { isIp4, isMulticast } from '../../../net/ip.ts'
import { isGroup } from '../../../net/mac.ts'
import { runs4, runs6 } from '../../control/inet.ts'
import type { Packet } from '../../wire/nested.ts'
import { type Device, deviceOf, type IcmpError } from '../plane.ts'
import type { Held, Hop, Skb } from '../skb.ts'
import { type DropReason, drop } from '../step.ts'
import { sendError } from './errors.ts'
import { type Verdict, wayOf } from './fib.ts'
import { type Incoming, martian6, verdictOn } from './fib-input.ts'
import { forward4, forward6 } from './forward.ts'
import { inGroup4 } from './groups.ts'
import { deliverHere } from './local.ts'
import { mayHearOfRoute4 } from './peer.ts'
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
const incomingOf = ({ packet: { body, dst, src, tos }, meta }: Held): Incoming => ({
  dst,
  src,
  tos,
  mark: meta.mark,
  hashed: 'about' in body ? { src: body.about.src, dst: body.about.dst } : null,
})

const route = (dev: Device, held: Held) => {
  const { space } = dev
  const { packet, meta } = held
  const verdict = verdictOn(space, dev, incomingOf(held))
  switch (verdict.tag) {
    case 'deliver':
      return deliverHere(space, dev, held)
    case 'refuse': {
      lose(dev, packet, verdict.reason)
      const error = errorFor(verdict.errno, packet.tag === 'ip6')
      if (error !== null && (packet.tag === 'ip6' || mayHearOfRoute4(space, packet.src)))
        sendError(space, dev, held, error, true)
      return
    }
    case 'forward':
      if (meta.forMany === true) return lose(dev, packet, { tag: 'not-unicast', to: packet.dst })
      if (space.plane.parts.isExpected(space, dev, packet)) return lose(dev, packet, { tag: 'own-socket' })
      if (packet.tag === 'ip4') return forward4(space, dev, verdict.way, packet, meta)
      return forward6(space, dev, verdict.way, packet, meta)
  }
}

/** Whether the family is on the device at all, and for IPv6 whether such addresses can come from it. */
const bad = (dev: Device, packet: Packet): DropReason | null => {
  if (packet.tag === 'ip4') return runs4(dev.link) ? null : { tag: 'martian-destination', ip: packet.dst }
  if (!runs6(dev.link) || policyOf(dev).disabled6) return { tag: 'ipv6-disabled' }
  // Without hooks between, the route will say so, and remembers it.
  const isAskedLater = dev.space.entry.firewall === null && dev.link.spec.type !== 'loopback'
  return isAskedLater ? null : martian6(dev, packet.src, packet.dst)
}

/** Discovery has ways of its own, by which it comes in (icmp6_dst_alloc). */
const isDiscovery = ({ body }: Packet): boolean =>
  body.proto === 'icmp6' && (body.type === 'neighbour-solicitation' || body.type === 'neighbour-advertisement')

/**
 * What a tunnel answers to what we have sent by it, and a bridge brings back, has still the way of that, so none is looked for
 * (skb_valid_dst). By that of IPv4 nothing comes in (dst_discard), by that of IPv6 a router sends it out again.
 */
const goOutAgain = (dev: Device, hop: Hop, held: Held) => {
  const { space } = dev
  const { packet, meta } = held
  if (isDiscovery(packet)) return deliverHere(space, dev, held)
  const out = deviceOf(space, hop.dev.name)
  if (packet.tag === 'ip4' || out === null || !policyOf(dev).forwarding6)
    return lose(dev, packet, { tag: 'not-forwarding', family: packet.tag === 'ip4' ? 4 : 6 })
  const isOnLink = 'about' in packet.body && packet.body.about.dst === hop.ip
  forward6(space, dev, wayOf('unicast', out, null, null, isOnLink ? {} : { via: hop.ip }), packet, meta)
}

/**
 * What comes over loopback was routed when it was sent: it is for us, or for a group that loopback is not in, or goes round and round
 * until its hops are counted.
 */
const comeBack = (lo: Device, held: Held) => {
  const { packet, meta } = held
  if (isIp4(packet.dst) && isMulticast(packet.dst) && !inGroup4(lo, packet.dst))
    return lose(lo, packet, { tag: 'not-unicast', to: packet.dst })
  if (meta.onward !== true || packet.tag !== 'ip4') return deliverHere(lo.space, lo, held)
  forward4(lo.space, lo, wayOf('unicast', lo, null, null), packet, meta)
}

export const receiveIp = (dev: Device, { frame, meta, dst }: Skb) => {
  const { space } = dev
  const { payload: packet } = frame
  if (packet.tag !== 'ip4' && packet.tag !== 'ip6') return
  const reason = bad(dev, packet)
  if (reason !== null) return lose(dev, packet, reason)
  let held: Held = { packet, meta: isGroup(frame.dst) ? { ...meta, forMany: true } : meta }
  if (space.entry.firewall !== null) {
    const family = packet.tag === 'ip4' ? 'ip' : 'ip6'
    const at = { family, hook: 'prerouting', iif: dev, oif: null, next: null, frame } as const
    const passed = space.plane.parts.pass(space, at, held)
    if (passed === null) return
    held = passed
  }
  if (dst !== undefined) return goOutAgain(dev, dst, held)
  if (dev.link.spec.type === 'loopback') comeBack(dev, held)
  else route(dev, held)
}
