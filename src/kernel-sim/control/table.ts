// The routing tables: routes by family, table, prefix, TOS, metric and order of arrival; the list that each device keeps of
// its own; those through no device; those that prefer a source.
// Invariant: `link.routes` holds exactly the keys of the routes with a hop through it, `loose` those without any.

import { type Cidr, compareCidr, contains, DEFAULT4, maskIp, sameCidr } from '../../net/cidr.ts'
import { type Family, type Ip, isIp4, widthOf } from '../../net/ip.ts'
import type { IfName } from '../../net/name.ts'
import { entriesUnder, removeIn, setIn } from '../../net/pmap.ts'
import type { LinkEntry } from '../link-entry.ts'
import { type HopEntry, type RouteEntry, TABLES } from '../state.ts'
import { change, linkOf, type Space } from './draft.ts'

/** A whole number as text that sorts as the number does: how many digits, then the digits. */
const rising = (n: number): string => {
  const digits = String(n)
  return LENGTHS.charAt(digits.length) + digits
}
const LENGTHS = '0123456789abcdefg'

const MOST_TOS = 255

const toTable = (family: Family, table: number): string => `${family}/${table}/`
const prefixText = (table: number, { ip, bits }: Cidr): string =>
  isIp4(ip) ? `4/${table}/${ip}/${bits}/` : `6/${table}/${ip.toString(16)}/${bits}/`

// Whoever puts a route in or takes it out has looked for it just before.
let lastTable = -1
let lastTo: Cidr = DEFAULT4
let lastPrefix = ''
const toPrefix = (table: number, to: Cidr): string => {
  if (table === lastTable && sameCidr(to, lastTo)) return lastPrefix
  lastPrefix = prefixText(table, to)
  lastTable = table
  lastTo = to
  return lastPrefix
}

/** What tells routes of one place apart only by their order: prefix, TOS (a higher one first) and metric. */
type Seat = Pick<RouteEntry, 'table' | 'to' | 'tos' | 'metric'>
const toSeat = ({ table, to, tos, metric }: Seat): string =>
  toPrefix(table, to) + (tos === 0 && metric === 0 ? FIRST_SEAT : inPrefix(tos, metric))
const inPrefix = (tos: number, metric: number): string => `${rising(MOST_TOS - tos)}/${rising(metric)}/`
const FIRST_SEAT = inPrefix(0, 0)
const keyOf = (route: RouteEntry): string => toSeat(route) + rising(route.order)

const routesUnder = (space: Space, prefix: string): ReadonlyArray<RouteEntry> => space.routes.under(prefix)

/** The routes of exactly this prefix, TOS and metric, the preferred one first. */
export const routesAt = (space: Space, seat: Seat): ReadonlyArray<RouteEntry> => routesUnder(space, toSeat(seat))
/** The routes of exactly this prefix, the preferred one first. */
export const routesTo = (space: Space, table: number, to: Cidr): ReadonlyArray<RouteEntry> =>
  routesUnder(space, toPrefix(table, to))

/** Whether there is a table; one of IPv4 that is empty might as well not be there. */
export const hasTable = (space: Space, family: Family, table: number): boolean =>
  family === 6
    ? space.now.tables6.includes(table)
    : table === TABLES.main || table === TABLES.local || space.routes.under(toTable(family, table)).length > 0

/** IPv6 makes a table when it is first asked to put something there, or to look there (fib6_new_table). */
export const openTable6 = (space: Space, table: number): void => {
  if (!hasTable(space, 6, table)) space.now.tables6 = [...space.now.tables6, table]
}

const ENDS: ReadonlySet<RouteEntry['type']> = new Set(['blackhole', 'unreachable', 'prohibit', 'throw'])
/** Whether routes of a type lead nowhere. */
export const isEnd = (type: RouteEntry['type']): boolean => ENDS.has(type)

export type NewRoute = Omit<RouteEntry, 'order'>

const PLAIN_HOP = {}
/** The one hop of a route that has one. */
export const hop = (
  dev: IfName | null,
  via: Ip | null = null,
  more: Partial<Pick<HopEntry, 'weight' | 'onlink' | 'direct'>> = PLAIN_HOP,
): HopEntry => ({
  via,
  dev,
  weight: more.weight ?? 1,
  onlink: more.onlink ?? false,
  direct: more.direct ?? via === null,
  dead: false,
  linkdown: null,
})

const holds = (link: LinkEntry, key: string): boolean => link.routes.includes(key)

const noteDevices = (space: Space, { hops }: NewRoute, key: string): void => {
  let found = false
  for (const { dev } of hops) {
    const link = dev === null ? null : linkOf(space, dev)
    if (link === null) continue
    found = true
    if (hops.length === 1 || !holds(link, key)) change(space, link, { routes: [...link.routes, key] })
  }
  if (!found) space.now.loose = [...space.now.loose, key]
}

const forgetDevices = (space: Space, { hops }: RouteEntry, key: string): void => {
  const without = (keys: ReadonlyArray<string>): ReadonlyArray<string> => keys.filter((other) => other !== key)
  let found = false
  for (const { dev } of hops) {
    const link = dev === null ? null : linkOf(space, dev)
    if (link === null) continue
    found = true
    if (holds(link, key)) change(space, link, { routes: without(link.routes) })
  }
  if (!found) space.now.loose = without(space.now.loose)
}

const sourceText = (source: Ip): string => (isIp4(source) ? `4 ${source} ` : `6 ${source.toString(16)} `)

/** Of IPv4 only routes of the main table are looked for by their source (fib_sync_down_addr). */
const sourceKey = ({ source, table }: NewRoute, key: string): string | null =>
  source !== null && (table === TABLES.main || !isIp4(source)) ? sourceText(source) + key : null

