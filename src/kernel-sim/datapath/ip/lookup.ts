// What the routing tables say of a packet: the route, and which of its hops; or why there is none.
// Sources: net/ipv4/fib_frontend.c (fib_lookup), fib_trie.c (fib_table_lookup), fib_semantics.c (fib_props, fib_select_path);
// net/ipv6/route.c (fib6_table_lookup, rt6_select, find_match, fib6_select_path). Not modelled: the choice between default
// routes of one metric by the state of their gateways (fib_select_default, RTF_PREF).

import { type Ip, type Ip4, isIp4, isUnspecified } from '../../../net/ip.ts'
import type { IfName } from '../../../net/name.ts'
import { getIn } from '../../../net/pmap.ts'
import { SCOPES } from '../../control/scope.ts'
import { hop as hopBy } from '../../control/table.ts'
import { type HopEntry, loopbackName, type NsEntry, type RouteEntry, rulesInForce, TABLES } from '../../state.ts'
import { select4 } from './address.ts'
import { flowHash, upperBounds } from './flow-hash.ts'
import { byRules, type Flow, NOT_HERE, NOWHERE, type Refusal } from './rules.ts'
import { NO_TABLE, type Table, type Tables, tablesOf } from './tables.ts'

export type Found = Readonly<{ route: RouteEntry; hop: HopEntry }>
export type Answer = Found | Refusal

const refusalOf = (type: RouteEntry['type'], errno: Refusal['errno']): Refusal => ({
  errno,
  by: { tag: 'route', type },
})

/** What routes answer that lead nowhere. */
const ENDS: Readonly<Partial<Record<RouteEntry['type'], Refusal>>> = {
  blackhole: refusalOf('blackhole', 'EINVAL'),
  unreachable: refusalOf('unreachable', 'EHOSTUNREACH'),
  prohibit: refusalOf('prohibit', 'EACCES'),
  throw: refusalOf('throw', 'EAGAIN'),
}

/** The bits of a packet's type of service that a route's is compared with (INET_DSCP_LEGACY_TOS_MASK). */
const TOS = 0x1c

const lookIn4 = (table: Table, dst: number, tos: number, oif: string | null): Answer => {
  for (const level of table) {
    // Cast: an address and a mask of IPv4 make one of IPv4.
    const routes = level.routes.get(((dst & level.mask) >>> 0) as Ip)
    if (routes === undefined) continue
    for (const route of routes) {
      if (route.tos !== 0 && route.tos !== (tos & TOS)) continue
      const end = ENDS[route.type]
      if (end !== undefined) return end
      for (const hop of route.hops) if (!hop.dead && (oif === null || hop.dev === oif)) return { route, hop }
    }
  }
  return NOT_HERE
}

/** A host that has no rules of its own looks in two tables as if they were one, and then in `default`, unless a route refuses. */
const withoutRules4 = ({ merged4, four }: Tables, { dst, tos, oif }: Flow): Answer => {
  const main = lookIn4(merged4, Number(dst), tos, oif)
  if (!('errno' in main) || main.errno !== 'EAGAIN') return main
  const rest = four.get(TABLES.default)
  const last = rest === undefined ? main : lookIn4(rest, Number(dst), tos, oif)
  return 'errno' in last && last.errno === 'EAGAIN' ? NOWHERE : last
}

/** As `Found`, the hop chosen among several; `src` counts if it is an address of a hop's device. */
const spread4 = (entry: NsEntry, found: Found, src: Ip | null, hash: number): Found => {
  const { route } = found
  const bounds = upperBounds(route.hops.map(({ dead, weight }) => (dead ? 0 : weight)))
  let [best, chosen] = [0, found.hop]
  for (const [i, hop] of route.hops.entries()) {
    const bound = bounds[i] ?? -1
    if (bound < 0) continue
    const dev = src === null || hop.dev === null ? undefined : getIn(entry.links, hop.dev)
    const isOwn = dev !== undefined && select4(entry, dev, hop.via ?? (0 as Ip), route.scope) === src
    const score = (isOwn ? 2 : 0) + (hash <= bound ? 1 : 0)
    if (score > best) [best, chosen] = [score, hop]
  }
  return { route, hop: chosen }
}

/** fib_lookup: without a choice among several hops. */
export const find4 = (entry: NsEntry, flow: Flow): Answer => {
  const tables = tablesOf(entry.routes)
  if (!entry.customRules[4]) return withoutRules4(tables, flow)
  return byRules(entry.rules[4], flow, (table) =>
    lookIn4(tables.four.get(table) ?? NO_TABLE, Number(flow.dst), flow.tos, flow.oif),
  )
}

/** How fit a route is for a packet: -1, not at all. */
const fitness = ({ hops }: RouteEntry, { oif, near, strict }: Flow): number => {
  const hop = hops[0]
  const by = near ?? oif
  if (hop?.dead === true) return -1
  if (by === null || hop === undefined || hop.dev === by) return 2
  return strict ? -1 : 0
}

