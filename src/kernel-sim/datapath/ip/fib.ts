// Where packets of a namespace's own go, and with which source (fib-input.ts: those that came in). What was looked up is kept while
// the plane is open, for its namespaces' tables do not change meanwhile.
// Sources: net/ipv4/route.c (ip_route_output_key_hash_rcu, __mkroute_output, ip_route_input_slow, __mkroute_input),
// net/ipv4/fib_frontend.c (fib_validate_source), net/ipv6/route.c (ip6_route_output, ip6_route_input, ip6_route_get_saddr).

import {
  type Ip,
  type Ip4,
  type Ip6,
  ip4,
  ip6,
  isIp4,
  isLinkLocal,
  isLoopback,
  isMulticast,
  isUnspecified,
  MAX4,
} from '../../../net/ip.ts'
import { valuesOf } from '../../../net/pmap.ts'
import { runs4 } from '../../control/inet.ts'
import { SCOPES } from '../../control/scope.ts'
import { type HopEntry, loopbackName, type PathEntry, type PeerEntry, type RouteEntry } from '../../state.ts'
import { type Device, deviceOf, loopbackOf, type SendErrno, type Space } from '../plane.ts'
import type { DropReason } from '../step.ts'
import { ownersOf, select4, select6 } from './address.ts'
import { inGroup4, inGroup6 } from './groups.ts'
import { type Found, find, localDev4, UNIVERSE } from './lookup.ts'
import type { Neighbour } from './neighbour.ts'
import { policyOf } from './policy.ts'
import { type Flow, NOWHERE, type Refusal } from './rules.ts'
import { tablesOf } from './tables.ts'

/**
 * The way of a packet. `dev`: by which it leaves; of what is for the host itself, its loopback device. `via`: the gateway; `hop`: the
 * one that the route names, where a redirect has told of a better one.
 * `source`: what a packet of our own gets that has none. `mtu`: the route's or the device's. `redirect`: whoever sent it
 * could reach the next hop without us. `copies`: the host takes part in the broadcast or group, and wants one itself.
 */
export type Way = {
  readonly type: 'unicast' | 'local' | 'broadcast' | 'multicast'
  readonly dev: Device
  readonly via: Ip | null
  readonly hop: Ip | null
  readonly source: Ip | null
  readonly table: number | null
  readonly route: RouteEntry | null
  readonly mtu: number
  readonly redirect: boolean
  readonly copies: boolean
  /** Its source may not leave its link. */
  readonly stays: boolean
  /** Whose address the destination is, if it is one of ours. */
  readonly owner: Device | null
  /** Found when the first packet is sent. */
  neighbour: Neighbour | null
}

/** Why there is no way: for the sending call, and for the trace. */
/** `at`: the device that it would have been sent by, if it came so far. */
export type NoWay = Readonly<{ errno: SendErrno; reason: DropReason; at: Device | null }>

/** What becomes of a packet that has come in. `errno` null: nobody is told. */
export type Verdict =
  | Readonly<{ tag: 'deliver'; type: 'local' | 'broadcast' | 'multicast' }>
  | Readonly<{ tag: 'forward'; way: Way }>
  | Readonly<{ tag: 'refuse'; reason: DropReason; errno: Refusal['errno'] | null }>

/** By destination, then by source (null: to be chosen). */
type Known<A> = Map<Ip, Map<Ip | null, A>>

/** `out`: by the device that a packet is bound to, `loose`: that it had better leave by; `in`: by the device that it came in by. */
export type RoutingMemory = {
  readonly paths: Map<Ip, ReadonlyArray<PathEntry>>
  /** Those who were told something. */
  readonly peers: Map<Ip, PeerEntry>
  /** Of the next packet that needs one of its own. */
  nextId: number
  readonly out: Map<Device | null, Known<Way | NoWay>>
  readonly loose: Map<Device | null, Known<Way | NoWay>>
  readonly in: Map<Device, Known<Verdict>>
  /** Of the device that was asked about last. */
  lastIn: Readonly<{ dev: Device; known: Known<Verdict> }> | null
  /** When the first redirect is believed no more, and ways that were found may change with it. */
  heldUntilMs: number
  /** Whether what is found depends on nothing but addresses and devices, unless there is a mark or a TOS. */
  readonly byMark: boolean
  readonly byTos: boolean
}

