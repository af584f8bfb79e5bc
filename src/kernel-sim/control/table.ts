// The main routing table: routes by prefix, metric and order of arrival, and the list that each device keeps of its own.
// Invariant: `link.routes` holds exactly the keys of the routes whose `dev` it is.

import type { Cidr } from '../../net/cidr.ts'
import { type Family, isIp4 } from '../../net/ip.ts'
import { entriesUnder, getIn, removeIn, setIn } from '../../net/pmap.ts'
import type { LinkEntry, RouteEntry } from '../state.ts'
import { change, linkOf, type Space } from './draft.ts'

/** A whole number as text that sorts as the number does: how many digits, then the digits. */
const rising = (n: number): string => {
  const digits = String(n)
  return digits.length.toString(36) + digits
}

const toPrefix = ({ ip, bits }: Cidr): string => (isIp4(ip) ? `4/${ip}/${bits}/` : `6/${ip.toString(16)}/${bits}/`)
const toMetric = (to: Cidr, metric: number): string => `${toPrefix(to)}${rising(metric)}/`
const toRoute = ({ to, metric, order }: RouteEntry): string => toMetric(to, metric) + rising(order)

/** The preferred route of this prefix and metric. */
export const routeAt = (space: Space, to: Cidr, metric: number): RouteEntry | null =>
  entriesUnder(space.now.routes, toMetric(to, metric))[0]?.[1] ?? null

const hold = (space: Space, link: LinkEntry, key: string): LinkEntry =>
  change(space, link, { routes: [...link.routes, key] })

const letGo = (space: Space, link: LinkEntry, key: string): LinkEntry =>
  change(space, link, { routes: link.routes.filter((other) => other !== key) })

type NewRoute = Omit<RouteEntry, 'dev' | 'order'>

const put = (space: Space, { name: dev }: LinkEntry, { to, via, metric, origin, source }: NewRoute, order: number) => {
  const entry: RouteEntry = { to, via, dev, metric, origin, source, order }
  const key = toRoute(entry)
  space.now.routes = setIn(space.now.routes, key, entry)
  return key
}

/** Adds a route through `link` after those of its prefix and metric. */
export const insertRoute = (space: Space, link: LinkEntry, route: NewRoute): LinkEntry =>
  hold(space, link, put(space, link, route, space.now.nextOrder++))

/** Removes a route through `link`. */
export const removeRoute = (space: Space, link: LinkEntry, key: string): LinkEntry => {
  space.now.routes = removeIn(space.now.routes, key)
  return letGo(space, link, key)
}

/** Puts a route through `link` into the place of another one of its prefix and metric. */
export const replaceRoute = (space: Space, link: LinkEntry, old: RouteEntry, route: NewRoute): void => {
  const key = put(space, link, route, old.order)
  const from = linkOf(space, old.dev)
  if (from !== null) letGo(space, from, key)
  hold(space, linkOf(space, link.name) ?? link, key)
}

/** The routes through a device. */
export const routesThrough = (space: Space, link: LinkEntry): ReadonlyArray<RouteEntry> => {
  const routes: RouteEntry[] = []
  for (const key of link.routes) {
    const route = getIn(space.now.routes, key)
    if (route !== undefined) routes.push(route)
  }
  return routes
}

/** The key of the preferred route through a device to exactly this prefix that passes `test`, or null. */
export const routeThrough = (
  space: Space,
  link: LinkEntry,
  to: Cidr,
  test: (route: RouteEntry) => boolean,
): string | null => {
  if (link.routes.length === 0) return null
  const prefix = toPrefix(to)
  let best: string | null = null
  for (const key of link.routes) {
    if (!key.startsWith(prefix) || (best !== null && best < key)) continue
    const route = getIn(space.now.routes, key)
    if (route !== undefined && test(route)) best = key
  }
  return best
}

/** Removes the routes through a device that goes itself. */
export const dropRoutes = (space: Space, link: LinkEntry): void => {
  for (const key of link.routes) space.now.routes = removeIn(space.now.routes, key)
}

/** Removes the routes through a device, of one family or (null) of both. */
export const flushRoutes = (space: Space, link: LinkEntry, family: Family | null): LinkEntry => {
  const goes = (key: string): boolean => family === null || key.startsWith(`${family}/`)
  const kept = link.routes.filter((key) => !goes(key))
  if (kept.length === link.routes.length) return link
  for (const key of link.routes) if (goes(key)) space.now.routes = removeIn(space.now.routes, key)
  return change(space, link, { routes: kept })
}
