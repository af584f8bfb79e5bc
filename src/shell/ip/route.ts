// `ip route`. Source: ip-route(8); iproute2 6.1, ip/iproute.c (do_iproute, iproute_flush_cache, iproute_get).

import type { RouteRequest, RouteType, Scope } from '../../kernel/rtnl/request.ts'
import type { RouteFacts } from '../../kernel/rtnl/stack.ts'
import { type Family, familyOf, type Ip, isIp4, showIp } from '../../net/ip.ts'
import type { IfName } from '../../net/name.ts'
import { E } from '../../prelude.ts'
import { answers, type Context, lineBreak, linkCalled, lookAt, refusalText, shown, telling } from '../context.ts'
import { absentHere, type Done, failed, notHere, QUIET, refuse } from '../done.ts'
import { type Keyword, onceAs, readWords } from '../keyword.ts'
import type { Words } from '../match.ts'
import { field, list, type Piece, text, where } from '../piece.ts'
import { asking, type RouteAnswer, type Talk } from '../terminal.ts'
import { readPrefix } from '../value.ts'
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

type Got = Readonly<{ family: Family | null; to: Ip | null; from: Ip | null; oif: string | null }>

const GET_WORDS: ReadonlyArray<Keyword<Got>> = [
  {
    is: 'from',
    take: (word, { family }) => {
      const prefix = readPrefix(word, family)
      return E.isLeft(prefix) ? prefix : E.right({ from: prefix.right.cidr.ip })
    },
  },
  { is: ['oif', 'dev'], take: (oif) => E.right({ oif }) },
  {
    is: ['iif', 'mark', 'tos', 'vrf', 'uid', 'ipproto', 'sport', 'dport'],
    take: (value) => absentHere(`ip route get with more than from and oif (${value})`),
  },
  { is: ['fibmatch', 'notify', 'connected'], rest: ([value = '']) => absentHere(`ip route get ${value}`) },
]

const NOBODY = 0

const gotPieces = (
  to: Ip,
  from: Ip | null,
  oneline: string,
  answer: Extract<RouteAnswer, { tag: 'route' }>,
): ReadonlyArray<Piece> => {
  const { via, dev, src, mtu, local } = answer
  return [
    ...where(local, field('type', 'local', '% ')),
    field('dst', showIp(to), '% '),
    ...(from === null ? [] : [field('from', showIp(from), 'from % ')]),
    ...(via === null ? [] : [field(isIp4(via) ? 'gateway' : 'via', showIp(via), 'via % ')]),
    field('dev', dev, 'dev % '),
    ...where(local, field('table', 'local', 'table % ')),
    ...(src === null || from !== null ? [] : [field('prefsrc', showIp(src), 'src % ')]),
    { key: 'flags', value: [], text: '' },
    field('uid', NOBODY, 'uid % '),
    { key: 'cache', value: local ? ['local'] : [], text: `${oneline}    cache ${local ? '<local> ' : ''}` },
    ...(mtu === null ? [] : [list('metrics', [[field('mtu', mtu, 'mtu % ')]])]),
    text('\n'),
  ]
}

export function* getRoute(context: Context, words: Words): Talk<Done> {
  const { ns, options } = context
  const stack = yield* lookAt(ns)
  const nothing: Got = { family: options.family, to: null, from: null, oif: null }
  const read = readWords(
    words,
    nothing,
    GET_WORDS,
    onceAs<Got>(
      'to',
      ({ to }) => to !== null,
      (word, { family }) => {
        const prefix = readPrefix(word, family)
        if (E.isLeft(prefix)) return prefix
        const { ip } = prefix.right.cidr
        return word === 'help' ? refuse(255, '') : E.right({ to: ip, family: family ?? familyOf(ip) })
      },
    ),
  )
  if (E.isLeft(read)) return read.left
  const { to, from, oif } = read.right
  if (to === null) return failed(1, 'need at least a destination address')
  const link = oif === null ? null : linkCalled(stack, oif)
  if (oif !== null && link === null) return failed(1, `Cannot find device "${oif}"`)
  const dev: IfName | null = link?.name ?? null
  const answer = yield* asking((terminal) =>
    terminal.routeTo(ns, { to, from, oif: dev, words: optionWords(context, words) }),
  )
  switch (answer.tag) {
    case 'said':
      return answer.done
    case 'refused':
      return answers(answer.errno)
    case 'absent':
      return notHere(`ip route get ${words.join(' ')}`)
    case 'route':
      return shown(options, [gotPieces(to, from, lineBreak(options), answer)])
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
