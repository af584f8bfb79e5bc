// `ip route add`, `replace`, `change`, `append` and `delete`: their words as iproute_modify reads them, and the request they are.
// Source: ip-route(8); iproute2 6.1, ip/iproute.c (iproute_modify, parse_nexthops, parse_one_nh), lib/rt_names.c.

import type { NextHop, RouteRequest, RouteType, Scope } from '../../kernel/rtnl/request.ts'
import type { Stack } from '../../kernel/rtnl/stack.ts'
import { type Cidr, DEFAULT6 } from '../../net/cidr.ts'
import { type Family, familyOf, type Ip } from '../../net/ip.ts'
import { E } from '../../prelude.ts'
import { linkCalled } from '../context.ts'
import { absentHere, type Read, refuse } from '../done.ts'
import { garbage, incomplete, invalid, type Keyword, readWords, type Taken } from '../keyword.ts'
import { begins, type Words } from '../match.ts'
import { protocolOf, scopeOf, tableOf, tosOf } from '../names.ts'
import { numberIn, numberOf, readAddress, readPrefix, U32 } from '../value.ts'

type RouteWords = Readonly<{
  family: Family | null
  to: Readonly<{ cidr: Cidr; word: boolean }> | null
  type: string | null
  via: Ip | null
  dev: string | null
  onlink: boolean
  hops: ReadonlyArray<NextHop> | null
  metric: number | null
  table: number | null
  proto: number | null
  scope: number | null
  src: Ip | null
  mtu: number | null
  tos: number | null
}>

const NO_WORDS: RouteWords = {
  family: null,
  to: null,
  type: null,
  via: null,
  dev: null,
  onlink: false,
  hops: null,
  metric: null,
  table: null,
  proto: null,
  scope: null,
  src: null,
  mtu: null,
  tos: null,
}

export const ROUTE_USAGE =
  'Usage: ip route { add | replace | change | append | delete | show | flush | get } ...; see ip-route(8)'

const FAMILIES: Readonly<Record<string, Family>> = { inet: 4, inet6: 6 }
const OTHER_FAMILIES = new Set(['mpls', 'bridge', 'link', 'decnet', 'ipx'])

/** `via [ FAMILY ] ADDRESS`. */
const readVia = (words: Words, family: Family | null): Read<Readonly<{ via: Ip; left: Words }>> => {
  const [first, second] = words
  if (first === undefined) return incomplete()
  if (OTHER_FAMILIES.has(first)) return absentHere(`a gateway of the family ${first}`)
  const said = FAMILIES[first]
  const text = said === undefined ? first : second
  if (text === undefined) return incomplete()
  const via = readAddress(text, said ?? family)
  return E.isLeft(via) ? via : E.right({ via: via.right, left: words.slice(said === undefined ? 1 : 2) })
}

type Hop = NextHop & Readonly<{ ended: boolean }>

/** Up to the next `nexthop`, or to what is no word of one. */
const readHop = (words: Words, family: Family | null, stack: Stack): Read<Readonly<{ hop: NextHop; left: Words }>> => {
  let hop: NextHop = {}
  let left = words
  for (;;) {
    const [word, value] = left
    if (word === 'via') {
      const via = readVia(left.slice(1), family)
      if (E.isLeft(via)) return via
      hop = { ...hop, via: via.right.via }
      left = via.right.left
    } else if (word === 'dev' || word === 'weight') {
      if (value === undefined) return incomplete()
      const part = word === 'dev' ? hopDevice(stack, value) : hopWeight(value)
      if (E.isLeft(part)) return part
      hop = { ...hop, ...part.right }
      left = left.slice(2)
    } else if (word === 'onlink') {
      hop = { ...hop, onlink: true }
      left = left.slice(1)
    } else if (word === 'realms' || word === 'encap' || word === 'as') return absentHere(`a hop with ${word}`)
    else return E.right({ hop, left })
  }
}

const hopDevice = (stack: Stack, value: string): Read<Partial<Hop>> => {
  const link = linkCalled(stack, value)
  return link === null ? refuse(1, `Cannot find device "${value}"`) : E.right({ dev: link.name })
}
const hopWeight = (value: string): Read<Partial<Hop>> => {
  const weight = numberOf(value, 256)
  return weight === null || weight === 0 ? invalid(value, '"weight" is invalid\n') : E.right({ weight })
}

const readHops =
  (stack: Stack) =>
  (words: Words, { family }: RouteWords): Taken<RouteWords> => {
    const hops: NextHop[] = []
    let left: Words = words
    for (;;) {
      if (left.length === 0) return refuse(255, 'Error: unexpected end of line after "nexthop"')
      const read = readHop(left, family, stack)
      if (E.isLeft(read)) return read
      hops.push(read.right.hop)
      const [next, ...rest] = read.right.left
      if (next === undefined) break
      if (next !== 'nexthop') return refuse(255, `Error: "nexthop" or end of line is expected instead of "${next}"`)
      left = rest
    }
    const via = hops.find((hop) => hop.via !== undefined)?.via
    const told = family ?? (via === undefined ? null : familyOf(via))
    return E.right({ set: { hops, family: told }, left: [] })
  }

const OTHERS: ReadonlyArray<string> = [
  'from',
  'as',
  'expires',
  'hoplimit',
  'advmss',
  'reordering',
  'rtt',
  'rto_min',
  'window',
  'cwnd',
  'initcwnd',
  'initrwnd',
  'features',
  'quickack',
  'congctl',
  'rttvar',
  'ssthresh',
  'realms',
  'nhid',
  'vrf',
  'pref',
  'encap',
  'ttl-propagate',
  'fastopen_no_cookie',
]

