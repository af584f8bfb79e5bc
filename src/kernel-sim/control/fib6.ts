// IPv6's routing tables: a route of several hops is several routes of one prefix and metric, its siblings; which of them a new
// one replaces, which one a deletion means, and what a lookup finds.
// Source: net/ipv6/ip6_fib.c (fib6_add_rt2node), route.c (ip6_route_del, ip6_route_check_nh).

import type { Errno } from '../../kernel/errno.ts'
import type { Cidr } from '../../net/cidr.ts'
import { type Ip, ip6, isUnspecified } from '../../net/ip.ts'
import type { IfName } from '../../net/name.ts'
import type { LinkEntry } from '../link-entry.ts'
import { loopbackName, type RouteEntry, TABLES } from '../state.ts'
import { linkOf, type Space } from './draft.ts'
import { rulesFor } from './fib-rules.ts'
import type { How } from './fib-trie.ts'
import {
  amendRoute,
  dropRoutes6,
  hop,
  insertRoute,
  type NewRoute,
  removeRoute,
  replaceRoute,
  routeAt,
  routesAt,
  routesOn,
  routesOver,
  routesThrough,
  routesTo,
} from './table.ts'

/** Only routes by a gateway can be siblings (rt6_qualify_for_ecmp). */
const canJoin = ({ hops }: NewRoute): boolean => hops[0]?.via !== null

export const sameWay = (a: NewRoute, b: NewRoute): boolean =>
  a.hops[0]?.dev === b.hops[0]?.dev && a.hops[0]?.via === b.hops[0]?.via

/** Replaces the first route that is as fit for siblings as the new one, or just the first; with its siblings. */
const replace6 = (space: Space, route: NewRoute, held: ReadonlyArray<RouteEntry>): void => {
  const old = held.find((other) => canJoin(other) === canJoin(route)) ?? held[0]
  if (old === undefined) {
    insertRoute(space, route)
    return
  }
  replaceRoute(space, old, route)
  if (!canJoin(old)) return
  for (const other of held) if (other !== old && canJoin(other)) removeRoute(space, other)
}

/** Adds a route, as fib6_add does; the kernel's own are appended. */
export const insert6 = (space: Space, route: NewRoute, how: How): Errno | null => {
  const held = routesAt(space, route)
  if (held.length > 0 && how === 'add') return 'EEXIST'
  if (how === 'replace' || how === 'change') {
    if (held.length === 0 && how === 'change') return 'ENOENT'
    replace6(space, route, held)
    return null
  }
  if (held.some((other) => sameWay(other, route))) return 'EEXIST'
  insertRoute(space, route)
  return null
}

/** RTPROT_KERNEL. */
const KERNEL = 2

/** A route that IPv6 makes by itself. */
export const kernelRoute6 = (
  dev: IfName,
  type: RouteEntry['type'],
  to: Cidr,
  table: number,
  metric: number,
): NewRoute => ({
  to,
  type,
  hops: [hop(dev)],
  table,
  tos: 0,
  metric,
  proto: KERNEL,
  scope: 0,
  source: null,
  mtu: null,
})

/** Adds a route of the kernel's own, unless it is there. Costs nothing for those of other devices, of which there may be many. */
export const bring6 = (space: Space, dev: IfName, type: RouteEntry['type'], to: Cidr, metric: number): void => {
  const table = type === 'unicast' ? TABLES.main : TABLES.local
  const link = linkOf(space, dev)
  if (link === null) return
  const same = routesOn(space, link, table, to).some((route) => route.metric === metric && route.hops[0]?.via === null)
  if (!same) insertRoute(space, kernelRoute6(dev, type, to, table, metric))
}

/** The preferred route of exactly this prefix through a device that passes a test. */
export const routeOn = (
  space: Space,
  dev: IfName,
  table: number,
  to: Cidr,
  test: (route: RouteEntry) => boolean = () => true,
): RouteEntry | null => {
  const link = linkOf(space, dev)
  return link === null ? null : (routesOn(space, link, table, to).find(test) ?? null)
}

const isAlive = ({ hops }: RouteEntry): boolean => hops[0]?.dead !== true

const siblingsOf = (space: Space, route: RouteEntry): ReadonlyArray<RouteEntry> =>
  canJoin(route) ? routesAt(space, route).filter(canJoin) : []

