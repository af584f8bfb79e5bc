// The routing tables of a namespace, compiled: by length of prefix, longest first, and by network. Made once for each version of
// the persistent map of routes, whoever holds it.
// Sources: net/ipv4/fib_trie.c (the order of the aliases of a prefix), net/ipv6/ip6_fib.c.

import { type Ip, isIp4, MAX6 } from '../../../net/ip.ts'
import { type PMap, valuesOf } from '../../../net/pmap.ts'
import { memoised } from '../../memo.ts'
import { type RouteEntry, TABLES } from '../../state.ts'

/** The routes of each network of one prefix length, the preferred one first. `mask` is of IPv4, `mask6` of IPv6. */
export type Level = Readonly<{
  bits: number
  mask: number
  mask6: bigint
  routes: ReadonlyMap<Ip, ReadonlyArray<RouteEntry>>
}>
/** Longest prefix first. */
export type Table = ReadonlyArray<Level>

/**
 * By their numbers. `merged4`: `local` and `main` as one, which they are until there are rules of somebody's own. `hasTos`: an
 * IPv4 route asks for a type of service. `hasOwnLocal`: a local route of IPv4 is not the kernel's.
 */
export type Tables = Readonly<{
  four: ReadonlyMap<number, Table>
  merged4: Table
  six: ReadonlyMap<number, Table>
  hasTos: boolean
  hasOwnLocal: boolean
}>

export const NO_TABLE: Table = []

type Growing = Map<number, Map<Ip, RouteEntry[]>>

const put = (levels: Growing, route: RouteEntry): void => {
  const { ip, bits } = route.to
  let level = levels.get(bits)
  if (level === undefined) {
    level = new Map()
    levels.set(bits, level)
  }
  const routes = level.get(ip)
  if (routes === undefined) level.set(ip, [route])
  else routes.push(route)
}

const preferred = (a: RouteEntry, b: RouteEntry): number =>
  b.table - a.table || b.tos - a.tos || a.metric - b.metric || a.order - b.order

const mask4 = (bits: number): number => (bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0)
const mask6 = (bits: number): bigint => MAX6 ^ ((1n << BigInt(128 - bits)) - 1n)

const tableOf = (levels: Growing): Table => {
  for (const level of levels.values())
    for (const routes of level.values()) if (routes.length > 1) routes.sort(preferred)
  return [...levels]
    .map(([bits, routes]) => ({ bits, mask: bits > 32 ? 0 : mask4(bits), mask6: mask6(bits), routes }))
    .sort((a, b) => b.bits - a.bits)
}

const growingIn = (tables: Map<number, Growing>, table: number): Growing => {
  const known = tables.get(table)
  if (known !== undefined) return known
  const fresh: Growing = new Map()
  tables.set(table, fresh)
  return fresh
}

const KERNEL = 2

/** Of equal prefix the preferred route is first: by TOS (a higher one), metric and order. */
export const tablesOf = memoised((routes: PMap<RouteEntry>): Tables => {
  const four = new Map<number, Growing>()
  const six = new Map<number, Growing>()
  const merged: Growing = new Map()
  let [hasTos, hasOwnLocal] = [false, false]
  for (const route of valuesOf(routes)) {
    const is4 = isIp4(route.to.ip)
    put(growingIn(is4 ? four : six, route.table), route)
    if (!is4) continue
    if (route.table === TABLES.local || route.table === TABLES.main) put(merged, route)
    hasTos ||= route.tos !== 0
    hasOwnLocal ||= route.type === 'local' && route.proto !== KERNEL
  }
  const compiled = (tables: Map<number, Growing>): ReadonlyMap<number, Table> =>
    new Map([...tables].map(([table, levels]) => [table, tableOf(levels)]))
  return { four: compiled(four), merged4: tableOf(merged), six: compiled(six), hasTos, hasOwnLocal }
})
