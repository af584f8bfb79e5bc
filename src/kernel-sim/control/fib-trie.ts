// IPv4's routing tables: what a new route does to those of its prefix, which one a delete means, and what a lookup finds.
// Source: net/ipv4/fib_trie.c, fib_semantics.c (fib_find_info, fib_nh_match).

import type { Errno } from '../../kernel/errno.ts'
import type { RouteRequest, RouteType } from '../../kernel/rtnl/request.ts'
import type { Cidr } from '../../net/cidr.ts'
import { type Ip, isMulticast, MAX4 } from '../../net/ip.ts'
import type { IfName } from '../../net/name.ts'
import type { LinkEntry } from '../link-entry.ts'
import { type HopEntry, loopbackName, type RouteEntry, TABLES } from '../state.ts'
import type { Space } from './draft.ts'
import { rulesFor } from './fib-rules.ts'
import { hop, insertRoute, type NewRoute, removeRoute, replaceRoute, routesAt, routesOver, routesTo } from './table.ts'

/** Two hops are one whether or not their devices are up. */
const sameHop = (a: HopEntry, b: HopEntry): boolean =>
  a.via === b.via && a.dev === b.dev && a.weight === b.weight && a.onlink === b.onlink && a.direct === b.direct

const sameHops = (a: ReadonlyArray<HopEntry>, b: ReadonlyArray<HopEntry>): boolean =>
  a.length === b.length &&
  a.every((one, i) => {
    const other = b[i]
    return other !== undefined && sameHop(one, other)
  })

/** Whether two routes of one seat are one and the same to the kernel. */
const isSame = (a: NewRoute, b: NewRoute): boolean =>
  a.type === b.type &&
  a.proto === b.proto &&
  a.scope === b.scope &&
  a.source === b.source &&
  a.mtu === b.mtu &&
  sameHops(a.hops, b.hops)

export type How = Exclude<RouteRequest['do'], 'delete'>

/** fib_table_insert. The kernel's own routes are appended. */
export const insert4 = (space: Space, route: NewRoute, how: How): Errno | null => {
  const held = routesAt(space, route)
  const first = held[0]
  if (first === undefined) {
    if (how === 'change') return 'ENOENT'
    insertRoute(space, route)
    return null
  }
  if (how === 'add') return 'EEXIST'
  const match = held.find((other) => isSame(other, route))
  if (how === 'append') {
    if (match !== undefined) return 'EEXIST'
    insertRoute(space, route)
    return null
  }
  if (match !== undefined) return match === first ? null : 'EEXIST'
  replaceRoute(space, first, route)
  return null
}

/** What a deletion says of the route it means; null is anything. */
export type Meant4 = Readonly<{
  table: number
  to: Cidr
  tos: number
  type: RouteEntry['type'] | null
  scope: number | null
  source: Ip | null
  proto: number | null
  metric: number
  mtu: number | null
  via: Ip | null
  dev: IfName | null
  hops: ReadonlyArray<Pick<HopEntry, 'via' | 'dev'>>
}>

/** Routes that lead nowhere have one hop, which leads nowhere. */
const NOWHERE = hop(null)

/** fib_nh_match: each hop must be among those that are meant, in their order; weights, and what is meant beyond them, are not looked at. */
const matchesHops = ({ hops }: RouteEntry, meant: Meant4): boolean => {
  const [first] = hops
  if (meant.via !== null || meant.dev !== null)
    return (
      first !== undefined &&
      (meant.dev === null || first.dev === meant.dev) &&
      (meant.via === null || first.via === meant.via)
    )
  if (meant.hops.length === 0) return true
  return (hops.length === 0 ? [NOWHERE] : hops).every((has, i) => {
    const wanted = meant.hops[i]
    return (
      wanted !== undefined &&
      (wanted.dev === null || has.dev === wanted.dev) &&
      (wanted.via === null || has.via === wanted.via)
    )
  })
}

