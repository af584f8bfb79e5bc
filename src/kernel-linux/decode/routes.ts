// `ip -j -d route show table all`: the unicast routes of the main table, without those that the kernel or a router
// advertisement put there. A route with several next hops is not modelled.

import type { Route } from '../../kernel/object.ts'
import { type Cidr, cidrFamily, DEFAULT4, DEFAULT6, parseCidr } from '../../net/cidr.ts'
import { parseIp, widthOf } from '../../net/ip.ts'
import { type Ns, parseIfName } from '../../net/name.ts'
import { E } from '../../prelude.ts'
import { fields, type Json, list, text, whole } from './json.ts'

const NOT_ASKED_FOR = new Set(['kernel', 'ra', 'redirect'])
/** IP6_RT_PRIO_USER (net/ipv6.h): what an IPv6 route without a metric gets. */
const DEFAULT_METRIC6 = 1024

/** The family of `default` shows in the gateway; without one, only IPv6 routes have a preference. */
const isDefault6 = (route: Json): boolean => (text(route['gateway']) ?? '').includes(':') || route['pref'] !== undefined

const destinationOf = (route: Json): Cidr | null => {
  const dst = text(route['dst']) ?? ''
  if (dst === 'default') return isDefault6(route) ? DEFAULT6 : DEFAULT4
  const cidr = parseCidr(dst.includes('/') ? dst : `${dst}/${widthOf(dst.includes(':') ? 6 : 4)}`)
  return E.isRight(cidr) ? cidr.right : null
}

const metricOf = (route: Json, to: Cidr): number => {
  const metric = whole(route['metric']) ?? 0
  return cidrFamily(to) === 6 && metric === DEFAULT_METRIC6 ? 0 : metric
}

const routeOf = (ns: Ns, route: Json): ReadonlyArray<Route> => {
  if (route['type'] !== 'unicast' || (route['table'] ?? 'main') !== 'main') return []
  if (NOT_ASKED_FOR.has(text(route['protocol']) ?? '')) return []
  const dev = parseIfName(text(route['dev']) ?? '')
  const to = destinationOf(route)
  const gateway = text(route['gateway'])
  const via = gateway === null ? E.right(null) : parseIp(gateway)
  if (E.isLeft(dev) || to === null || E.isLeft(via) || route['via'] !== undefined) return []
  return [{ kind: 'route', ns, to, via: via.right, dev: dev.right, metric: metricOf(route, to) }]
}

export const decodeRoutes = (ns: Ns, json: unknown): ReadonlyArray<Route> =>
  list(json).flatMap((route) => routeOf(ns, fields(route)))