const byAddress = (learned: ReadonlyArray<PathEntry>): RoutingMemory['paths'] => {
  const found: RoutingMemory['paths'] = new Map()
  for (const one of learned) found.set(one.ip, [...(found.get(one.ip) ?? []), one])
  return found
}

/** When the first of those redirects ends that are believed now. */
const firstEnd = (learned: ReadonlyArray<PathEntry>, nowMs: number): number => {
  const ends = learned.flatMap(({ gateway, untilMs }) => (gateway === null || untilMs <= nowMs ? [] : [untilMs]))
  return Math.min(Number.POSITIVE_INFINITY, ...ends)
}

const openRouting = ({ entry, plane }: Space): RoutingMemory => ({
  paths: byAddress(valuesOf(entry.paths)),
  peers: new Map(),
  nextId: 1,
  out: new Map(),
  loose: new Map(),
  in: new Map(),
  lastIn: null,
  heldUntilMs: firstEnd(valuesOf(entry.paths), plane.nowMs),
  byMark: [...entry.rules[4], ...entry.rules[6]].some(({ mark }) => mark !== null),
  byTos: tablesOf(entry.routes).hasTos,
})

export const routingOf = (space: Space): RoutingMemory => {
  if (space.routing === null) space.routing = openRouting(space)
  return space.routing
}

/** As `routingOf`, with ways that hold at this moment. */
export const waysOf = (space: Space): RoutingMemory => {
  const memory = routingOf(space)
  if (space.plane.nowMs >= memory.heldUntilMs) forgetWays(space, memory)
  return memory
}

const forgetWays = ({ plane }: Space, memory: RoutingMemory): void => {
  memory.out.clear()
  memory.loose.clear()
  memory.in.clear()
  memory.lastIn = null
  memory.heldUntilMs = firstEnd([...memory.paths.values()].flat(), plane.nowMs)
}

/** What was learned of the path to an address by a device and the gateway of a route, while it is believed (find_exception). */
export const learnedOf = (space: Space, dev: Device, via: Ip | null, dst: Ip): PathEntry | null => {
  const { paths } = routingOf(space)
  const learned = paths.size === 0 ? undefined : paths.get(dst)?.find((one) => one.dev === dev.name && one.via === via)
  return learned === undefined || learned.untilMs <= space.plane.nowMs ? null : learned
}

/** Takes note of what was learned of a path, in the place of what was known of it (update_or_create_fnhe). */
export const notePath = (space: Space, entry: PathEntry): void => {
  const memory = routingOf(space)
  const others = memory.paths.get(entry.ip)?.filter((one) => one.dev !== entry.dev || one.via !== entry.via) ?? []
  memory.paths.set(entry.ip, [...others, entry])
  if (entry.gateway !== null) forgetWays(space, memory)
}

/** The gateways of a way to an address: the one that it is sent to, and the one that its route names. */
export const gatewaysTo = (space: Space, dev: Device, hop: Ip | null, dst: Ip): Pick<Way, 'via' | 'hop'> => ({
  via: learnedOf(space, dev, hop, dst)?.gateway ?? hop,
  hop,
})

/** No packet of IPv4 is longer, and none of IPv6 that we know how to write. */
const MAX_MTU = 65535
const mtuOf = ({ link }: Device, route: RouteEntry | null): number => Math.min(route?.mtu ?? link.mtu, MAX_MTU)

export const wayOf = (
  type: Way['type'],
  dev: Device,
  source: Ip | null,
  found: Found | null,
  more: Partial<Way> = {},
): Way => ({
  type,
  dev,
  via: more.via ?? null,
  hop: more.hop ?? more.via ?? null,
  source,
  table: found?.route.table ?? null,
  route: found?.route ?? null,
  mtu: mtuOf(dev, found?.route ?? null),
  redirect: more.redirect ?? false,
  copies: more.copies ?? false,
  stays: more.stays ?? false,
  owner: more.owner ?? null,
  neighbour: null,
})