const isMeant = (route: RouteEntry, meant: Meant4): boolean =>
  route.tos === meant.tos &&
  (meant.type === null || route.type === meant.type) &&
  (meant.scope === null || route.scope === meant.scope) &&
  (meant.source === null || route.source === meant.source) &&
  (meant.proto === null || route.proto === meant.proto) &&
  (meant.metric === 0 || route.metric === meant.metric) &&
  (meant.mtu === null || route.mtu === meant.mtu) &&
  matchesHops(route, meant)

/** fib_table_delete: the preferred one of those that are meant. */
export const delete4 = (space: Space, meant: Meant4): Errno | null => {
  const found = routesTo(space, meant.table, meant.to).find((route) => isMeant(route, meant))
  if (found === undefined) return 'ESRCH'
  removeRoute(space, found)
  return null
}

/** Where a packet would go: the route, and which of its hops. */
export type Found = Readonly<{ route: RouteEntry; hop: HopEntry }>

/** What routes without a way answer to those who look (fib_props). */
const ANSWERS: Readonly<Partial<Record<RouteEntry['type'], Errno>>> = {
  blackhole: 'EINVAL',
  unreachable: 'EHOSTUNREACH',
  prohibit: 'EACCES',
  throw: 'EAGAIN',
} satisfies Partial<Record<RouteType, Errno>>

type Wanted = Readonly<{ to: Ip; scope: number; dev: LinkEntry | null }>

/** fib_table_lookup over tables that are looked at as one. EAGAIN: there is none. */
const lookIn = (space: Space, tables: ReadonlyArray<number>, { to, scope, dev }: Wanted): Found | Errno => {
  for (const route of routesOver(space, tables, to, dev)) {
    if (route.tos !== 0 || route.scope < scope) continue
    const answer = ANSWERS[route.type]
    if (answer !== undefined) return answer
    const good = route.hops.find((one) => !one.dead && (dev === null || one.dev === dev.name))
    if (good !== undefined) return { route, hop: good }
  }
  return 'EAGAIN'
}

/** One table. Until there are rules of somebody's own, `local` and `main` are one. */
export const lookInTable = (space: Space, table: number, wanted: Wanted): Found | Errno =>
  lookIn(space, space.now.customRules[4] || table < TABLES.main ? [table] : [TABLES.local, TABLES.main], wanted)

const byRules = (space: Space, wanted: Wanted): Found | Errno => {
  // It is as if it came from the loopback device (fib_check_nh_v4_gw).
  const search = { to: wanted.to, iif: loopbackName(space.now), oif: wanted.dev?.name ?? null }
  for (const { lookup, error, suppress } of rulesFor(space, 4, search)) {
    if (error !== null) return error
    const found = lookIn(space, [lookup], wanted)
    if (found === 'EAGAIN') continue
    if (typeof found !== 'string' && suppress !== null && found.route.to.bits <= suppress) continue
    return found
  }
  return 'ENETUNREACH'
}

/** Without rules of somebody's own: what nothing says in the others is asked of `default`. */
const withoutRules = (space: Space, wanted: Wanted): Found | Errno => {
  for (const tables of [[TABLES.local, TABLES.main], [TABLES.default]]) {
    const found = lookIn(space, tables, wanted)
    if (found !== 'EAGAIN') return found
  }
  return 'ENETUNREACH'
}

/** fib_lookup, of a packet of our own. Left of what finds nothing: ENETUNREACH, or a rule's or a route's own errno. */
export const lookup4 = (space: Space, wanted: Wanted): Found | Errno =>
  space.now.customRules[4] ? byRules(space, wanted) : withoutRules(space, wanted)

/** inet_addr_type_table: what an address is to a table; until there is a table `local`, all are broadcast addresses to it. */
export const typeOf = (space: Space, ip: Ip, table: number): RouteEntry['type'] => {
  if (ip === MAX4 || Number(ip) >>> 24 === 0) return 'broadcast'
  if (isMulticast(ip)) return 'multicast'
  if (table === TABLES.local && !space.now.local4) return 'broadcast'
  const found = lookInTable(space, table, { to: ip, scope: 0, dev: null })
  return typeof found === 'string' ? 'unicast' : found.route.type
}
