// The main routing table: routes by prefix, metric and order of arrival, and the list that each device keeps of its own.
// Invariant: `link.routes` holds exactly the keys of the routes whose `dev` it is.

import { type Cidr, cidrFamily } from '../../net/cidr.ts'
import type { Family } from '../../net/ip.ts'
import type { IfName } from '../../net/name.ts'
import { entriesUnder, getIn, removeIn, setIn } from '../../net/pmap.ts'
import type { LinkEntry, NsEntry, RouteEntry } from '../state.ts'
import { putLink } from './world.ts'

const toPrefix = (to: Cidr): string => `${cidrFamily(to)}/${to.ip.toString(36)}/${to.bits}/`
const toMetric = (to: Cidr, metric: number): string => `${toPrefix(to)}${metric.toString(36).padStart(7, '0')}/`
const toRoute = (route: RouteEntry): string =>
  `${toMetric(route.to, route.metric)}${route.order.toString(36).padStart(8, '0')}`

/** The preferred route of this prefix and metric. */
export const routeAt = (space: NsEntry, to: Cidr, metric: number): readonly [string, RouteEntry] | null => {
  for (const entry of entriesUnder(space.routes, toMetric(to, metric))) return entry
  return null
}

const hold = (space: NsEntry, dev: IfName, f: (keys: ReadonlyArray<string>) => ReadonlyArray<string>): NsEntry => {
  const link = getIn(space.links, dev)
  return link === undefined ? space : putLink(space, { ...link, routes: f(link.routes) })
}

/** Adds a route after those of its prefix and metric. */
export const insertRoute = (space: NsEntry, route: Omit<RouteEntry, 'order'>): NsEntry => {
  const entry = { ...route, order: space.nextOrder }
  const key = toRoute(entry)
  const next = { ...space, nextOrder: space.nextOrder + 1, routes: setIn(space.routes, key, entry) }
  return hold(next, route.dev, (keys) => [...keys, key])
}

export const removeRoute = (space: NsEntry, key: string): NsEntry => {
  const route = getIn(space.routes, key)
  if (route === undefined) return space
  const next = { ...space, routes: removeIn(space.routes, key) }
  return hold(next, route.dev, (keys) => keys.filter((other) => other !== key))
}

/** Puts a route into the place of another one of its prefix and metric. */
export const replaceRoute = (space: NsEntry, key: string, route: Omit<RouteEntry, 'order'>): NsEntry => {
  const old = getIn(space.routes, key)
  if (old === undefined) return insertRoute(space, route)
  const next = { ...space, routes: setIn(space.routes, key, { ...route, order: old.order }) }
  const freed = hold(next, old.dev, (keys) => keys.filter((other) => other !== key))
  return hold(freed, route.dev, (keys) => [...keys, key])
}

/** The routes through a device. */
export const routesThrough = (space: NsEntry, link: LinkEntry): ReadonlyArray<RouteEntry> => {
  const routes: RouteEntry[] = []
  for (const key of link.routes) {
    const route = getIn(space.routes, key)
    if (route !== undefined) routes.push(route)
  }
  return routes
}

/** The preferred route through a device to exactly this prefix that passes `test`. */
export const routeThrough = (
  space: NsEntry,
  dev: IfName,
  to: Cidr,
  test: (route: RouteEntry) => boolean,
): readonly [string, RouteEntry] | null => {
  const prefix = toPrefix(to)
  let best: readonly [string, RouteEntry] | null = null
  for (const key of getIn(space.links, dev)?.routes ?? []) {
    if (!key.startsWith(prefix) || (best !== null && best[0] < key)) continue
    const route = getIn(space.routes, key)
    if (route !== undefined && test(route)) best = [key, route]
  }
  return best
}

/** Removes the routes through a device, of one family or (null) of both. */
export const flushRoutes = (space: NsEntry, dev: IfName, family: Family | null): NsEntry => {
  const link = getIn(space.links, dev)
  if (link === undefined || link.routes.length === 0) return space
  const kept: string[] = []
  let { routes } = space
  for (const key of link.routes) {
    if (family === null || key.startsWith(`${family}/`)) routes = removeIn(routes, key)
    else kept.push(key)
  }
  return putLink({ ...space, routes }, { ...link, routes: kept })
}
