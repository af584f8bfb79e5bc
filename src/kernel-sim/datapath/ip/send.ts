// Packets of our own, and the last steps of every packet: routed, past `output`, routed again if that changed where it goes, past
// `postrouting`, cut to the MTU, and on to the neighbour. What the sending call says is Linux's.
// Sources: net/ipv4/ip_output.c, net/ipv4/netfilter.c (ip_route_me_harder), net/ipv4/udp.c (udp_sendmsg), net/ipv6/ip6_output.c,
// net/ipv6/netfilter.c.

import { familyOf, type Ip, ip4, ip6, isIp4, isLinkLocal, isUnspecified } from '../../../net/ip.ts'
import type { IfName } from '../../../net/name.ts'
import { E } from '../../../prelude.ts'
import { fragment } from '../../wire/fragment.ts'
import type { Packet4 } from '../../wire/ip4.ts'
import type { Packet6 } from '../../wire/ip6.ts'
import type { Packet } from '../../wire/nested.ts'
import { lengthOfPacket } from '../../wire/wire.ts'
import { receive } from '../device.ts'
import { giveWay } from '../loop.ts'
import { type Device, deviceOf, type HookAt, type SendErrno, type Space } from '../plane.ts'
import type { Held, Meta, Sending } from '../skb.ts'
import { type DropReason, drop, note } from '../step.ts'
import { isDeadEnd6, isWay, meantBy, routingOf, type Wanted, type Way, wayOut } from './fib.ts'
import { deliverHere } from './local.ts'
import { neighbourOf, sendTo } from './neighbour.ts'
import { pathMtu } from './path-mtu.ts'

const DEFAULT_TTL = 64
const MAX_LENGTH = 65535

const nextId = (space: Space): number => {
  const memory = routingOf(space)
  const id = memory.nextId
  memory.nextId = id >= 0xffff ? 1 : id + 1
  return id
}

const hookAt = (hook: HookAt['hook'], { tag, dst }: Packet, iif: Device | null, way: Way): HookAt => ({
  family: tag === 'ip4' ? 'ip' : 'ip6',
  hook,
  iif,
  oif: way.dev,
  next: way.via ?? dst,
})

const toNeighbour = (iif: Device | null, way: Way, held: Held): boolean => {
  if (way.neighbour === null) way.neighbour = neighbourOf(way.dev, way.via ?? held.packet.dst)
  return sendTo(way.neighbour, held, iif)
}

/** What was put together on its way leaves in pieces no longer than it came in. */
const roomFor = ({ packet, meta }: Held, mtu: number): number => {
  const { fragment: longest } = meta
  if (longest === undefined || longest >= mtu) return mtu
  return packet.tag === 'ip4' ? longest : Math.max(longest, 1280)
}

/** After a piece that the device lost there is none. The first one may have been answered by who has its neighbour's MAC. */
const cut = (space: Space, iif: Device | null, way: Way, held: Held, room: number): boolean => {
  const { packet } = held
  const { gso: _, ...meta } = held.meta
  const pieces = fragment(packet, room, nextId(space))
  if (E.isLeft(pieces)) {
    drop(space, way.dev, 'ip', packet, { tag: 'too-big', mtu: room, length: lengthOfPacket(packet) })
    space.plane.parts.sendError(space, iif, held, { tag: 'too-big', mtu: room }, way.type !== 'local')
    return true
  }
  if (space.plane.watch !== null)
    note(space, way.dev, 'ip', packet, { tag: 'fragmented', pieces: pieces.right.length, mtu: room })
  return pieces.right.every((piece) => {
    giveWay(space.plane, receive)
    return toNeighbour(iif, way, { packet: piece, meta })
  })
}

/** Postrouting and all behind it; what it was lost by. `iif`: by which device it came in. `mtu`: of the way, for this packet. */
export const leave = (space: Space, iif: Device | null, way: Way, given: Held, mtu: number): SendErrno | null => {
  const { entry, plane } = space
  const held =
    entry.firewall === null ? given : plane.parts.pass(space, hookAt('postrouting', given.packet, iif, way), given)
  if (held === null) return 'EPERM'
  const room = held.meta.fragment === undefined ? mtu : roomFor(held, mtu)
  const isSent = lengthOfPacket(held.packet) <= room ? toNeighbour(iif, way, held) : cut(space, iif, way, held, room)
  return isSent ? null : 'ENOBUFS'
}

/** A host that takes part in a broadcast or a group hears itself (dev_loopback_xmit). */
const hearOurselves = (space: Space, { dev }: Way, held: Held) => {
  if (space.entry.firewall === null) return deliverHere(space, dev, held)
  const family = held.packet.tag === 'ip4' ? 'ip' : 'ip6'
  const passed = space.plane.parts.pass(space, { family, hook: 'prerouting', iif: dev, oif: null, next: null }, held)
  if (passed !== null) deliverHere(space, dev, passed)
}

