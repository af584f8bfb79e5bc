// Routes of the main table: which next hops Linux accepts, and which route a delete means.
// Sources: net/ipv4/fib_semantics.c (fib_check_nh, fib_nh_match), fib_trie.c; net/ipv6/route.c (fib6_nh_init,
// ip6_validate_gw, ip6_route_del), ip6_fib.c (fib6_add_rt2node).

import type { Errno } from '../../kernel/errno.ts'
import { DEFAULT_METRIC6, type Route } from '../../kernel/object.ts'
import { type Cidr, cidrFamily, contains, isNetwork, lastOf, networkOf } from '../../net/cidr.ts'
import { familyOf, type Ip, isIp4, isLinkLocal, isMulticast, isUnspecified } from '../../net/ip.ts'
import { E, type Either } from '../../prelude.ts'
import type { LinkEntry, RouteEntry } from '../state.ts'
import { type Draft, linkOf, linksOf, type Space, spaceOf } from './draft.ts'
import { disabled6, runs4, runs6 } from './inet.ts'
import { insertRoute, removeRoute, replaceRoute, routeAt, routesThrough, routeThrough } from './table.ts'

/**
 * What a request says once iproute2 and the kernel have read it: `0.0.0.0` is no gateway, IPv6 host bits are dropped and
 * its default metric is a number.
 */
type Request = Readonly<{ space: Space; link: LinkEntry; to: Cidr; via: Ip | null; metric: number }>

const read = (draft: Draft, { ns, to, via, dev, metric }: Route): Either<Errno, Request> => {
  const space = spaceOf(draft, ns)
  if (space === null) return E.left('ENOENT')
  if (via !== null && familyOf(via) !== cidrFamily(to)) return E.left('EINVAL')
  const link = linkOf(space, dev)
  if (link === null) return E.left('ENODEV')
  if (!isIp4(to.ip)) return E.right({ space, link, to: networkOf(to), via, metric: metric || DEFAULT_METRIC6 })
  return isNetwork(to) ? E.right({ space, link, to, via: via === 0 ? null : via, metric }) : E.left('EINVAL')
}

/** A gateway must be an own address of the device, or on a network that the device is on without a gateway. */
const refusal4 = ({ space, link, via }: Request): Errno | null => {
  if (!runs4(link)) return 'ENODEV'
  if (via === null) return link.up ? null : 'ENETDOWN'
  if (!link.up) return 'ENETUNREACH'
  const loopback = link.spec.type === 'loopback'
  const four = link.addresses.filter(({ cidr }) => isIp4(cidr.ip))
  if (four.some(({ cidr }) => cidr.ip === via || (loopback && contains(cidr, via)))) return null
  if (four.some(({ cidr }) => cidr.bits < 31 && lastOf(cidr) === via)) return 'EINVAL'
  const onLink = routesThrough(space, link).some((route) => route.via === null && contains(route.to, via))
  return onLink ? null : 'ENETUNREACH'
}

const isOwn6 = (space: Space, link: LinkEntry, via: Ip): boolean => {
  const has = (other: LinkEntry): boolean => other.addresses.some(({ cidr }) => cidr.ip === via)
  return isLinkLocal(via) ? has(link) : linksOf(space).some(has)
}

/** The longest prefix of the device decides, and must not itself need a gateway. */
const reaches6 = (space: Space, link: LinkEntry, via: Ip): boolean => {
  let best: RouteEntry | null = null
  for (const route of routesThrough(space, link)) {
    if (!contains(route.to, via)) continue
    const longer = best === null ? 1 : route.to.bits - best.to.bits || best.metric - route.metric
    if (longer > 0) best = route
  }
  return best !== null && best.via === null
}

const gatewayRefusal6 = (space: Space, link: LinkEntry, via: Ip): Errno | null => {
  if (isOwn6(space, link, via) || isMulticast(via) || isUnspecified(via)) return 'EINVAL'
  if (!isLinkLocal(via) && !reaches6(space, link, via)) return 'EHOSTUNREACH'
  return link.spec.type === 'loopback' ? 'EINVAL' : null
}

const refusal6 = ({ space, link, via }: Request): Errno | null => {
  if (!runs6(link)) return 'ENODEV'
  const refusal = via === null ? null : gatewayRefusal6(space, link, via)
  if (refusal !== null) return refusal
  if (disabled6(link)) return 'EACCES'
  return link.up ? null : 'ENETDOWN'
}

/** `add` refuses a second route of a prefix and metric; `replace` puts it into the place of the first. */
export const putRoute = (draft: Draft, route: Route, how: 'add' | 'replace'): Errno | null => {
  const request = read(draft, route)
  if (E.isLeft(request)) return request.left
  const { space, link, to, via, metric } = request.right
  const errno = isIp4(to.ip) ? refusal4(request.right) : refusal6(request.right)
  if (errno !== null) return errno
  const held = routeAt(space, to, metric)
  if (held !== null && how === 'add') return 'EEXIST'
  const entry = { to, via, metric, origin: 'user', source: null } as const
  if (held === null) insertRoute(space, link, entry)
  else replaceRoute(space, link, held, entry)
  return null
}

/** The preferred route of ours to this prefix through this device; an IPv4 metric of 0 and no gateway mean any. */
export const deleteRoute = (draft: Draft, route: Route): Errno | null => {
  const request = read(draft, route)
  if (E.isLeft(request)) return request.left
  const { space, link, to, via, metric } = request.right
  const meant = (held: RouteEntry): boolean =>
    held.origin === 'user' && (metric === 0 || metric === held.metric) && (via === null || via === held.via)
  const found = routeThrough(space, link, to, meant)
  if (found === null) return 'ESRCH'
  removeRoute(space, link, found)
  return null
}
