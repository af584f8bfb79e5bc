// Which routes `ip route show` and `flush` mean, their order, and how one is shown.
// Source: ip-route(8); iproute2 6.1, ip/iproute.c (iproute_list_flush_or_save, filter_nlmsg, print_route); the order of a dump is the
// kernel's: net/ipv4/fib_trie.c (fib_table_dump), net/ipv6/ip6_fib.c (fib6_walk_continue: what is more special comes first).

import { MAIN_TABLE } from '../../kernel/rtnl/chosen.ts'
import type { HopFacts, RouteFacts, Stack } from '../../kernel/rtnl/stack.ts'
import { type Cidr, compareCidr, covers, lastOf } from '../../net/cidr.ts'
import { compareIp, type Family, familyOf, type Ip, isIp4, showIp, widthOf } from '../../net/ip.ts'
import { E } from '../../prelude.ts'
import { familyWord, lineBreak, linkCalled, type Options } from '../context.ts'
import { absentHere, type Read, refuse } from '../done.ts'
import { incomplete, invalid, type Keyword, readWords, type Taken } from '../keyword.ts'
import { begins, type Words } from '../match.ts'
import { protocolName, protocolOf, scopeName, scopeOf, tableName, tableOf, tosName, tosOf } from '../names.ts'
import { field, list, type Piece, text, where } from '../piece.ts'
import { readAddress, readPrefix } from '../value.ts'
import { ROUTE_USAGE, routeTypeOf } from './route-words.ts'

/** `table` null: all. What is selected by is not shown again. */
export type RouteSelection = Readonly<{
  family: Family | null
  table: number | null
  cache: boolean
  root: Cidr | null
  match: Cidr | null
  dev: string | null
  via: Ip | null
  src: Cidr | null
  proto: number | null
  scope: number | null
  type: string | null
  tos: number | null
}>

const MAIN: RouteSelection = {
  family: null,
  table: MAIN_TABLE,
  cache: false,
  root: null,
  match: null,
  dev: null,
  via: null,
  src: null,
  proto: null,
  scope: null,
  type: null,
  tos: null,
}

type Part = Partial<RouteSelection>
const mapped =
  (key: keyof RouteSelection, find: (text: string) => number | null, why: string) =>
  (text: string): Read<Part> => {
    if (text === 'all') return E.right({ [key]: null })
    const value = find(text)
    return value === null ? invalid(text, why) : E.right({ [key]: value })
  }

const KEYWORDS: ReadonlyArray<Keyword<RouteSelection>> = [
  {
    is: 'table',
    short: true,
    take: (word) => {
      if (word === 'all') return E.right({ table: null })
      if (word === 'cache') return E.right({ cache: true })
      const table = tableOf(word)
      return table === null ? invalid(word, 'table id value is invalid\n') : E.right({ table })
    },
  },
  { is: ['cached', 'cloned', 'cache'], set: { cache: true } },
  { is: 'tos', take: mapped('tos', tosOf, 'TOS value is invalid\n') },
  { is: 'dsfield', short: true, take: mapped('tos', tosOf, 'TOS value is invalid\n') },
  { is: 'protocol', short: true, take: mapped('proto', protocolOf, 'invalid "protocol"\n') },
  { is: 'scope', short: true, take: mapped('scope', scopeOf, 'invalid "scope"\n') },
  {
    is: 'type',
    short: true,
    take: (word) => {
      const type = routeTypeOf(word)
      return type === null ? invalid(word, 'node type value is invalid\n') : E.right({ type })
    },
  },
  { is: ['dev', 'oif'], take: (dev) => E.right({ dev }) },
  {
    is: 'via',
    take: (word, { family }) => E.map((via: Ip) => ({ via }))(readAddress(word, family)),
  },
  {
    is: 'src',
    take: (word, { family }) => {
      const prefix = readPrefix(word, family)
      return E.isLeft(prefix) ? prefix : E.right({ src: prefix.right.cidr })
    },
  },
  {
    is: ['vrf', 'mark', 'realms', 'from', 'iif', 'metric', 'nhid', 'id'],
    take: (value) => absentHere(`routes by ${value}`),
  },
]

const PLACES: ReadonlyArray<readonly [word: string, keys: ReadonlyArray<'root' | 'match'>]> = [
  ['root', ['root']],
  ['match', ['match']],
  ['exact', ['root', 'match']],
]

const place = (words: Words, { family }: RouteSelection): Taken<RouteSelection> => {
  let left = begins(words[0] ?? '', 'to') ? words.slice(1) : words
  const named = PLACES.find(([whole]) => begins(left[0] ?? '', whole))
  if (named !== undefined) left = left.slice(1)
  const [word] = left
  if (word === undefined) return incomplete()
  if (begins(word, 'help')) return refuse(255, ROUTE_USAGE)
  const prefix = readPrefix(word, family)
  if (E.isLeft(prefix)) return prefix
  const { cidr } = prefix.right
  const set = Object.fromEntries((named?.[1] ?? (['root', 'match'] as const)).map((key) => [key, cidr]))
  return E.right({ set, left: left.slice(1) })
}

export const readRouteSelection = (words: Words, stack: Stack, family: Family | null): Read<RouteSelection> => {
  const read = readWords(words, { ...MAIN, family }, KEYWORDS, place)
  if (E.isLeft(read)) return read
  const { dev, table } = read.right
  const link = dev === null ? null : linkCalled(stack, dev)
  if (dev !== null && link === null) return refuse(1, `Cannot find device "${dev}"`)
  // One table is one of IPv4 where nothing else is said.
  return E.right({ ...read.right, dev: link?.name ?? null, family: family ?? (table === null ? null : 4) })
}