const noteSource = (space: Space, route: RouteEntry, key: string): void => {
  const at = sourceKey(route, key)
  if (at !== null) space.now.sources = setIn(space.now.sources, at, key)
}
const forgetSource = (space: Space, route: RouteEntry, key: string): void => {
  const at = sourceKey(route, key)
  if (at !== null) space.now.sources = removeIn(space.now.sources, at)
}

const put = (space: Space, route: RouteEntry): void => {
  const key = keyOf(route)
  space.routes.set(key, route)
  noteDevices(space, route, key)
  noteSource(space, route, key)
}

/** A literal, so that all routes are of one shape. */
const entryOf = (route: NewRoute, order: number): RouteEntry => ({
  to: route.to,
  type: route.type,
  hops: route.hops,
  table: route.table,
  tos: route.tos,
  metric: route.metric,
  proto: route.proto,
  scope: route.scope,
  source: route.source,
  mtu: route.mtu,
  order,
})

/** Adds a route after those of its seat. */
export const insertRoute = (space: Space, route: NewRoute): void => put(space, entryOf(route, space.now.nextOrder++))

export const removeRoute = (space: Space, route: RouteEntry): void => {
  const key = keyOf(route)
  space.routes.remove(key)
  forgetDevices(space, route, key)
  forgetSource(space, route, key)
}

/** Puts a route into the place of another one of its seat. */
export const replaceRoute = (space: Space, old: RouteEntry, route: NewRoute): void => {
  removeRoute(space, old)
  put(space, entryOf(route, old.order))
}

/** Puts a route in with some of it changed that neither its place nor its devices depend on. */
export const amendRoute = (space: Space, route: RouteEntry, to: Partial<Pick<RouteEntry, 'hops' | 'mtu'>>): void => {
  space.routes.set(keyOf(route), { ...route, ...to })
}

/** A route prefers no source any more. */
export const dropSource = (space: Space, route: RouteEntry): void => {
  const key = keyOf(route)
  forgetSource(space, route, key)
  space.routes.set(key, { ...route, source: null })
}

const routesOfKeys = (space: Space, keys: ReadonlyArray<string>, prefix: string): ReadonlyArray<RouteEntry> => {
  const routes: RouteEntry[] = []
  for (const key of keys) {
    const route = key.startsWith(prefix) ? space.routes.get(key) : undefined
    if (route !== undefined) routes.push(route)
  }
  return routes
}

/** The routes of one family with a hop through a device, of one table or (null) of all; in no order. */
export const routesThrough = (
  space: Space,
  link: LinkEntry,
  family: Family,
  table: number | null = null,
): ReadonlyArray<RouteEntry> => routesOfKeys(space, link.routes, table === null ? `${family}/` : toTable(family, table))

/** The routes to exactly this prefix with a hop through a device, the preferred one first; others of the prefix cost nothing. */
export const routesOn = (space: Space, link: LinkEntry, table: number, to: Cidr): ReadonlyArray<RouteEntry> => {
  const prefix = toPrefix(table, to)
  const keys = link.routes.filter((key) => key.startsWith(prefix))
  return routesOfKeys(space, keys.length > 1 ? keys.sort() : keys, '')
}

/** The routes that prefer this source; of IPv4, those of the main table. */
export const routesFrom = (space: Space, source: Ip): ReadonlyArray<RouteEntry> =>
  routesOfKeys(
    space,
    entriesUnder(space.now.sources, sourceText(source)).map(([, key]) => key),
    '',
  )

/** Longest prefix first, then by key; as the kernel meets them. */
const asMet = (a: RouteEntry, b: RouteEntry): number =>
  b.to.bits - a.to.bits ||
  b.table - a.table ||
  b.tos - a.tos ||
  a.metric - b.metric ||
  a.order - b.order ||
  compareCidr(a.to, b.to)

/**
 * The routes of these tables whose prefix holds `ip`, the longest first. With `dev`, only those that it has a part in, and
 * those through no device.
 */
export const routesOver = (
  space: Space,
  tables: ReadonlyArray<number>,
  ip: Ip,
  dev: LinkEntry | null,
): ReadonlyArray<RouteEntry> => {
  const family = isIp4(ip) ? 4 : 6
  const found: RouteEntry[] = []
  const take = (routes: ReadonlyArray<RouteEntry>): void => {
    for (const route of routes) if (contains(route.to, ip)) found.push(route)
  }
  for (const table of tables) {
    const under = toTable(family, table)
    if (dev !== null) {
      take(routesOfKeys(space, dev.routes, under))
      take(routesOfKeys(space, space.now.loose, under))
    } else if (space.routes.sizeUnder(under) <= widthOf(family)) take(routesUnder(space, under))
    else
      for (let bits: number = widthOf(family); bits >= 0; bits--)
        take(routesTo(space, table, { ip: maskIp(ip, bits), bits }))
  }
  return found.sort(asMet)
}

/** Removes the routes of IPv6 through a device, each of which has one hop; the keys of those by a gateway, which are left. */
export const dropRoutes6 = (space: Space, link: LinkEntry): ReadonlyArray<string> => {
  const kept = link.routes.filter((key) => !key.startsWith('6/'))
  const left: string[] = []
  if (kept.length === link.routes.length) return left
  for (const key of link.routes) {
    if (!key.startsWith('6/')) continue
    const route = space.routes.get(key)
    if (route?.hops[0]?.via === null) {
      space.routes.remove(key)
      forgetSource(space, route, key)
    } else left.push(key)
  }
  change(space, link, { routes: [...kept, ...left] })
  return left
}

/** The route under a key, if it is still there. */
export const routeAt = (space: Space, key: string): RouteEntry | null => space.routes.get(key) ?? null
