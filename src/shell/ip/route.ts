// `ip route`. Source: ip-route(8); iproute2 6.1, ip/iproute.c (do_iproute, iproute_flush_cache, iproute_get).

import type { RouteRequest, RouteType, Scope } from '../../kernel/rtnl/request.ts'
import type { RouteFacts } from '../../kernel/rtnl/stack.ts'
import { type Family, familyOf, type Ip } from '../../net/ip.ts'
import type { IfName } from '../../net/name.ts'
import { E } from '../../prelude.ts'
import { type Context, lineBreak, linkCalled, lookAt, refusalText, shown, telling } from '../context.ts'
import { absentHere, type Done, failed, QUIET, refuse } from '../done.ts'
import { errnoText } from '../errno-text.ts'
import { invalid, type Keyword, onceAs, readWords } from '../keyword.ts'
import type { Words } from '../match.ts'
import { tosOf } from '../names.ts'
import { asking, type Talk } from '../terminal.ts'
import { numberOf, readPrefix, U32 } from '../value.ts'
import { gotPieces } from './route-got.ts'
import { noSuchTable, readRouteSelection, routePieces, routesFor } from './route-show.ts'
import { readRoute } from './route-words.ts'

export function* modifyRoute(context: Context, verb: RouteRequest['do'], words: Words): Talk<Done> {
  const stack = yield* lookAt(context.ns)
  const ask = readRoute(verb, words, stack, context.options.family)
  return E.isLeft(ask) ? ask.left : yield* telling(context, ask.right)
}

export function* showRoutes(context: Context, words: Words): Talk<Done> {
  const { ns, options } = context
  const stack = yield* lookAt(ns)
  const read = readRouteSelection(words, stack, options.family)
  if (E.isLeft(read)) return read.left
  const missing = noSuchTable(stack, read.right)
  // The document has begun by then.
  if (missing !== null) return { ...failed(2, `${missing}\nDump terminated`), stdout: options.json ? '[' : '' }
  return shown(
    options,
    routesFor(stack, read.right).map((route) => routePieces(route, read.right, options)),
  )
}

/** The whole of it, as the kernel told it. */
const deletion = (route: RouteFacts): RouteRequest => {
  const [hop] = route.hops
  const { to, type, table, proto, scope, metric, tos, src } = route
  const way = route.hops.length > 1 ? { hops: hopsOf(route) } : hopsOf(route)[0]
  return {
    on: 'route',
    do: 'delete',
    to,
    // Cast: flushing asks for those that can be asked for.
    type: type as RouteType,
    table,
    proto,
    scope: scope as Scope,
    ...(hop === undefined || hop.dev === null || isReject(route) ? {} : way),
    ...(metric === 0 ? {} : { metric }),
    ...(tos === 0 ? {} : { tos }),
    ...(src === null ? {} : { src }),
  }
}
const REJECTS = new Set<RouteFacts['type']>(['blackhole', 'unreachable', 'prohibit', 'throw'])
const isReject = ({ type }: RouteFacts): boolean => REJECTS.has(type)
const CANNOT_BE_ASKED = new Set<RouteFacts['type']>(['anycast', 'multicast'])

const hopsOf = ({ hops }: RouteFacts): NonNullable<RouteRequest['hops']> =>
  hops.map(({ via, dev, weight, flags }) => ({
    ...(via === null ? {} : { via }),
    ...(dev === null ? {} : { dev }),
    ...(hops.length > 1 ? { weight } : {}),
    ...(flags.includes('onlink') ? { onlink: true } : {}),
  }))

const ROUNDS = 10

