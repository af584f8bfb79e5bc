// A packet that goes on: its hops are counted, its length is looked at, its sender told of a better way, and it passes `forward`.
// Sources: net/ipv4/ip_forward.c, net/ipv6/ip6_output.c (ip6_forward).

import { isLinkLocal } from '../../../net/ip.ts'
import { hasIn, sizeOfMap } from '../../../net/pmap.ts'
import type { Packet4 } from '../../wire/ip4.ts'
import type { Packet6 } from '../../wire/ip6.ts'
import { lengthOfPacket } from '../../wire/wire.ts'
import type { Device, IcmpError, Space } from '../plane.ts'
import { type Held, lengthAsOne, type Meta } from '../skb.ts'
import { type DropReason, drop, note } from '../step.ts'
import { sendError } from './errors.ts'
import type { Way } from './fib.ts'
import { deliverHere } from './local.ts'
import { keyOf } from './neighbour.ts'
import { policyOf } from './policy.ts'
import { redirect4, redirect6 } from './redirect.ts'
import { leave } from './send.ts'

const refuse = (space: Space, dev: Device, held: Held, reason: DropReason, error: IcmpError | null) => {
  drop(space, dev, 'ip', held.packet, reason)
  if (error !== null) sendError(space, dev, held, error, true)
}

// Literals: V8 is many times slower at copying by `...`.
const hopped4 = (packet: Packet4): Packet4 => ({
  tag: 'ip4',
  src: packet.src,
  dst: packet.dst,
  ttl: packet.ttl - 1,
  tos: packet.tos,
  id: packet.id,
  df: packet.df,
  mf: packet.mf,
  offset: packet.offset,
  routerAlert: packet.routerAlert,
  body: packet.body,
})

const hopped6 = (packet: Packet6): Packet6 => ({
  tag: 'ip6',
  src: packet.src,
  dst: packet.dst,
  ttl: packet.ttl - 1,
  tos: packet.tos,
  flow: packet.flow,
  routerAlert: packet.routerAlert,
  fragment: packet.fragment,
  body: packet.body,
})

/** The `forward` hook and all behind it. */
const goOn = (space: Space, dev: Device, way: Way, given: Held) => {
  const { entry, plane } = space
  let held: Held | null = given
  if (entry.firewall !== null) {
    const family = given.packet.tag === 'ip4' ? 'ip' : 'ip6'
    const next = way.via ?? given.packet.dst
    held = plane.parts.pass(space, { family, hook: 'forward', iif: dev, oif: way.dev, next }, given)
    if (held === null) return
  }
  if (plane.watch !== null) note(space, dev, 'ip', held.packet, { tag: 'forwarded' })
  leave(space, dev, way, held, way.mtu)
}

const noteRoute = (space: Space, dev: Device, way: Way, held: Held) => {
  if (space.plane.watch !== null)
    note(space, dev, 'ip', held.packet, { tag: 'routed', dev: way.dev.name, via: way.via, table: way.table ?? 0 })
}

/** Whether it does not fit, and may not be cut; what was put together of pieces was cut before. */
const isTooBig4 = ({ df }: Packet4, { fragment }: Meta, length: number, mtu: number): boolean =>
  df && length > mtu && (fragment === undefined || fragment > mtu)

const isLoop = ({ dev }: Way): boolean => dev.link.spec.type === 'loopback'

export const forward4 = (space: Space, dev: Device, way: Way, packet: Packet4, meta: Meta) => {
  const held = { packet, meta }
  if (packet.ttl <= 1)
    return refuse(space, dev, held, { tag: 'ttl-exceeded' }, { tag: 'time-exceeded', code: 'transit' })
  noteRoute(space, dev, way, held)
  const { mtu } = way
  const length = lengthAsOne(meta, lengthOfPacket(packet))
  if (isTooBig4(packet, meta, length, mtu))
    return refuse(space, dev, held, { tag: 'too-big', mtu, length }, { tag: 'too-big', mtu })
  const next = hopped4(packet)
  if (way.redirect) redirect4(space, next, way.via)
  goOn(space, dev, way, { packet: next, meta: isLoop(way) ? { ...meta, onward: true } : meta })
}

/** What a proxy does with packets for whom it answers: discovery is its own, link-local ones go no further. */
const isForProxy = (space: Space, dev: Device, { dst, body }: Packet6): 'deliver' | 'drop' | null => {
  const { proxies } = space.entry
  if (sizeOfMap(proxies) === 0 || !policyOf(dev).proxyNdp || !hasIn(proxies, keyOf(dev, dst))) return null
  if (body.proto === 'icmp6' && (body.type === 'neighbour-solicitation' || body.type === 'neighbour-advertisement'))
    return 'deliver'
  return isLinkLocal(dst) ? 'drop' : null
}

const LEAST_MTU6 = 1280

export const forward6 = (space: Space, dev: Device, way: Way, packet: Packet6, meta: Meta) => {
  const held = { packet, meta }
  if (packet.ttl <= 1)
    return refuse(space, dev, held, { tag: 'ttl-exceeded' }, { tag: 'time-exceeded', code: 'transit' })
  const proxied = isForProxy(space, dev, packet)
  if (proxied === 'deliver') return deliverHere(space, dev, held)
  if (proxied === 'drop') return refuse(space, dev, held, { tag: 'no-route', to: packet.dst }, null)
  noteRoute(space, dev, way, held)
  if (way.redirect) redirect6(space, dev, packet, way.via)
  if (way.stays) {
    const reason = { tag: 'martian-source', ip: packet.src } as const
    return refuse(space, dev, held, reason, { tag: 'unreachable', code: 'beyond-scope' })
  }
  const mtu = Math.max(way.mtu, LEAST_MTU6)
  const length = lengthAsOne(meta, lengthOfPacket(packet))
  if (length > mtu && (meta.fragment === undefined || meta.fragment > mtu))
    return refuse(space, dev, held, { tag: 'too-big', mtu, length }, { tag: 'too-big', mtu })
  goOn(space, dev, way, { packet: hopped6(packet), meta })
}