const refuse = (space: Space, dev: Device | null, packet: Packet, reason: DropReason, errno: SendErrno): SendErrno => {
  drop(space, dev, 'ip', packet, reason)
  return errno
}

/**
 * How long a packet may be on this way, its sender having seen to that or not. TCP has: several segments leave as one (GSO), which are not
 * cut when the first of them finds out that the path is narrower.
 */
const mtuFor = (space: Space, way: Way, { dst, body }: Packet): number =>
  body.proto === 'tcp' ? way.mtu : pathMtu(space, way, dst).mtu

const routedBy = (space: Space, way: Way, packet: Packet) => {
  if (space.plane.watch !== null)
    note(space, way.dev, 'ip', packet, { tag: 'routed', dev: way.dev.name, via: way.via, table: way.table ?? 0 })
}

const depart = (space: Space, way: Way, held: Held): SendErrno | null => {
  if (way.route !== null && isDeadEnd6(way.route, way.dev)) {
    drop(space, way.dev, 'ip', held.packet, { tag: 'no-route', to: held.packet.dst })
    const scope = isLinkLocal(held.packet.src) ? way.dev : null
    space.plane.parts.sendError(space, scope, held, { tag: 'unreachable', code: 'net' })
    return null
  }
  const errno = leave(space, null, way, held, mtuFor(space, way, held.packet))
  // What a device sends while it is sending (a tunnel) is not heard in its group (sk_mc_loop, dev_recursion_level).
  const isTunnelled = way.type === 'multicast' && space.plane.depth > 0
  const isHeard = way.copies && !isTunnelled && way.dev.link.spec.type !== 'loopback'
  if (errno !== 'EPERM' && isHeard) hearOurselves(space, way, held)
  return errno
}

/** What `output` has changed is routed again, and keeps its source (ip_route_me_harder). */
const reroute = (space: Space, { packet, meta }: Held, dev: Device | null): SendErrno | null => {
  const wanted: Wanted = { dst: packet.dst, src: packet.src, dev, tos: packet.tos, mark: meta.mark, foreign: true }
  const way = wayOut(space, wanted)
  if (!isWay(way)) return refuse(space, way.at, packet, way.reason, way.errno)
  routedBy(space, way, packet)
  const { reroute: _, ...kept } = meta
  return depart(space, way, { packet, meta: kept })
}

/** `output` and all behind it. What is lost at a hook, the sending call is told (EPERM). */
const sendBy = (space: Space, way: Way, held: Held, dev: Device | null): SendErrno | null => {
  routedBy(space, way, held.packet)
  if (space.entry.firewall === null) return depart(space, way, held)
  const passed = space.plane.parts.pass(space, hookAt('output', held.packet, null, way), held)
  if (passed === null) return 'EPERM'
  const isElsewhere = passed.packet.dst !== held.packet.dst || passed.meta.reroute === true
  return isElsewhere ? reroute(space, passed, dev) : depart(space, way, passed)
}

// Casts: whoever sends gives addresses and a body of one family.
const packetOf = (space: Space, { body, tos = 0 }: Sending, dst: Ip, src: Ip, ttl: number): Packet => {
  if (!isIp4(dst))
    return {
      tag: 'ip6',
      src: src as Packet6['src'],
      dst,
      ttl,
      tos,
      flow: 0,
      routerAlert: false,
      fragment: null,
      body: body as Packet6['body'],
    }
  return {
    tag: 'ip4',
    src: src as Packet4['src'],
    dst,
    ttl,
    tos,
    id: nextId(space),
    df: false,
    mf: false,
    offset: 0,
    routerAlert: false,
    body: body as Packet4['body'],
  }
}

/** Why a way will not do for this socket: TCP knows no broadcasts and groups, and others need a permission for the one. */
const refusedWay = ({ type }: Way, { body, broadcast }: Sending): SendErrno | null => {
  if (type !== 'broadcast' && type !== 'multicast') return null
  if (body.proto === 'tcp') return 'ENETUNREACH'
  return type === 'broadcast' && broadcast !== true ? 'EACCES' : null
}

const withDf = (packet: Packet4): Packet4 => ({
  tag: 'ip4',
  src: packet.src,
  dst: packet.dst,
  ttl: packet.ttl,
  tos: packet.tos,
  id: packet.id,
  df: true,
  mf: packet.mf,
  offset: packet.offset,
  routerAlert: packet.routerAlert,
  body: packet.body,
})