/** Routes through a device go with it (`isGone`), or when it is down: but of siblings not before the last is dead (fib6_ifdown). */
export const disable6 = (space: Space, link: LinkEntry, isGone: boolean): void => {
  for (const key of dropRoutes6(space, link)) {
    const route = routeAt(space, key)
    if (route === null) continue
    const siblings = isGone ? [] : siblingsOf(space, route)
    const isDead = ({ hops: [one] }: RouteEntry): boolean => one?.dev === link.name || one?.dead === true
    if (siblings.length < 2) removeRoute(space, route)
    else if (siblings.every(isDead)) for (const one of siblings) removeRoute(space, one)
    else amendRoute(space, route, { hops: route.hops.map((one) => ({ ...one, dead: true, linkdown: true })) })
  }
}

/** A device is in use again, and its routes with it (rt6_sync_up). */
export const enable6 = (space: Space, link: LinkEntry): void => {
  for (const route of routesThrough(space, link, 6))
    if (!isAlive(route))
      amendRoute(space, route, { hops: route.hops.map((one) => ({ ...one, dead: false, linkdown: null })) })
}

/** A device has another MTU: an MTU of a route through it that was as large, or is too large now, becomes that (rt6_mtu_change_route). */
export const followMtu6 = (space: Space, link: LinkEntry, old: number): void => {
  for (const route of routesThrough(space, link, 6))
    if (route.mtu !== null && (route.mtu >= link.mtu || route.mtu === old)) amendRoute(space, route, { mtu: link.mtu })
}

/** What a deletion says of the route it means; null (a metric of 0) is anything. A gateway of :: is that of a route without any. */
export type Meant6 = Readonly<{
  table: number
  to: Cidr
  metric: number
  proto: number | null
  dev: IfName | null
  via: Ip | null
  /** Without a gateway the siblings of the route go with it. */
  all: boolean
}>

const U32_MAX = 0xffffffff
/** A table without a default route has an entry there that says so, and that cannot be deleted (fib6_null_entry). */
const meansNothing = ({ to, metric, proto, dev, via }: Meant6, lo: IfName): boolean =>
  to.bits === 0 &&
  (metric === 0 || metric === U32_MAX) &&
  (proto === null || proto === KERNEL) &&
  (dev === null || dev === lo) &&
  (via === null || isUnspecified(via))

const UNSPECIFIED6 = ip6(0n)

/** ip6_route_del: the preferred one of those that are meant. */
export const delete6 = (space: Space, meant: Meant6): Errno | null => {
  const all = routesTo(space, meant.table, meant.to)
  const found = all.find(
    ({ metric, proto, hops }) =>
      (meant.metric === 0 || metric === meant.metric) &&
      (meant.proto === null || proto === meant.proto) &&
      (meant.dev === null || hops[0]?.dev === meant.dev) &&
      (meant.via === null || (hops[0]?.via ?? UNSPECIFIED6) === meant.via),
  )
  if (found === undefined) return all.length === 0 && meansNothing(meant, loopbackName(space.now)) ? 'ENOENT' : 'ESRCH'
  removeRoute(space, found)
  if (!meant.all || meant.via !== null || !canJoin(found)) return null
  for (const other of all)
    if (other !== found && other.metric === found.metric && canJoin(other)) removeRoute(space, other)
  return null
}

/** The route of a table to an address; with `dev`, of those through it. */
export const lookInTable6 = (space: Space, table: number, to: Ip, dev: LinkEntry | null): RouteEntry | null =>
  routesOver(space, [table], to, dev).find(
    (route) => isAlive(route) && (dev === null || route.hops[0]?.dev === dev.name),
  ) ?? null

/** The route of a table to an address; of equal prefix and metric rather one through `dev` (find_rr_leaf). */
export const lookNear6 = (space: Space, table: number, to: Ip, dev: LinkEntry): RouteEntry | null => {
  const all = routesOver(space, [table], to, null).filter(isAlive)
  const first = all[0]
  if (first === undefined) return null
  const isPeer = (route: RouteEntry): boolean => route.to.bits === first.to.bits && route.metric === first.metric
  return all.find((route) => isPeer(route) && route.hops[0]?.dev === dev.name) ?? first
}

/** fib6_lookup, of a packet of our own. */
export const lookup6 = (space: Space, to: Ip, dev: LinkEntry | null): RouteEntry | null => {
  for (const { lookup, error, suppress } of rulesFor(space, 6, { to, iif: null, oif: dev?.name ?? null })) {
    if (error !== null) return null
    const found = lookInTable6(space, lookup, to, dev)
    if (found === null || found.type === 'throw') continue
    if (suppress === null || found.to.bits > suppress) return found
  }
  return null
}
