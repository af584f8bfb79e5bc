// What `ip route get` shows: a route as a packet would take it, in either family's form.
// Source: iproute2 6.1, ip/iproute.c (print_route, print_cache_flags); net/ipv4/route.c (rt_fill_info), net/ipv6/route.c (rt6_fill_node).

import { isIp4, showIp } from '../../net/ip.ts'
import { protocolName, tableName, tosName } from '../names.ts'
import { field, list, type Piece, text, where } from '../piece.ts'
import type { RouteAnswer, RouteQuestion } from '../terminal.ts'

type Found = Extract<RouteAnswer, { tag: 'route' }>

const MAIN = 254
const NOBODY = 0

const gateway = ({ via }: Found, to: RouteQuestion['to']): ReadonlyArray<Piece> => {
  if (via === null) return []
  if (isIp4(via) === isIp4(to)) return [field('gateway', showIp(via), 'via % ')]
  return [
    {
      key: 'via',
      value: { pieces: [field('family', isIp4(via) ? 'inet' : 'inet6'), field('host', showIp(via))] },
      text: `via ${isIp4(via) ? 'inet' : 'inet6'} ${showIp(via)} `,
    },
  ]
}

const tablePiece = ({ table }: Found): ReadonlyArray<Piece> =>
  table === null || table === MAIN ? [] : [field('table', tableName(table), 'table % ')]

/** RTCF_LOCAL and the like, as print_cache_flags names them. */
const FLAGS: Readonly<Record<Found['type'], ReadonlyArray<string>>> = {
  unicast: [],
  local: ['local'],
  broadcast: ['local', 'brd'],
  multicast: ['local', 'mc'],
}

const metrics = ({ mtu }: Found): ReadonlyArray<Piece> =>
  mtu === null ? [] : [list('metrics', [[field('mtu', mtu, 'mtu % ')]])]

const expires = ({ expiresS }: Found): ReadonlyArray<Piece> =>
  expiresS === null ? [] : [field('expires', expiresS, 'expires %sec ')]

/** Where a packet comes in, nothing is said of its source and of who asks. */
const four = ({ to, from, iif, mark, tos }: RouteQuestion, newline: string, found: Found): ReadonlyArray<Piece> => {
  const { type, dev, src, redirected } = found
  const flags = redirected ? [...FLAGS[type], 'redirected'] : FLAGS[type]
  return [
    ...where(type !== 'unicast', field('type', type, '% ')),
    field('dst', showIp(to), '% '),
    ...(from === null ? [] : [field('from', showIp(from), 'from % ')]),
    ...where(tos !== 0, field('tos', tosName(tos), 'tos % ')),
    ...gateway(found, to),
    field('dev', dev, 'dev % '),
    ...tablePiece(found),
    ...(src === null || from !== null || iif !== null ? [] : [field('prefsrc', showIp(src), 'src % ')]),
    { key: 'flags', value: [], text: '' },
    ...where(mark !== 0, field('mark', mark, 'mark % ')),
    ...where(iif === null, field('uid', NOBODY, 'uid % ')),
    { key: 'cache', value: flags, text: `${newline}    cache ${flags.length > 0 ? `<${flags.join(',')}> ` : ''}` },
    ...expires(found),
    ...metrics(found),
    ...(iif === null ? [] : [field('iif', iif, 'iif % ')]),
    text('\n'),
  ]
}

const KERNEL_SAYS_NOTHING = 3

const six = ({ to, from, iif }: RouteQuestion, found: Found): ReadonlyArray<Piece> => {
  const { type, dev, src, proto, metric } = found
  return [
    ...where(type !== 'unicast', field('type', type, '% ')),
    field('dst', showIp(to), '% '),
    field('from', from === null ? '::' : showIp(from), 'from % '),
    ...gateway(found, to),
    field('dev', dev, 'dev % '),
    ...tablePiece(found),
    ...where(proto !== KERNEL_SAYS_NOTHING, field('protocol', protocolName(proto), 'proto % ')),
    ...(src === null || iif !== null ? [] : [field('prefsrc', showIp(src), 'src % ')]),
    field('metric', metric, 'metric % '),
    { key: 'flags', value: [], text: '' },
    ...expires(found),
    ...metrics(found),
    ...(iif === null ? [] : [field('iif', iif, 'iif % ')]),
    field('pref', 'medium', 'pref %'),
    text('\n'),
  ]
}

export const gotPieces = (question: RouteQuestion, newline: string, found: Found): ReadonlyArray<Piece> =>
  isIp4(question.to) ? four(question, newline, found) : six(question, found)