const mapped =
  <A>(key: keyof RouteWords, find: (text: string) => A | null, why: string) =>
  (text: string): Read<Partial<RouteWords>> => {
    const value = find(text)
    return value === null ? invalid(text, why) : E.right({ [key]: value })
  }

const readMtu = numberIn(U32, '"mtu" value is invalid\n')

const keywordsIn = (stack: Stack): ReadonlyArray<Keyword<RouteWords>> => [
  {
    is: 'src',
    take: (text, { family }) => {
      const ip = readAddress(text, family)
      return E.isLeft(ip) ? ip : E.right({ src: ip.right, family: family ?? familyOf(ip.right) })
    },
  },
  {
    is: 'via',
    rest: (words, { family }) => {
      const read = readVia(words, family)
      if (E.isLeft(read)) return read
      const { via, left } = read.right
      return E.right({ set: { via, family: family ?? familyOf(via) }, left })
    },
  },
  { is: 'tos', take: mapped('tos', tosOf, '"tos" value is invalid\n') },
  { is: 'dsfield', short: true, take: mapped('tos', tosOf, '"tos" value is invalid\n') },
  {
    is: ['metric', 'priority', 'preference'],
    short: true,
    take: mapped('metric', (text) => numberOf(text, U32), '"metric" value is invalid\n'),
  },
  { is: 'scope', take: mapped('scope', scopeOf, 'invalid "scope" value\n') },
  {
    is: 'mtu',
    take: (text) => (text === 'lock' ? absentHere('mtu lock') : E.map((mtu: number) => ({ mtu }))(readMtu(text))),
  },
  { is: 'onlink', set: { onlink: true } },
  { is: 'nexthop', rest: readHops(stack) },
  { is: 'protocol', short: true, take: mapped('proto', protocolOf, '"protocol" value is invalid\n') },
  { is: 'table', short: true, take: mapped('table', tableOf, '"table" value is invalid\n') },
  { is: ['dev', 'oif'], take: (dev) => E.right({ dev }) },
  { is: OTHERS, take: (value) => absentHere(`a part of a route (${value})`) },
]

/** By rtnl_rtntype_a2n: some may be shortened. */
const TYPES: ReadonlyArray<readonly [word: string, type: string, short: boolean]> = [
  ['local', 'local', false],
  ['nat', 'nat', false],
  ['broadcast', 'broadcast', true],
  ['brd', 'broadcast', false],
  ['anycast', 'anycast', true],
  ['multicast', 'multicast', true],
  ['prohibit', 'prohibit', true],
  ['unreachable', 'unreachable', true],
  ['blackhole', 'blackhole', true],
  ['xresolve', 'xresolve', true],
  ['unicast', 'unicast', true],
  ['throw', 'throw', true],
]
export const routeTypeOf = (word: string): string | null =>
  TYPES.find(([whole, , short]) => (short ? begins(word, whole) : word === whole))?.[1] ?? null

const destination = (words: Words, { family, to }: RouteWords): Taken<RouteWords> => {
  let left = words[0] === 'to' ? words.slice(1) : words
  if (left[0] === undefined) return incomplete()
  const type = /^[0-9]/.test(left[0]) ? null : routeTypeOf(left[0])
  if (type !== null) left = left.slice(1)
  const [text] = left
  if (text === undefined) return incomplete()
  if (begins(text, 'help')) return refuse(255, ROUTE_USAGE)
  if (to !== null) return garbage('to', text)
  const prefix = readPrefix(text, family)
  if (E.isLeft(prefix)) return prefix
  const { cidr, word } = prefix.right
  return E.right({
    set: {
      to: { cidr, word },
      ...(type === null ? {} : { type }),
      family: family ?? (word ? null : familyOf(cidr.ip)),
    },
    left: left.slice(1),
  })
}

const HERE = new Set<string>(['unicast', 'local', 'broadcast', 'blackhole', 'unreachable', 'prohibit', 'throw'])
const isHere = (type: string): type is RouteType => HERE.has(type)

/** What the words ask for; devices are looked up last, the hops' excepted. */
export const readRoute = (
  verb: RouteRequest['do'],
  words: Words,
  stack: Stack,
  family: Family | null,
): Read<RouteRequest> => {
  const read = readWords(words, { ...NO_WORDS, family }, keywordsIn(stack), destination)
  if (E.isLeft(read)) return read
  const { to, type, via, dev, onlink, hops, metric, table, proto, scope, src, mtu, tos } = read.right
  if (to === null) return refuse(255, ROUTE_USAGE)
  if (type !== null && !isHere(type)) return absentHere(`a route of type ${type}`)
  const link = dev === null ? null : linkCalled(stack, dev)
  if (dev !== null && link === null) return refuse(1, `Cannot find device "${dev}"`)
  return E.right({
    on: 'route',
    do: verb,
    to: to.word && read.right.family === 6 ? DEFAULT6 : to.cidr,
    ...(type === null ? {} : { type }),
    ...(via === null ? {} : { via }),
    ...(link === null ? {} : { dev: link.name }),
    ...(onlink ? { onlink } : {}),
    ...(hops === null ? {} : { hops }),
    ...(metric === null ? {} : { metric }),
    ...(table === null ? {} : { table }),
    ...(proto === null ? {} : { proto }),
    // Cast: a number is a scope.
    ...(scope === null ? {} : { scope: scope as Scope }),
    ...(src === null ? {} : { src }),
    ...(mtu === null ? {} : { mtu }),
    ...(tos === null ? {} : { tos }),
  })
}
