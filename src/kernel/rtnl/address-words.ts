// The words in which ip(8) and bridge(8) are told of addresses, routes, rules, neighbours and forwarding entries (words.ts).
// Numbers stand for names everywhere (tables, protocols, scopes), so that no file in /etc/iproute2 changes what is meant.

import { showCidr } from '../../net/cidr.ts'
import { familyOf, isIp4, showIp } from '../../net/ip.ts'
import { showMac } from '../../net/mac.ts'
import type {
  AddressRequest,
  FdbRequest,
  NeighbourRequest,
  NextHop,
  RouteRequest,
  RuleAction,
  RuleRequest,
} from './request.ts'

export type Words = ReadonlyArray<string>

/** A keyword and its value; nothing without one. */
export const said = (key: string, value: string | number | undefined): Words =>
  value === undefined ? [] : [key, String(value)]
/** A word for true; nothing else. */
export const flag = (word: string, on: boolean | undefined): Words => (on === true ? [word] : [])

const VERB = { add: 'add', replace: 'replace', change: 'change', append: 'append', delete: 'del' }

/** The peer is written with its prefix, which is then that of the address. */
export const addressWords = (ask: AddressRequest): Words => [
  'address',
  VERB[ask.do],
  showCidr(ask.cidr),
  ...said('peer', ask.peer === undefined ? undefined : showCidr({ ip: ask.peer, bits: ask.cidr.bits })),
  ...said('broadcast', typeof ask.broadcast === 'number' ? showIp(ask.broadcast) : ask.broadcast),
  ...said('scope', ask.scope),
  ...said('label', ask.label),
  ...said('metric', ask.metric),
  ...flag('nodad', ask.nodad),
  ...flag('noprefixroute', ask.noprefixroute),
  'dev',
  ask.dev,
]

const viaWords = ({ to }: RouteRequest, { via }: NextHop): Words =>
  via === undefined
    ? []
    : familyOf(via) === familyOf(to.ip)
      ? ['via', showIp(via)]
      : ['via', isIp4(via) ? 'inet' : 'inet6', showIp(via)]

/** The weight is always said, for `nexthop` alone is not understood. */
const hopWords = (route: RouteRequest, hop: NextHop): Words => [
  'nexthop',
  ...viaWords(route, hop),
  ...said('dev', hop.dev),
  ...said('weight', hop.weight ?? 1),
  ...flag('onlink', hop.onlink),
]

/** ip-route(8) reads `tos` as hexadecimal whatever it begins with. */
export const routeWords = (ask: RouteRequest): Words => [
  'route',
  VERB[ask.do],
  ...(ask.type === undefined ? [] : [ask.type]),
  showCidr(ask.to),
  ...said('tos', ask.tos === undefined ? undefined : `0x${ask.tos.toString(16)}`),
  ...viaWords(ask, ask),
  ...said('dev', ask.dev),
  ...said('metric', ask.metric),
  ...said('table', ask.table),
  ...said('proto', ask.proto),
  ...said('scope', ask.scope),
  ...said('src', ask.src === undefined ? undefined : showIp(ask.src)),
  ...said('mtu', ask.mtu),
  ...flag('onlink', ask.onlink),
  ...(ask.hops ?? []).flatMap((hop) => hopWords(ask, hop)),
]

const actionWords = (action: RuleAction): Words => {
  if ('lookup' in action) return ['lookup', String(action.lookup)]
  if ('goto' in action) return ['goto', String(action.goto)]
  return [action.is]
}

/** The family comes first: a rule may be without an address. */
export const ruleWords = (ask: RuleRequest): Words => [
  `-${ask.family}`,
  'rule',
  VERB[ask.do],
  ...flag('not', ask.not),
  ...said('priority', ask.priority),
  ...said('from', ask.from && showCidr(ask.from)),
  ...said('to', ask.to && showCidr(ask.to)),
  ...said('iif', ask.iif),
  ...said('oif', ask.oif),
  ...said(
    'fwmark',
    ask.mark && `${ask.mark.value}${ask.mark.mask === undefined ? '' : `/0x${ask.mark.mask.toString(16)}`}`,
  ),
  ...said('suppress_prefixlength', ask.suppressPrefixLength),
  ...(ask.action === undefined ? [] : actionWords(ask.action)),
]

export const neighbourWords = (ask: NeighbourRequest): Words => [
  'neigh',
  VERB[ask.do],
  ...flag('proxy', ask.proxy),
  showIp(ask.ip),
  ...said('lladdr', ask.mac === undefined ? undefined : showMac(ask.mac)),
  ...said('nud', ask.state),
  'dev',
  ask.dev,
]

export const fdbWords = (ask: FdbRequest): Words => [
  'fdb',
  VERB[ask.do],
  showMac(ask.mac),
  'dev',
  ask.dev,
  ask.of,
  ...(ask.state === undefined ? [] : [ask.state]),
  ...flag('sticky', ask.sticky),
  ...said('dst', ask.dst === undefined ? undefined : showIp(ask.dst)),
  ...said('vlan', ask.vlan),
  ...said('port', ask.port),
  ...said('vni', ask.vni),
  ...said('via', ask.via),
]