const fittest = (routes: ReadonlyArray<RouteEntry>, flow: Flow): RouteEntry | null => {
  let [best, chosen]: [number, RouteEntry | null] = [-1, null]
  for (const route of routes) {
    const fit = fitness(route, flow)
    if (fit > best) [best, chosen] = [fit, route]
  }
  return chosen
}

/** Of the routes of one prefix those of the lowest metric come first; all others together after them. */
const choose6 = (routes: ReadonlyArray<RouteEntry>, flow: Flow): RouteEntry | null => {
  const [head] = routes
  if (head === undefined) return null
  if (routes.length === 1) return fitness(head, flow) < 0 ? null : head
  const first = routes.filter(({ metric }) => metric === head.metric)
  return fittest(first, flow) ?? fittest(routes.slice(first.length), flow)
}

const NO_HOP: HopEntry = hopBy(null)

/** Only routes by a gateway share packets among them (rt6_qualify_for_ecmp); one that was asked for by its device does not. */
const spread6 = (routes: ReadonlyArray<RouteEntry>, found: RouteEntry, flow: Flow, hash: number): RouteEntry => {
  const hop = found.hops[0]
  if (hop === undefined || hop.via === null || hop.dev === flow.oif) return found
  const siblings = routes.filter(({ metric, hops }) => metric === found.metric && hops[0]?.via != null)
  if (siblings.length < 2) return found
  const bounds = upperBounds(siblings.map((route) => (fitness(route, flow) < 0 ? 0 : (route.hops[0]?.weight ?? 1))))
  const at = bounds.findIndex((bound) => hash <= bound)
  return siblings[at] ?? found
}

const lookIn6 = (table: Table, flow: Flow, hash: () => number): Answer => {
  // Cast: the caller has looked at the family.
  const dst = flow.dst as bigint
  for (const level of table) {
    // Cast: as above.
    const routes = level.routes.get((dst & level.mask6) as Ip)
    const found = routes === undefined ? null : choose6(routes, flow)
    if (routes === undefined || found === null) continue
    const end = ENDS[found.type]
    if (end !== undefined) return end
    const route = routes.length === 1 ? found : spread6(routes, found, flow, hash())
    return { route, hop: route.hops[0] ?? NO_HOP }
  }
  return NOT_HERE
}

/** What the hash of a packet is made of: its addresses, or, of an ICMP error, those of what it is about. */
export type Hashed = Readonly<{ src: Ip | null; dst: Ip }>

/** The route of a packet. `hashed` decides among several hops; `forOwn`: a packet of our own, which may prefer its source's. */
export const find = (entry: NsEntry, flow: Flow, hashed: Hashed = flow, forOwn = false): Answer => {
  const hash = (): number => flowHash(hashed.src, hashed.dst)
  if (isIp4(flow.dst)) {
    const found = find4(entry, flow)
    if ('errno' in found || found.route.hops.length < 2 || flow.oif !== null) return found
    return spread4(entry, found, forOwn ? flow.src : null, hash())
  }
  const { six } = tablesOf(entry.routes)
  return byRules(rulesInForce(entry, 6), flow, (table) => lookIn6(six.get(table) ?? NO_TABLE, flow, hash))
}

const inLocal4 = ({ customRules, routes }: NsEntry, ip: Ip4): Answer => {
  const { four, merged4 } = tablesOf(routes)
  return lookIn4(customRules[4] ? (four.get(TABLES.local) ?? NO_TABLE) : merged4, ip, 0, null)
}

/** The device by which the table local says that an address is ours. */
export const localDev4 = (entry: NsEntry, ip: Ip4): IfName | null => {
  const found = entry.local4 ? inLocal4(entry, ip) : NOT_HERE
  return 'errno' in found || found.route.type !== 'local' ? null : found.hop.dev
}

/** What an address is to the local table (inet_addr_type); of IPv6, to the routes by `dev` only, if one is given. */
export const typeOf = (entry: NsEntry, ip: Ip, dev: string | null = null): RouteEntry['type'] => {
  if (isIp4(ip)) {
    if (isUnspecified(ip) || ip === 0xffffffff) return 'broadcast'
    if (ip >>> 28 === 14) return 'multicast'
    // Before there is a table to look into.
    if (!entry.local4) return 'broadcast'
    const found = inLocal4(entry, ip)
    return 'errno' in found ? 'unicast' : found.route.type
  }
  const { six } = tablesOf(entry.routes)
  const flow: Flow = { dst: ip, src: null, iif: loopbackName(entry), oif: dev, tos: 0, mark: 0, strict: dev !== null }
  const found = lookIn6(six.get(TABLES.local) ?? NO_TABLE, flow, () => 0)
  return 'errno' in found ? 'unicast' : found.route.type
}

/** Whether an address is everybody's on a link: the limited broadcast, or that of a subnet. */
export const isBroadcast = (entry: NsEntry, ip: Ip): boolean => isIp4(ip) && typeOf(entry, ip) === 'broadcast'

export const UNIVERSE = SCOPES.global