/** The packet as its sender's discovery of the path's MTU would have it, or why it cannot go. */
const sized = (space: Space, way: Way, packet: Packet, df: boolean | undefined): Packet | 'EMSGSIZE' => {
  const { locked } = pathMtu(space, way, packet.dst)
  const mtu = mtuFor(space, way, packet)
  const length = lengthOfPacket(packet)
  const longest = df === true ? mtu : packet.tag === 'ip4' ? MAX_LENGTH : MAX_LENGTH + 40
  if (length > longest) return 'EMSGSIZE'
  if (packet.tag === 'ip6' || df === false || (df === undefined && locked) || length > mtu) return packet
  return withDf(packet)
}

const nowhere = (like: Ip): Ip => (isIp4(like) ? ip4(0) : ip6(0n))

const isOfIcmp = (body: Packet['body']): boolean =>
  (body.proto === 'icmp' || body.proto === 'icmp6') && ('about' in body || body.type === 'echo-reply')

/**
 * Routes and sends a packet of our own; what the sending call says, if it fails. What ICMP would say of what it is sending itself is said to
 * nobody (icmp_xmit_lock, icmpv6_xmit_lock).
 */
export const send = (space: Space, sending: Sending): SendErrno | null => {
  if (!isOfIcmp(sending.body)) return sendOne(space, sending)
  const { speaks } = space.plane
  const family = familyOf(sending.dst)
  if (speaks[family]) return null
  speaks[family] = true
  const errno = sendOne(space, sending)
  speaks[family] = false
  return errno
}

const sendOne = (space: Space, sending: Sending): SendErrno | null => {
  const { tos = 0, mark = 0, df } = sending
  const src = sending.src === null || isUnspecified(sending.src) ? null : sending.src
  const name = sending.dev ?? sending.near
  const dev = name === undefined ? null : deviceOf(space, name)
  if (name !== undefined && dev === null) return 'ENODEV'
  const dst = meantBy(space, sending.dst, src, dev)
  const by = sending.kept === true ? null : src
  const way = wayOut(space, { dst, src: by, dev, tos, mark, foreign: false, loose: sending.dev === undefined })
  if (!isWay(way)) {
    const unsent = packetOf(space, sending, dst, src ?? nowhere(dst), sending.ttl ?? DEFAULT_TTL)
    return refuse(space, way.at, unsent, way.reason, way.errno)
  }
  const ttl = sending.ttl ?? (way.type === 'multicast' ? 1 : DEFAULT_TTL)
  const made = packetOf(space, sending, dst, src ?? way.source ?? nowhere(dst), ttl)
  const refused = refusedWay(way, sending)
  if (refused !== null) return refuse(space, way.dev, made, { tag: 'not-unicast', to: dst }, refused)
  const packet = sized(space, way, made, df)
  if (packet === 'EMSGSIZE') {
    const { mtu } = pathMtu(space, way, dst)
    return refuse(space, way.dev, made, { tag: 'too-big', mtu, length: lengthOfPacket(made) }, packet)
  }
  if (space.plane.watch !== null) note(space, null, 'ip', packet, { tag: 'sent' })
  // What was for nobody, and so for us, has not come by the device of any address.
  const owner = isIp4(dst) && dst !== sending.dst ? (dev ?? way.dev) : way.owner
  const plain: Meta = owner === null ? { mark, flow: null } : { mark, flow: null, via: owner.name }
  const meta: Meta = sending.gso === undefined ? plain : { ...plain, gso: sending.gso }
  return sendBy(space, way, { packet, meta }, dev)
}

/**
 * As `send`, of a whole packet; its addresses are set, and the source need not be ours. Too long a one is cut if it may be. `from`: the
 * source that it is routed by. No socket is bound to the device that is named: over IPv6 it only had better leave by that.
 */
export const sendPacket = (
  space: Space,
  packet: Packet,
  meta: Meta,
  name: IfName | null,
  from: Ip | null = packet.src,
): SendErrno | null => {
  const dev = name === null ? null : deviceOf(space, name)
  if (name !== null && dev === null) return 'ENODEV'
  const { dst, tos } = packet
  const way = wayOut(space, { dst, src: from, dev, tos, mark: meta.mark, foreign: true, loose: true })
  if (!isWay(way)) return refuse(space, way.at, packet, way.reason, way.errno)
  const { mtu } = pathMtu(space, way, packet.dst)
  const length = lengthOfPacket(packet)
  if (packet.tag === 'ip4' && packet.df && length > mtu)
    return refuse(space, way.dev, packet, { tag: 'too-big', mtu, length }, 'EMSGSIZE')
  if (space.plane.watch !== null) note(space, null, 'ip', packet, { tag: 'sent' })
  return sendBy(space, way, { packet, meta }, dev)
}