/**
 * Whether a route of IPv6 leads to loopback, and so nowhere: it is made one that refuses (fib6_is_reject), though who asks for it
 * does not see that.
 */
export const isDeadEnd6 = ({ type, to }: RouteEntry, dev: Device): boolean =>
  type !== 'local' && type !== 'anycast' && !isIp4(to.ip) && dev.link.spec.type === 'loopback' && !isLoopback(to.ip)

export const isWay = (found: Way | NoWay): found is Way => 'dev' in found

/** What a refusal means to the one who looked for a way. */
export const noWayOf = ({ errno, by }: Refusal, to: Ip): NoWay => ({
  errno: errno === 'EAGAIN' ? 'ENETUNREACH' : errno,
  reason: reasonOf(by, to),
  at: null,
})

const reasonOf = (by: Refusal['by'], to: Ip): DropReason => {
  if (by === null) return { tag: 'no-route', to }
  if (by.tag === 'rule') return { tag: 'rule-type', type: by.type, to }
  // Cast: only these types of routes refuse.
  return { tag: 'route-type', type: by.type as 'unreachable' | 'blackhole' | 'prohibit' | 'throw', to }
}

/** What a packet of our own asks for. `dev`: bound to it; `loose`: it only had better leave by it (IPv6). `foreign`: its source need not be ours (IP_TRANSPARENT, raw headers). */
export type Wanted = Readonly<{
  dst: Ip
  src: Ip | null
  dev: Device | null
  tos: number
  mark: number
  foreign: boolean
  loose?: boolean
}>

const flowOf = ({ entry }: Space, { dst, src, dev, tos, mark }: Wanted, strict: boolean): Flow => ({
  dst,
  src,
  iif: loopbackName(entry),
  oif: dev?.name ?? null,
  tos,
  mark,
  strict,
})

const invalid = (reason: DropReason, at: Device | null = null): NoWay => ({ errno: 'EINVAL', reason, at })
/** Of 0.0.0.0/8 only the one address is nobody's (ipv4_is_zeronet). */
export const isZeroNet = (ip: Ip4): boolean => ip === 0
export const isLocalGroup = (ip: Ip4): boolean => ip >>> 8 === 0xe00000

/** 127.0.0.0/8 may leave the host only by a device that has route_localnet (__mkroute_output). */
const isStuck4 = (src: Ip4 | null, dev: Device): boolean =>
  src !== null && isLoopback(src) && dev.link.spec.type !== 'loopback' && !policyOf(dev).routeLocalnet

/** The gateway that a packet of IPv4 is sent to; null: it is sent to whom it is for (rt_set_nexthop). */
export const gateway4 = ({ direct, via }: HopEntry): Ip | null => (direct ? null : via)

/** __mkroute_output: what the destination is, whatever the tables say. */
const made4 = (wanted: Wanted, dev: Device, source: Ip4 | null, found: Found | null): Way | NoWay => {
  // Cast: the caller has looked at the family.
  const dst = wanted.dst as Ip4
  const given = wanted.src === null ? source : (wanted.src as Ip4)
  if (!runs4(dev.link)) return invalid({ tag: 'martian-destination', ip: dst }, dev)
  if (isStuck4(given, dev)) return invalid({ tag: 'martian-source', ip: given ?? dst }, dev)
  const isGroup = isMulticast(dst)
  if (dst === MAX4 || found?.route.type === 'broadcast') return wayOf('broadcast', dev, source, null, { copies: true })
  if (isGroup) return wayOf('multicast', dev, source, found, { copies: inGroup4(dev, dst) })
  if (isZeroNet(dst)) return invalid({ tag: 'martian-destination', ip: dst })
  if (found?.route.type === 'local') {
    const owner = found.hop.dev === null ? null : deviceOf(dev.space, found.hop.dev)
    return wayOf('local', dev, source, found, { owner })
  }
  const gateways = found === null ? {} : gatewaysTo(dev.space, dev, gateway4(found.hop), dst)
  return wayOf('unicast', dev, source, found, gateways)
}