/** One that goes along with another is not there any more when its turn comes. */
export function* flushRoutes(context: Context, words: Words): Talk<Done> {
  const { ns, options } = context
  if (words.length === 0) return failed(1, '"ip route flush" requires arguments.')
  for (let round = 0; round < ROUNDS; round++) {
    const stack = yield* lookAt(ns)
    const read = readRouteSelection(words, stack, options.family)
    if (E.isLeft(read)) return read.left
    const missing = round === 0 ? noSuchTable(stack, read.right) : null
    if (missing !== null) return failed(2, `${missing}\nFlush terminated`)
    const all = routesFor(stack, read.right).filter(({ type }) => !CANNOT_BE_ASKED.has(type))
    if (all.length === 0) return QUIET
    for (const route of all) {
      const ask = deletion(route)
      const refusal = yield* asking((terminal) => terminal.ask({ ns, ask }))
      if (refusal !== null && refusal.errno !== 'ESRCH') return failed(2, refusalText(refusal))
    }
  }
  return QUIET
}

type Got = Readonly<{
  family: Family | null
  to: Ip | null
  from: Ip | null
  iif: string | null
  oif: string | null
  mark: number
  tos: number
}>

const GET_WORDS: ReadonlyArray<Keyword<Got>> = [
  {
    is: 'from',
    take: (word, { family }) => {
      const prefix = readPrefix(word, family)
      return E.isLeft(prefix) ? prefix : E.right({ from: prefix.right.cidr.ip })
    },
  },
  { is: 'iif', take: (iif) => E.right({ iif }) },
  { is: ['oif', 'dev'], take: (oif) => E.right({ oif }) },
  {
    is: 'mark',
    take: (word) => {
      const mark = numberOf(word, U32)
      return mark === null ? invalid(word, 'invalid mark value') : E.right({ mark })
    },
  },
  {
    is: ['tos', 'dsfield'],
    take: (word) => {
      const tos = tosOf(word)
      return tos === null ? invalid(word, 'TOS value is invalid') : E.right({ tos })
    },
  },
  {
    is: ['vrf', 'uid', 'ipproto', 'sport', 'dport'],
    take: (value) => absentHere(`ip route get with more than from, iif, oif, mark and tos (${value})`),
  },
  { is: ['fibmatch', 'notify', 'connected'], rest: ([value = '']) => absentHere(`ip route get ${value}`) },
]

const NOTHING: Omit<Got, 'family'> = { to: null, from: null, iif: null, oif: null, mark: 0, tos: 0 }

const destination = onceAs<Got>(
  'to',
  ({ to }) => to !== null,
  (word, { family }) => {
    const prefix = readPrefix(word, family)
    if (E.isLeft(prefix)) return prefix
    const { ip } = prefix.right.cidr
    return word === 'help' ? refuse(255, '') : E.right({ to: ip, family: family ?? familyOf(ip) })
  },
)

export function* getRoute(context: Context, words: Words): Talk<Done> {
  const { ns, options } = context
  const stack = yield* lookAt(ns)
  const read = readWords(words, { ...NOTHING, family: options.family }, GET_WORDS, destination)
  if (E.isLeft(read)) return read.left
  const { to, from, iif, oif, mark, tos } = read.right
  if (to === null) return failed(1, 'need at least a destination address')
  const missed = [iif, oif].find((name) => name !== null && linkCalled(stack, name) === null)
  if (missed !== undefined) return failed(1, `Cannot find device "${missed}"`)
  const devOf = (name: string | null): IfName | null => (name === null ? null : (linkCalled(stack, name)?.name ?? null))
  const question = { to, from, iif: devOf(iif), oif: devOf(oif), mark, tos, words: optionWords(context, words) }
  const answer = yield* asking((terminal) => terminal.routeTo(ns, question))
  switch (answer.tag) {
    case 'said':
      return answer.done
    case 'refused':
      return failed(2, `RTNETLINK answers: ${errnoText(answer.errno)}`)
    case 'route':
      return shown(options, [gotPieces(question, lineBreak(options), answer)])
  }
}

/** As the real program is to be asked. */
const optionWords = ({ options }: Context, words: Words): Words => [
  ...(options.family === null ? [] : [`-${options.family}`]),
  ...(options.json ? ['-j'] : []),
  ...(options.pretty ? ['-p'] : []),
  ...(options.oneline ? ['-o'] : []),
  ...(options.details ? ['-d'] : []),
  'route',
  'get',
  ...words,
]
