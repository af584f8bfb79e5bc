// `fib`: what the routing tables say of a packet's source or destination, as rules ask for it.
// Sources: net/ipv4/netfilter/nft_fib_ipv4.c, net/ipv6/netfilter/nft_fib_ipv6.c; net/ipv4/fib_frontend.c (inet_dev_addr_type).

import { type Ip, type Ip6, isIp4, isLinkLocal, isMulticast, isUnspecified } from '../../../net/ip.ts'
import { isTentative } from '../../link-entry.ts'
import type { Datum } from '../../nft/datatype.ts'
import type { Field } from '../../nft/sight.ts'
import { FIB_ADDRTYPE } from '../../nft/symbols.ts'
import { loopbackName, type RouteEntry } from '../../state.ts'
import { protocolOf } from '../../wire/body.ts'
import { ICMP6 } from '../../wire/icmp6.ts'
import type { Packet } from '../../wire/nested.ts'
import { type Device, deviceOf, type HookAt, type Space } from '../plane.ts'

type Asked = Field & { tag: 'fib' }

const TYPES: Readonly<Record<RouteEntry['type'], number>> = {
  unicast: FIB_ADDRTYPE['unicast'] ?? 0,
  local: FIB_ADDRTYPE['local'] ?? 0,
  broadcast: FIB_ADDRTYPE['broadcast'] ?? 0,
  anycast: FIB_ADDRTYPE['anycast'] ?? 0,
  multicast: FIB_ADDRTYPE['multicast'] ?? 0,
  blackhole: FIB_ADDRTYPE['blackhole'] ?? 0,
  unreachable: FIB_ADDRTYPE['unreachable'] ?? 0,
  prohibit: FIB_ADDRTYPE['prohibit'] ?? 0,
  throw: 9,
}

const has = ({ of }: Asked, flag: Asked['of'][number]): boolean => of.includes(flag)

const deviceFor = ({ iif, oif }: HookAt, asked: Asked): Device | null =>
  has(asked, 'oif') ? oif : has(asked, 'iif') ? iif : null

/** The two ends as a route to the one that is asked about sees them. */
const endsOf = ({ src, dst }: Packet, asked: Asked): Readonly<{ to: Ip; from: Ip }> =>
  has(asked, 'daddr') ? { to: dst, from: src } : { to: src, from: dst }

/** From where the tables are asked: for what came back to a router, where it would come in. */
const comesBy = ({ entry }: Space, { hook, oif }: HookAt, asked: Asked): string =>
  hook === 'forward' && has(asked, 'iif') && !has(asked, 'daddr') && oif !== null ? oif.name : loopbackName(entry)

/** Groups and nobody are no sources (get_saddr). */
const sourceOf = (ip: Ip): Ip | null => (isMulticast(ip) || isUnspecified(ip) || ip === 0xffffffff ? null : ip)

const found = (space: Space, at: HookAt, packet: Packet, mark: number, asked: Asked, oif: Device | null) => {
  const { to, from } = endsOf(packet, asked)
  return space.plane.parts.fib(space, {
    dst: to,
    src: isIp4(from) ? sourceOf(from) : from,
    iif: comesBy(space, at, asked),
    oif: oif?.name ?? null,
    tos: packet.tos,
    mark: has(asked, 'mark') ? mark : 0,
    strict: oif !== null,
  })
}

const type6 = (space: Space, at: HookAt, packet: Packet, mark: number, asked: Asked): RouteEntry['type'] => {
  const dev = deviceFor(at, asked)
  // Cast: who calls has looked at the family.
  const to = endsOf(packet, asked).to as Ip6
  const isOn = dev?.link.addresses.some((address) => address.cidr.ip === to && !isTentative(address)) ?? false
  const route = found(space, at, packet, mark, asked, isLinkLocal(to) ? dev : null)
  if ('errno' in route) return route.type ?? 'unreachable'
  if (route.type === 'anycast') return 'anycast'
  if (isOn || (dev === null && route.type === 'local')) return 'local'
  return isMulticast(to) ? 'multicast' : 'unicast'
}

const typeFor = (space: Space, at: HookAt, packet: Packet, mark: number, asked: Asked): number => {
  if (packet.tag === 'ip6') return TYPES[type6(space, at, packet, mark, asked)]
  const dev = deviceFor(at, asked)
  const { to } = endsOf(packet, asked)
  const { parts } = space.plane
  const type = parts.typeOf(space, to, null)
  // Addresses of other devices are just addresses, if one is asked for by its device.
  if (dev === null || (type !== 'local' && type !== 'broadcast') || to === 0xffffffff || isUnspecified(to))
    return TYPES[type]
  const route = found(space, at, packet, 0, asked, null)
  return TYPES['errno' in route || !route.devs.includes(dev.name) ? 'unicast' : type]
}

const isDiscovery = ({ src, dst, body }: Packet): boolean =>
  protocolOf(body) === ICMP6 && isUnspecified(src) && isLinkLocal(dst)

/** What rules need not ask the tables about: it comes from the host itself, or from who has no address yet. */
const isFromNobody = (at: HookAt, packet: Packet): boolean => {
  if (at.hook === 'prerouting' && at.iif?.link.spec.type === 'loopback') return true
  if (packet.tag === 'ip6') return at.hook === 'prerouting' && isDiscovery(packet)
  return packet.src === 0 && (packet.dst === 0xffffffff || packet.dst >>> 8 === 0xe00000)
}

/** The device that a packet to there would leave by; null: none, or not the one that was asked about. */
const deviceTo = (space: Space, at: HookAt, packet: Packet, mark: number, asked: Asked): Device | null => {
  if (isFromNobody(at, packet)) return at.iif
  const wanted = deviceFor(at, asked)
  const { to } = endsOf(packet, asked)
  const isBound = packet.tag === 'ip6' && isLinkLocal(to)
  const route = found(space, at, packet, mark, asked, isBound ? wanted : null)
  if ('errno' in route || route.type !== 'unicast') return null
  if (wanted !== null && packet.tag === 'ip4') return route.devs.includes(wanted.name) ? wanted : null
  const dev = route.dev === null ? null : deviceOf(space, route.dev)
  return wanted === null || wanted === dev ? dev : null
}

/** `type` as a number, an interface's index or name; null: there is no route. */
export const fibField = (space: Space, at: HookAt, packet: Packet, mark: number, asked: Asked): Datum | null => {
  if (asked.result === 'type') return typeFor(space, at, packet, mark, asked)
  const dev = deviceTo(space, at, packet, mark, asked)
  if (dev === null) return null
  return asked.result === 'oif' ? dev.link.index : dev.name
}