const onlyHop = ({ hops }: RouteFacts): HopFacts | null => (hops.length === 1 ? (hops[0] ?? null) : null)

const fits = (route: RouteFacts, selection: RouteSelection): boolean => {
  const { family, table, root, match, dev, via, src, proto, scope, type, tos } = selection
  const hop = onlyHop(route)
  return (
    (family === null || familyOf(route.to.ip) === family) &&
    (table === null || table === 0 || route.table === table) &&
    (root === null || covers(root, route.to)) &&
    (match === null || covers(route.to, match)) &&
    (dev === null || hop?.dev === dev) &&
    (via === null || hop?.via === via) &&
    (src === null || (route.src !== null && covers(src, { ip: route.src, bits: widthOf(familyOf(route.src)) }))) &&
    (proto === null || route.proto === proto) &&
    (scope === null || route.scope === scope) &&
    (type === null || route.type === type) &&
    (tos === null || route.tos === tos)
  )
}

/** The kernel keeps tables under the last byte of their number. */
const bucket = ({ table }: RouteFacts): number => table % 256

const byDump = (a: RouteFacts, b: RouteFacts): number => {
  const families = familyOf(a.to.ip) - familyOf(b.to.ip)
  if (families !== 0) return families
  const tables = bucket(a) - bucket(b) || a.table - b.table
  if (tables !== 0) return tables
  if (isIp4(a.to.ip)) return compareIp(a.to.ip, b.to.ip) || b.to.bits - a.to.bits
  return compareIp(lastOf(a.to), lastOf(b.to)) || compareCidr(b.to, a.to)
}

/** In the order of a dump. */
export const routesFor = (stack: Stack, selection: RouteSelection): ReadonlyArray<RouteFacts> =>
  selection.cache ? [] : stack.routes.filter((route) => fits(route, selection)).sort(byDump)

/** A table of IPv4 begins with its first route; of IPv6 too. */
export const noSuchTable = (stack: Stack, { family, table }: RouteSelection): string | null => {
  if (family === null || table === null || table === 0 || table === MAIN_TABLE || table === 255) return null
  const there = stack.routes.some((route) => route.table === table && familyOf(route.to.ip) === family)
  return there ? null : `Error: ipv${family}: FIB table does not exist.`
}

const destination = ({ ip, bits }: Cidr): string => {
  if (bits === 0) return 'default'
  return bits === widthOf(familyOf(ip)) ? showIp(ip) : `${showIp(ip)}/${bits}`
}

const gateway = (to: Cidr, via: Ip): Piece => {
  if (familyOf(to.ip) === familyOf(via)) return field('gateway', showIp(via), 'via % ')
  const family = familyWord(via)
  const pieces = [
    { key: 'family', value: family },
    { key: 'host', value: showIp(via) },
  ]
  return { key: 'via', value: { pieces }, text: `via ${family} ${showIp(via)} ` }
}

/** As print_rt_flags has them. */
const FLAG_ORDER = ['dead', 'onlink', 'pervasive', 'offload', 'trap', 'linkdown', 'unresolved']
const flagsPiece = (flags: ReadonlyArray<string>): Piece => {
  const told = FLAG_ORDER.filter((flag) => flags.includes(flag))
  return { key: 'flags', value: told, text: told.map((flag) => `${flag} `).join('') }
}

const hopPieces = (to: Cidr, hop: HopFacts, options: Options): ReadonlyArray<Piece> => [
  text(`${lineBreak(options)}\tnexthop `),
  ...(hop.via === null ? [] : [gateway(to, hop.via)]),
  ...(hop.dev === null ? [] : [field('dev', hop.dev, 'dev % ')]),
  field('weight', hop.weight, 'weight % '),
  flagsPiece(hop.flags),
]

const PREFERENCES: Readonly<Record<number, string>> = { 0: 'medium', 1: 'high', 3: 'low' }

export const routePieces = (route: RouteFacts, selection: RouteSelection, options: Options): ReadonlyArray<Piece> => {
  const { details } = options
  const { to, metric, table, proto, scope, tos, src, mtu, pref } = route
  const hop = onlyHop(route)
  const isSix = !isIp4(to.ip)
  return [
    ...where(route.type !== 'unicast' || details, field('type', route.type, '% ')),
    field('dst', destination(to), '% '),
    ...where(tos !== 0 && selection.tos === null, field('tos', tosName(tos), 'tos % ')),
    ...(hop === null || hop.via === null || selection.via !== null ? [] : [gateway(to, hop.via)]),
    ...(hop === null || hop.dev === null || selection.dev !== null ? [] : [field('dev', hop.dev, 'dev % ')]),
    ...where(
      (table !== MAIN_TABLE || details) && selection.table === null,
      field('table', tableName(table), 'table % '),
    ),
    ...where((proto !== 3 || details) && selection.proto === null, field('protocol', protocolName(proto), 'proto % ')),
    ...where((scope !== 0 || details) && selection.scope === null, field('scope', scopeName(scope), 'scope % ')),
    ...(src === null ? [] : [field('prefsrc', showIp(src), 'src % ')]),
    ...where(isSix || metric !== 0, field('metric', metric, 'metric % ')),
    flagsPiece(hop?.flags ?? []),
    ...(mtu === null ? [] : [list('metrics', [[field('mtu', mtu, 'mtu % ')]])]),
    ...(pref === null ? [] : [field('pref', PREFERENCES[pref] ?? String(pref), 'pref %')]),
    ...(route.hops.length < 2
      ? []
      : [
          list(
            'nexthops',
            route.hops.map((one) => hopPieces(to, one, options)),
          ),
        ]),
    text('\n'),
  ]
}
