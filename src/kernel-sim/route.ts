// Where a packet goes: own addresses first, then the longest prefix of the main table, then the lowest metric; and which
// source address a packet of our own gets. The index of a table is derived from it and memoised by reference.
// Sources: ip-route(8), net/ipv4/fib_trie.c, fib_frontend.c, devinet.c (inet_select_addr), net/ipv6/route.c, RFC 6724.

import { type Cidr, cidr, contains, maskIp } from '../net/cidr.ts'
import { type Ip, type Ip6, isIp4, isIp6, isLinkLocal, isLoopback, isMulticast, numberOf } from '../net/ip.ts'
import { type IfName, LO } from '../net/name.ts'
import { type PMap, valuesOf } from '../net/pmap.ts'
import { isBroadcast, localsOf, ownAddress } from './local.ts'
import { memoised } from './memo.ts'
import { type NsEntry, type RouteEntry, TABLES } from './state.ts'

/** A route of the main table that leads somewhere: by the first of its hops. */
export type Route = Pick<RouteEntry, 'to' | 'metric' | 'order' | 'source'> & Readonly<{ dev: IfName; via: Ip | null }>

const usable = ({ to, type, table, metric, order, source, hops }: RouteEntry): ReadonlyArray<Route> => {
  const alive = type === 'unicast' && table === TABLES.main ? hops.find(({ dead }) => !dead) : undefined
  return alive === undefined || alive.dev === null
    ? []
    : [{ to, metric, order, source, dev: alive.dev, via: alive.via }]
}

type Level = Readonly<{ bits: number; routes: ReadonlyMap<Ip, ReadonlyArray<Route>> }>
/** Longest prefix first; the routes of one prefix by metric. */
type Table = Readonly<{ four: ReadonlyArray<Level>; six: ReadonlyArray<Level> }>

/** The order of routes of one prefix. */
const preferred = (a: Route, b: Route): number => a.metric - b.metric || a.order - b.order

const levelsOf = (routes: ReadonlyArray<Route>): ReadonlyArray<Level> => {
  const levels = new Map<number, Map<Ip, Route[]>>()
  for (const route of routes) {
    const level = levels.get(route.to.bits) ?? new Map<Ip, Route[]>()
    levels.set(route.to.bits, level)
    const network = maskIp(route.to.ip, route.to.bits)
    level.set(network, [...(level.get(network) ?? []), route].sort(preferred))
  }
  return [...levels].map(([bits, byNetwork]) => ({ bits, routes: byNetwork })).sort((a, b) => b.bits - a.bits)
}

const tableOf = memoised((routes: PMap<RouteEntry>): Table => {
  const all = valuesOf(routes).flatMap(usable)
  return {
    four: levelsOf(all.filter((route) => isIp4(route.to.ip))),
    six: levelsOf(all.filter((route) => isIp6(route.to.ip))),
  }
})

/** The route of the main table to `dst`, or null. With `dev`, only routes of that device count. */
export const lookup = (space: NsEntry, dst: Ip, dev: IfName | null = null): Route | null => {
  const table = tableOf(space.routes)
  for (const level of isIp4(dst) ? table.four : table.six) {
    const routes = level.routes.get(maskIp(dst, level.bits))
    const found = dev === null ? routes?.[0] : routes?.find((route) => route.dev === dev)
    if (found !== undefined) return found
  }
  return null
}

/** How an address is reached from a namespace. `next` is whom to ask the neighbours for. */
export type Way = Readonly<
  | { tag: 'local'; dev: IfName; source: Ip }
  | { tag: 'unicast'; dev: IfName; next: Ip; via: Ip | null; route: Route }
  | { tag: 'broadcast' }
  | { tag: 'none' }
>

const NONE: Way = { tag: 'none' }
const BROADCAST_WAY: Way = { tag: 'broadcast' }

