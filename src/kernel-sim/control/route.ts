// Requests about routes, each family's way.
// Source: iproute2's ip/iproute.c (iproute_modify), net/ipv4/fib_frontend.c (rtm_to_fib_config), net/ipv6/route.c
// (rtm_to_fib6_config, ip6_route_multipath_add).

import type { Errno } from '../../kernel/errno.ts'
import { DEFAULT_METRIC6 } from '../../kernel/object.ts'
import { BOOT_PROTO, NOWHERE, routeScope, routeTable } from '../../kernel/rtnl/chosen.ts'
import type { NextHop, RouteRequest } from '../../kernel/rtnl/request.ts'
import { isNetwork, networkOf } from '../../net/cidr.ts'
import { isIp4 } from '../../net/ip.ts'
import { E } from '../../prelude.ts'
import { TABLES } from '../state.ts'
import { isSince } from '../version.ts'
import type { Space } from './draft.ts'
import { checkRoute4 } from './fib-semantics.ts'
import { delete4, type How, insert4 } from './fib-trie.ts'
import { delete6, insert6, sameWay } from './fib6.ts'
import { checkRoute6 } from './route6.ts'
import { hasTable, type NewRoute, openTable6 } from './table.ts'

/** The low bits of a TOS are ECN's (INET_ECN_MASK). */
const ECN = 3

/** The hops that are asked for; none where there is neither gateway nor device. */
const hopsOf = (ask: RouteRequest): ReadonlyArray<NextHop> => {
  const { via, dev, onlink, hops } = ask
  if (hops !== undefined) return hops
  return via === undefined && dev === undefined && onlink !== true ? [] : [ask]
}

const put4 = (space: Space, ask: RouteRequest, how: How): Errno | null => {
  if (((ask.tos ?? 0) & ECN) !== 0 || !isNetwork(ask.to)) return 'EINVAL'
  const table = routeTable(ask)
  if (table === TABLES.local) space.now.local4 = true
  const checked = checkRoute4(space, {
    to: ask.to,
    type: ask.type ?? 'unicast',
    hops: hopsOf(ask),
    several: ask.hops !== undefined,
    table,
    tos: ask.tos ?? 0,
    metric: ask.metric ?? 0,
    proto: ask.proto ?? BOOT_PROTO,
    scope: routeScope(ask),
    source: ask.src ?? null,
    mtu: ask.mtu ?? null,
  })
  return E.isLeft(checked) ? checked.left : insert4(space, checked.right, how)
}

const remove4 = (space: Space, ask: RouteRequest): Errno | null => {
  const scope = routeScope(ask)
  const table = routeTable(ask)
  if (((ask.tos ?? 0) & ECN) !== 0 || !isNetwork(ask.to)) return 'EINVAL'
  if (!hasTable(space, 4, table)) return 'ESRCH'
  return delete4(space, {
    table,
    to: ask.to,
    tos: ask.tos ?? 0,
    type: ask.type ?? null,
    scope: scope === NOWHERE ? null : scope,
    source: ask.src ?? null,
    proto: ask.proto ?? null,
    metric: ask.metric ?? 0,
    mtu: ask.mtu ?? null,
    via: ask.via === undefined || ask.via === 0 ? null : ask.via,
    dev: ask.dev ?? null,
    hops: (ask.hops ?? []).map(({ via, dev }) => ({ via: via ?? null, dev: dev ?? null })),
  })
}

/** IPv6 knows neither a TOS nor a gateway of IPv4. */
const isForeign6 = ({ tos, via }: RouteRequest): boolean => (tos ?? 0) !== 0 || (via !== undefined && isIp4(via))

/** Nor does it look at one of a hop of several: that has none then. */
const hopsOf6 = (ask: RouteRequest): ReadonlyArray<NextHop> =>
  hopsOf(ask).map(({ via, ...rest }) => (via === undefined || isIp4(via) ? rest : { via, ...rest }))

/**
 * All hops are looked at before the first is put in; the first is put in as asked for, the others join it. That each of several has
 * a gateway is looked at first, and before 6.16 after all else of the hop.
 */
const put6 = (space: Space, ask: RouteRequest, how: How): Errno | null => {
  if (isForeign6(ask)) return 'EINVAL'
  const wanted = {
    to: ask.to,
    type: ask.type ?? 'unicast',
    table: routeTable(ask),
    tos: 0,
    metric: ask.metric || DEFAULT_METRIC6,
    proto: ask.proto ?? BOOT_PROTO,
    scope: 0,
    source: ask.src ?? null,
    mtu: ask.mtu ?? null,
  } as const
  const hops = hopsOf6(ask)
  const isFirst = isSince(space.draft.world.linux, 6, 16)
  if (isFirst && ask.hops !== undefined && hops.some(({ via }) => via === undefined)) return 'EINVAL'
  openTable6(space, wanted.table)
  const routes = (hops.length === 0 ? [{}] : hops).map((one) => checkRoute6(space, wanted, one))
  const seen: NewRoute[] = []
  for (const route of routes) {
    if (E.isLeft(route)) return route.left
    if (!isFirst && ask.hops !== undefined && route.right.hops[0]?.via === null) return 'EINVAL'
    if (seen.some((other) => sameWay(other, route.right))) return 'EEXIST'
    seen.push(route.right)
  }
  for (const [at, route] of seen.entries()) {
    const errno = insert6(space, route, at === 0 ? how : 'append')
    if (errno !== null) return errno
  }
  return null
}

/** Bits behind the prefix are not looked at (fib6_locate). */
const remove6 = (space: Space, ask: RouteRequest): Errno | null => {
  if (isForeign6(ask)) return 'EINVAL'
  const table = routeTable(ask)
  if (!hasTable(space, 6, table)) return 'ESRCH'
  const meant = { table, to: networkOf(ask.to), metric: ask.metric ?? 0, proto: ask.proto ?? null }
  if (ask.hops === undefined) return delete6(space, { ...meant, dev: ask.dev ?? null, via: ask.via ?? null, all: true })
  let last: Errno | null = null
  for (const { via, dev } of hopsOf6(ask)) {
    const errno = delete6(space, { ...meant, dev: dev ?? null, via: via ?? null, all: false })
    if (errno !== null) last = errno
  }
  return last
}

export const askRoute = (space: Space, ask: RouteRequest): Errno | null => {
  if (isIp4(ask.to.ip)) return ask.do === 'delete' ? remove4(space, ask) : put4(space, ask, ask.do)
  return ask.do === 'delete' ? remove6(space, ask) : put6(space, ask, ask.do)
}
