// Requests about routes: what ip-route(8) makes of them before the kernel sees them, and then each family's way.
// Source: iproute2's ip/iproute.c (iproute_modify), net/ipv4/fib_frontend.c (rtm_to_fib_config), net/ipv6/route.c
// (rtm_to_fib6_config, ip6_route_multipath_add).

import type { Errno } from '../../kernel/errno.ts'
import { DEFAULT_METRIC6 } from '../../kernel/object.ts'
import type { NextHop, RouteRequest } from '../../kernel/rtnl/request.ts'
import { cidrFamily, isNetwork } from '../../net/cidr.ts'
import { familyOf, type Ip, isIp4 } from '../../net/ip.ts'
import { E } from '../../prelude.ts'
import { TABLES } from '../state.ts'
import { linkOf, type Space } from './draft.ts'
import { checkRoute4 } from './fib-semantics.ts'
import { delete4, type How, insert4 } from './fib-trie.ts'
import { delete6, insert6 } from './fib6.ts'
import { checkRoute6 } from './route6.ts'
import { SCOPES, scopeNumber } from './scope.ts'
import { hasTable } from './table.ts'

/** RTPROT_BOOT. */
const BOOT = 3
const MOST_WEIGHT = 256
/** The low bits of a TOS are ECN's (INET_ECN_MASK). */
const ECN = 3

const OWN_TABLE: ReadonlySet<RouteRequest['type']> = new Set(['local', 'broadcast'])

const tableOf = ({ table, type }: RouteRequest): number => table ?? (OWN_TABLE.has(type) ? TABLES.local : TABLES.main)

/** The hops that are asked for; none where there is neither gateway nor device. */
const hopsOf = ({ via, dev, onlink, hops }: RouteRequest): ReadonlyArray<NextHop> => {
  if (hops !== undefined) return hops
  if (via === undefined && dev === undefined && onlink !== true) return []
  return [
    {
      ...(via === undefined ? {} : { via }),
      ...(dev === undefined ? {} : { dev }),
      ...(onlink === undefined ? {} : { onlink }),
    },
  ]
}

/** What ip-route(8) itself refuses, in its order. */
const refusal = (space: Space, ask: RouteRequest): Errno | null => {
  const family = cidrFamily(ask.to)
  const isOther = (ip: Ip | undefined): boolean => ip !== undefined && familyOf(ip) !== family
  if (isOther(ask.via) || isOther(ask.src)) return 'EINVAL'
  if (ask.dev !== undefined && linkOf(space, ask.dev) === null) return 'ENODEV'
  for (const { via, dev, weight } of ask.hops ?? []) {
    if (isOther(via)) return 'EINVAL'
    if (dev !== undefined && linkOf(space, dev) === null) return 'ENODEV'
    if (weight !== undefined && (weight < 1 || weight > MOST_WEIGHT)) return 'EINVAL'
  }
  return null
}

/** The narrowest that fits, as ip-route(8) fills it in. */
const scopeOf4 = ({ scope, type, via, hops }: RouteRequest): number => {
  if (scope !== undefined) return scopeNumber(scope)
  if (type === 'local') return SCOPES.host
  if (type === 'broadcast') return SCOPES.link
  const isDirect = (type ?? 'unicast') === 'unicast' && via === undefined && hops === undefined
  return isDirect ? SCOPES.link : SCOPES.global
}

const put4 = (space: Space, ask: RouteRequest, how: How): Errno | null => {
  if (((ask.tos ?? 0) & ECN) !== 0) return 'EINVAL'
  const checked = checkRoute4(space, {
    to: ask.to,
    type: ask.type ?? 'unicast',
    hops: hopsOf(ask),
    table: tableOf(ask),
    tos: ask.tos ?? 0,
    metric: ask.metric ?? 0,
    proto: ask.proto ?? BOOT,
    scope: scopeOf4(ask),
    source: ask.src ?? null,
    mtu: ask.mtu ?? null,
  })
  return E.isLeft(checked) ? checked.left : insert4(space, checked.right, how)
}

/** Of a deletion, a scope is only said where a type is. */
const scopeMeant = ({ scope, type }: RouteRequest): number | null => {
  if (scope !== undefined) return scopeNumber(scope)
  if (type === 'local') return SCOPES.host
  if (type === 'broadcast') return SCOPES.link
  return type === undefined || type === 'unicast' ? null : SCOPES.global
}

const remove4 = (space: Space, ask: RouteRequest): Errno | null => {
  const table = tableOf(ask)
  if (((ask.tos ?? 0) & ECN) !== 0) return 'EINVAL'
  if (!hasTable(space, 4, table)) return 'ESRCH'
  if (!isNetwork(ask.to)) return 'EINVAL'
  return delete4(space, {
    table,
    to: ask.to,
    tos: ask.tos ?? 0,
    type: ask.type ?? null,
    scope: scopeMeant(ask),
    source: ask.src ?? null,
    proto: ask.proto ?? null,
    metric: ask.metric ?? 0,
    mtu: ask.mtu ?? null,
    via: ask.via === undefined || ask.via === 0 ? null : ask.via,
    dev: ask.dev ?? null,
    hops: (ask.hops ?? []).map(({ via, dev, weight }) => ({ via: via ?? null, dev: dev ?? null, weight: weight ?? 1 })),
  })
}

/** All hops are looked at before the first is put in; the first is put in as asked for, the others join it. */
const put6 = (space: Space, ask: RouteRequest, how: How): Errno | null => {
  const wanted = {
    to: ask.to,
    type: ask.type ?? 'unicast',
    table: tableOf(ask),
    tos: 0,
    metric: ask.metric || DEFAULT_METRIC6,
    proto: ask.proto ?? BOOT,
    scope: 0,
    source: ask.src ?? null,
    mtu: ask.mtu ?? null,
  } as const
  const hops = hopsOf(ask)
  const routes = (hops.length === 0 ? [{}] : hops).map((one) => checkRoute6(space, wanted, one))
  for (const [at, route] of routes.entries()) {
    if (E.isLeft(route)) return route.left
    if (ask.hops !== undefined && route.right.hops[0]?.via === null) return 'EINVAL'
    if (at === routes.length - 1) break
  }
  for (const [at, route] of routes.entries()) {
    const errno = E.isLeft(route) ? route.left : insert6(space, route.right, at === 0 ? how : 'append')
    if (errno !== null) return errno
  }
  return null
}

const remove6 = (space: Space, ask: RouteRequest): Errno | null => {
  const table = tableOf(ask)
  if (!hasTable(space, 6, table)) return 'ESRCH'
  const meant = { table, to: ask.to, metric: ask.metric ?? 0, proto: ask.proto ?? null }
  if (ask.hops === undefined) return delete6(space, { ...meant, dev: ask.dev ?? null, via: ask.via ?? null })
  let last: Errno | null = null
  for (const { via, dev } of ask.hops) {
    const errno = delete6(space, { ...meant, dev: dev ?? null, via: via ?? null })
    if (errno !== null) last = errno
  }
  return last
}

export const askRoute = (space: Space, ask: RouteRequest): Errno | null => {
  const errno = refusal(space, ask)
  if (errno !== null) return errno
  if (isIp4(ask.to.ip)) return ask.do === 'delete' ? remove4(space, ask) : put4(space, ask, ask.do)
  return ask.do === 'delete' ? remove6(space, ask) : put6(space, ask, ask.do)
}