/** `dev` is where an incoming packet is; for a packet of our own it is given for link-local destinations only. */
export const wayTo = (space: NsEntry, dst: Ip, dev: IfName | null): Way => {
  const own = ownAddress(space, dst, dev)
  if (own !== null) return { tag: 'local', dev: LO, source: own.source }
  if (isBroadcast(space, dst)) return BROADCAST_WAY
  const route = lookup(space, dst, isIp6(dst) && isLinkLocal(dst) ? dev : null)
  if (route === null) return NONE
  return { tag: 'unicast', dev: route.dev, next: route.via ?? dst, via: route.via, route }
}

/** The primary address of `dev` in the subnet of `next`, else its first, else the first of any device. */
export const select4 = (space: NsEntry, dev: IfName, next: Ip): Ip | null => {
  const { primary4 } = localsOf(space)
  const here = primary4.filter((entry) => entry.dev === dev)
  return (here.find((entry) => contains(entry.cidr, next)) ?? here[0] ?? primary4[0])?.cidr.ip ?? null
}

/** RFC 6724's policy table as in net/ipv6/addrlabel.c, longest prefix first. */
const LABELS: ReadonlyArray<readonly [Cidr, number]> = [
  [cidr('::1/128'), 0],
  [cidr('::ffff:0:0/96'), 4],
  [cidr('::/96'), 3],
  [cidr('2001:10::/28'), 7],
  [cidr('2001::/32'), 6],
  [cidr('2002::/16'), 2],
  [cidr('fec0::/10'), 11],
  [cidr('fc00::/7'), 5],
]
const labelOf = (ip: Ip6): number => LABELS.find(([network]) => contains(network, ip))?.[1] ?? 1

/** RFC 4291's scopes that unicast addresses can have: link and global. */
const isNear = (ip: Ip6): boolean => isLinkLocal(ip) || isLoopback(ip)
const isNearTarget = (ip: Ip6): boolean => isNear(ip) || (isMulticast(ip) && ((ip >> 112n) & 0xfn) === 2n)

const commonBits = (a: Ip6, b: Ip6, most: number): number => {
  const difference = numberOf(a) ^ numberOf(b)
  return Math.min(most, difference === 0n ? 128 : 128 - difference.toString(2).length)
}

/** RFC 6724 section 5, rules 1, 2, 5, 6, 8. To a link-local address only addresses of `dev` are candidates. */
export const select6 = (space: NsEntry, dev: IfName, dst: Ip6): Ip6 | null => {
  const near = isNearTarget(dst)
  const score = ({ ip, bits }: { ip: Ip6; bits: number }, on: IfName): ReadonlyArray<number> => [
    ip === dst ? 1 : 0,
    isNear(ip) === near ? 1 : 0,
    on === dev ? 1 : 0,
    labelOf(ip) === labelOf(dst) ? 1 : 0,
    commonBits(ip, dst, bits),
  ]
  let best: Readonly<{ ip: Ip6; score: ReadonlyArray<number> }> | null = null
  for (const entry of localsOf(space).all6) {
    const { ip } = entry.cidr
    if (isLoopback(ip) || (near && entry.dev !== dev) || (isLinkLocal(ip) && entry.dev !== dev)) continue
    const scored = score(entry.cidr, entry.dev)
    const held = best?.score
    const differs = scored.findIndex((part, i) => part !== held?.[i])
    if (held === undefined || (differs >= 0 && (scored[differs] ?? 0) > (held[differs] ?? 0)))
      best = { ip, score: scored }
  }
  return best?.ip ?? null
}

/** The source that a packet gets which leaves by `dev` towards `next`, for `dst`. */
export const selectSource = (space: NsEntry, dev: IfName, dst: Ip, next: Ip): Ip | null =>
  isIp4(dst) ? select4(space, dev, next) : select6(space, dev, dst)

/** The source address of a packet of our own to `dst`, or null if there is none that fits. */
export const sourceFor = (space: NsEntry, way: Way, dst: Ip): Ip | null => {
  switch (way.tag) {
    case 'local':
      return way.source
    case 'unicast':
      return way.route.source ?? selectSource(space, way.dev, dst, way.next)
    case 'broadcast':
    case 'none':
      return null
  }
}