const prefsrc4 = (space: Space, { route, hop }: Found, dev: Device): Ip4 | null => {
  if (route.source !== null && isIp4(route.source)) return route.source
  const near = hop.via !== null && isIp4(hop.via) ? hop.via : ip4(0)
  return select4(space.entry, dev.link, near, route.scope, policyOf(dev).routeLocalnet)
}

/** The source of what a device sends on its link. */
const ofLink4 = ({ entry }: Space, dev: Device): Ip4 | null =>
  select4(entry, dev.link, ip4(0), SCOPES.link, policyOf(dev).routeLocalnet)

const down = (dev: Device): NoWay => ({
  errno: 'ENETUNREACH',
  reason: { tag: 'link-down', dev: dev.name },
  at: null,
})

/** Whose an address is: of the last device that got it, or of that which the table local names (__ip_dev_find). */
const ownerOf4 = (space: Space, ip: Ip4): Device | null => {
  const name = ownersOf(space.entry, ip)[0] ?? localDev4(space.entry, ip)
  return name === null ? null : deviceOf(space, name)
}

const notOurs = (src: Ip4): NoWay => ({
  errno: 'ENETUNREACH',
  reason: { tag: 'martian-source', ip: src },
  at: null,
})

const refuseSource4 = (space: Space, { src, foreign }: Wanted): NoWay | null => {
  if (src === null || !isIp4(src)) return null
  if (isMulticast(src) || src === MAX4) return invalid({ tag: 'martian-source', ip: src })
  return foreign || ownerOf4(space, src) !== null ? null : notOurs(src)
}

/** A packet that is bound to a device, or goes to a group that needs none of the tables. */
const bound4 = (space: Space, wanted: Wanted): Way | NoWay | null => {
  const { dst, src, dev } = wanted
  if (!isIp4(dst)) return null
  const isSpread = isMulticast(dst) || dst === MAX4
  if (dev === null) {
    if (!isSpread || src === null || !isIp4(src)) return null
    const out = ownerOf4(space, src)
    return out === null ? notOurs(src) : made4(wanted, out, null, null)
  }
  if (!dev.link.up || !runs4(dev.link)) return down(dev)
  return isLocalGroup(dst) || dst === MAX4 ? made4(wanted, dev, ofLink4(space, dev), null) : null
}

/** A source of zeros is none: who has no address sends from it. */
const output4 = (space: Space, given: Wanted): Way | NoWay => {
  const wanted = given.src === 0 ? { ...given, src: null } : given
  const refused = refuseSource4(space, wanted) ?? bound4(space, wanted)
  if (refused !== null) return refused
  const { src, dev } = wanted
  const lo = loopbackOf(space)
  if (lo === null) return noWayOf(NOWHERE, wanted.dst)
  const found = find(space.entry, flowOf(space, wanted, false), { src, dst: wanted.dst }, true)
  if ('errno' in found) {
    if (dev === null) return noWayOf(found, wanted.dst)
    // Whoever names a device knows better than the tables: the destination is taken to be on its link.
    return made4(wanted, dev, ofLink4(space, dev), null)
  }
  // Cast: a destination of IPv4.
  if (found.route.type === 'local') return made4(wanted, lo, (found.route.source ?? wanted.dst) as Ip4, found)
  const out = found.hop.dev === null ? null : deviceOf(space, found.hop.dev)
  if (out === null) return noWayOf(NOWHERE, wanted.dst)
  return made4(wanted, out, prefsrc4(space, found, out), found)
}

/** Whether only routes by the given device count (rt6_need_strict). */
export const isStrict6 = (dst: Ip): boolean => isMulticast(dst) || isLinkLocal(dst) || isLoopback(dst)

const typeOf6 = ({ route }: Found, dst: Ip): Way['type'] => {
  if (isMulticast(dst)) return 'multicast'
  return route.type === 'local' || route.type === 'anycast' ? 'local' : 'unicast'
}

const noSource = (to: Ip): NoWay => ({
  errno: 'EADDRNOTAVAIL',
  reason: { tag: 'no-source', to },
  at: null,
})

/** What has no way may have one from the address that it would get, or is refused for another reason (ip6_dst_lookup_tail). */
const output6From = (space: Space, wanted: Wanted): Way | NoWay => {
  // Cast: the caller has looked at the family.
  const src = select6(space.entry, null, wanted.dst as Ip6)
  if (src === null) return noSource(wanted.dst)
  const way = output6(space, { ...wanted, src, loose: false })
  return isWay(way) ? { ...way, source: src } : way
}

const output6 = (space: Space, wanted: Wanted): Way | NoWay => {
  const { dst, src, dev } = wanted
  // Cast: the caller has looked at the family.
  const to = dst as Ip6
  if (dev === null && isLinkLocal(dst)) return invalid({ tag: 'no-route', to: dst })
  const strict = (dev !== null && (wanted.loose !== true || src === null)) || isStrict6(dst)
  const found = find(space.entry, flowOf(space, wanted, strict), { src, dst })
  if ('errno' in found) return src === null ? output6From(space, wanted) : noWayOf(found, dst)
  const { route, hop } = found
  const near = hop.dev === null ? null : deviceOf(space, hop.dev)
  const type = typeOf6(found, dst)
  const out = type === 'local' ? loopbackOf(space) : near
  if (out === null) return noWayOf(NOWHERE, dst)
  const source = route.source ?? select6(space.entry, near?.link ?? null, to)
  if (src === null && source === null) return noSource(dst)
  const copies = type === 'multicast' && inGroup6(out, to)
  return wayOf(type, out, source, found, { via: hop.via, copies, owner: type === 'local' ? near : null })
}

export const knownAt = <D extends Device | null, A>(known: Map<D, Known<A>>, dev: D): Known<A> => {
  const here = known.get(dev)
  if (here !== undefined) return here
  const fresh: Known<A> = new Map()
  known.set(dev, fresh)
  return fresh
}

export const bySource = <A>(byDst: Known<A>, dst: Ip): Map<Ip | null, A> => {
  let bySrc = byDst.get(dst)
  if (bySrc === undefined) {
    bySrc = new Map()
    byDst.set(dst, bySrc)
  }
  return bySrc
}

/**
 * Whom a packet of our own is for that is for nobody: us, by the source that it has or would get, or by loopback.
 */
export const meantBy = (space: Space, dst: Ip, src: Ip | null, dev: Device | null): Ip => {
  if (!isUnspecified(dst)) return dst
  if (!isIp4(dst)) return ip6(1n)
  return src ?? (dev === null ? null : select4(space.entry, dev.link, ip4(0), SCOPES.host)) ?? ip4(0x7f000001)
}

/** The way of a packet of our own, and the source that it gets if it has none; or what the sending call says. */
export const wayOut = (space: Space, wanted: Wanted): Way | NoWay => {
  const memory = waysOf(space)
  const isFixed = !wanted.foreign && (wanted.mark === 0 || !memory.byMark) && (wanted.tos === 0 || !memory.byTos)
  const byDevice = wanted.loose === true ? memory.loose : memory.out
  const known = isFixed ? bySource(knownAt(byDevice, wanted.dev), wanted.dst) : null
  const before = known?.get(wanted.src)
  if (before !== undefined) return before
  const found = isIp4(wanted.dst) ? output4(space, wanted) : output6(space, wanted)
  known?.set(wanted.src, found)
  return found
}

/** The source of a packet that leaves by a device towards a next hop, for `dst` (masquerade; inet_select_addr). */
export const sourceFor = ({ entry }: Space, { link }: Device, dst: Ip, next: Ip): Ip | null =>
  isIp4(dst) ? select4(entry, link, isIp4(next) ? next : ip4(0), UNIVERSE) : select6(entry, link, dst)
