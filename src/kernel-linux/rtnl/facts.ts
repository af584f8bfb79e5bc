// Addresses, routes, rules, neighbours and forwarding entries as the kernel tells them, as facts of a stack: names in the place of
// numbers, flags by their names. Order: that of the kernel among addresses, rules, and routes of one destination in one table
// (but for those of IPv6 that it made itself when a device came up).
// What is on a device without a name for us, or of a family that is none of ours, is left out.

import type {
  AddressFacts,
  FdbFacts,
  HopFacts,
  NeighbourFacts,
  RouteFacts,
  RuleFacts,
} from '../../kernel/rtnl/stack.ts'
import { compareCidr } from '../../net/cidr.ts'
import { compareIp, isIp6 } from '../../net/ip.ts'
import type { IfName } from '../../net/name.ts'
import { type AddressMessage, cidrOf } from '../netlink/codec/address.ts'
import type { NeighMessage } from '../netlink/codec/neigh.ts'
import { destinationOf, type RouteMessage, tableOf } from '../netlink/codec/route.ts'
import type { RuleMessage } from '../netlink/codec/rule.ts'
import { AF_INET, AF_INET6 } from '../netlink/uapi/netlink.ts'
import * as R from '../netlink/uapi/route.ts'
import type { DevNames } from './link-facts.ts'

type Flags = ReadonlyArray<readonly [flag: number, name: string]>
const namesIn = (flags: number, table: Flags): ReadonlyArray<string> =>
  table.filter(([flag]) => (flags & flag) !== 0).map(([, name]) => name)

const ofInternet = (family: number): boolean => family === AF_INET || family === AF_INET6
const byText = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1)

/** ip-address(8) calls the first flag `temporary` where the address is of IPv6. */
const ADDRESS_FLAGS: Flags = [
  [R.IFA_F_NODAD, 'nodad'],
  [R.IFA_F_OPTIMISTIC, 'optimistic'],
  [R.IFA_F_DADFAILED, 'dadfailed'],
  [R.IFA_F_HOMEADDRESS, 'home'],
  [R.IFA_F_DEPRECATED, 'deprecated'],
  [R.IFA_F_TENTATIVE, 'tentative'],
  [R.IFA_F_PERMANENT, 'permanent'],
  [R.IFA_F_MANAGETEMPADDR, 'mngtmpaddr'],
  [R.IFA_F_NOPREFIXROUTE, 'noprefixroute'],
  [R.IFA_F_MCAUTOJOIN, 'autojoin'],
  [R.IFA_F_STABLE_PRIVACY, 'stable-privacy'],
]
const FIRST_FLAG4: Flags = [[R.IFA_F_SECONDARY, 'secondary']]
const FIRST_FLAG6: Flags = [[R.IFA_F_SECONDARY, 'temporary']]

export const addressFacts = (addresses: ReadonlyArray<AddressMessage>, names: DevNames): ReadonlyArray<AddressFacts> =>
  addresses.flatMap((message) => {
    const dev = names.get(message.index)
    const cidr = cidrOf(message)
    if (dev === undefined || cidr === null || !ofInternet(message.family)) return []
    const { local, address } = message
    const flags = message.allFlags ?? message.flags
    return [
      {
        dev,
        cidr,
        peer: local !== undefined && address !== undefined && local !== address ? address : null,
        broadcast: message.broadcast ?? null,
        scope: message.scope,
        label: message.label ?? null,
        metric: message.priority ?? null,
        flags: namesIn(flags, [...(message.family === AF_INET ? FIRST_FLAG4 : FIRST_FLAG6), ...ADDRESS_FLAGS]),
      },
    ]
  })

const HOP_FLAGS: Flags = [
  [R.RTNH_F_DEAD, 'dead'],
  [R.RTNH_F_PERVASIVE, 'pervasive'],
  [R.RTNH_F_ONLINK, 'onlink'],
  [R.RTNH_F_OFFLOAD, 'offload'],
  [R.RTNH_F_LINKDOWN, 'linkdown'],
  [R.RTNH_F_UNRESOLVED, 'unresolved'],
  [R.RTNH_F_TRAP, 'trap'],
]

/** By RTN_*. */
const ROUTE_TYPES: ReadonlyMap<number, RouteFacts['type']> = new Map([
  [R.RTN_UNICAST, 'unicast'],
  [R.RTN_LOCAL, 'local'],
  [R.RTN_BROADCAST, 'broadcast'],
  [R.RTN_ANYCAST, 'anycast'],
  [R.RTN_MULTICAST, 'multicast'],
  [R.RTN_BLACKHOLE, 'blackhole'],
  [R.RTN_UNREACHABLE, 'unreachable'],
  [R.RTN_PROHIBIT, 'prohibit'],
  [R.RTN_THROW, 'throw'],
])

const hopsOf = ({ flags, gateway, via, oif, multipath }: RouteMessage, names: DevNames): ReadonlyArray<HopFacts> => {
  if (multipath !== undefined)
    return multipath.map((hop) => ({
      via: hop.gateway ?? hop.via ?? null,
      dev: names.get(hop.index) ?? null,
      weight: hop.weight,
      flags: namesIn(hop.flags, HOP_FLAGS),
    }))
  const next = gateway ?? via ?? null
  if (next === null && oif === undefined) return []
  const dev = oif === undefined ? null : (names.get(oif) ?? null)
  return [{ via: next, dev, weight: 1, flags: namesIn(flags, HOP_FLAGS) }]
}

/** The kernel makes its own routes of IPv6 when a device comes up, at a moment of its own: by device, behind those that were asked for. */
const ownDevice = ({ to, proto, hops }: RouteFacts): string =>
  isIp6(to.ip) && proto === R.RTPROT_KERNEL ? (hops[0]?.dev ?? '') : ''
const metric6 = ({ to, metric }: RouteFacts): number => (isIp6(to.ip) ? metric : 0)

const byRouteKey = (a: RouteFacts, b: RouteFacts): number =>
  a.table - b.table || compareCidr(a.to, b.to) || metric6(a) - metric6(b) || byText(ownDevice(a), ownDevice(b))

export const routeFacts = (routes: ReadonlyArray<RouteMessage>, names: DevNames): ReadonlyArray<RouteFacts> =>
  routes
    .flatMap((message) => {
      const type = ROUTE_TYPES.get(message.type)
      if (type === undefined || !ofInternet(message.family) || (message.flags & R.RTM_F_CLONED) !== 0) return []
      return [
        {
          to: destinationOf(message),
          type,
          hops: hopsOf(message, names),
          metric: message.priority ?? 0,
          table: tableOf(message),
          proto: message.protocol,
          scope: message.scope,
          tos: message.tos,
          src: message.prefSrc ?? null,
          mtu: message.metrics?.mtu ?? null,
          pref: message.pref ?? null,
        },
      ]
    })
    .sort(byRouteKey)

const ACTIONS = new Map<number, RuleFacts['action']>([
  [R.FR_ACT_NOP, { is: 'nop' }],
  [R.FR_ACT_BLACKHOLE, { is: 'blackhole' }],
  [R.FR_ACT_UNREACHABLE, { is: 'unreachable' }],
  [R.FR_ACT_PROHIBIT, { is: 'prohibit' }],
])

const actionOf = ({ action, goto, table, allTable }: RuleMessage): RuleFacts['action'] =>
  action === R.FR_ACT_GOTO ? { goto: goto ?? 0 } : (ACTIONS.get(action) ?? { lookup: allTable ?? table })

const U32 = 0xffffffff

/** Rules name devices themselves, also such that are not there. */
const named = (name: string | undefined): IfName | null =>
  // What a rule was given came from a name's parser.
  name === undefined ? null : (name as IfName)

export const ruleFacts = (rules: ReadonlyArray<RuleMessage>): ReadonlyArray<RuleFacts> =>
  rules
    .filter(({ family }) => ofInternet(family))
    .map((rule) => ({
      family: rule.family === AF_INET ? 4 : 6,
      priority: rule.priority ?? 0,
      not: (rule.flags & R.FIB_RULE_INVERT) !== 0,
      from: rule.src === undefined ? null : { ip: rule.src, bits: rule.srcBits },
      to: rule.dst === undefined ? null : { ip: rule.dst, bits: rule.dstBits },
      iif: named(rule.iifname),
      oif: named(rule.oifname),
      mark:
        rule.fwmark === undefined && rule.fwmask === undefined
          ? null
          : { value: rule.fwmark ?? 0, mask: rule.fwmask ?? U32 },
      suppressPrefixLength: (rule.suppressPrefixlen ?? U32) === U32 ? null : (rule.suppressPrefixlen ?? null),
      action: actionOf(rule),
      proto: rule.protocol ?? 0,
    }))

const NUD_STATES: Flags = [
  [R.NUD_INCOMPLETE, 'INCOMPLETE'],
  [R.NUD_REACHABLE, 'REACHABLE'],
  [R.NUD_STALE, 'STALE'],
  [R.NUD_DELAY, 'DELAY'],
  [R.NUD_PROBE, 'PROBE'],
  [R.NUD_FAILED, 'FAILED'],
  [R.NUD_NOARP, 'NOARP'],
  [R.NUD_PERMANENT, 'PERMANENT'],
]

export const neighbourFacts = (
  neighbours: ReadonlyArray<NeighMessage>,
  names: DevNames,
): ReadonlyArray<NeighbourFacts> =>
  neighbours
    .flatMap(({ family, index, dst, mac, state, flags }) => {
      const dev = names.get(index)
      if (dev === undefined || dst === undefined || !ofInternet(family)) return []
      return [
        {
          dev,
          ip: dst,
          mac: mac ?? null,
          state: namesIn(state, NUD_STATES)[0] ?? 'NONE',
          proxy: (flags & R.NTF_PROXY) !== 0,
          router: (flags & R.NTF_ROUTER) !== 0,
        },
      ]
    })
    .sort((a, b) => byText(a.dev, b.dev) || compareIp(a.ip, b.ip) || Number(a.proxy) - Number(b.proxy))

const FDB_FLAGS: Flags = [
  [R.NTF_SELF, 'self'],
  [R.NTF_ROUTER, 'router'],
  [R.NTF_EXT_LEARNED, 'extern_learn'],
  [R.NTF_OFFLOADED, 'offload'],
  [R.NTF_STICKY, 'sticky'],
]

/** As bridge(8) reads it: the first that holds. One that was learned has no word. */
const fdbState = (state: number): string =>
  (state & R.NUD_PERMANENT) !== 0
    ? 'permanent'
    : (state & R.NUD_NOARP) !== 0
      ? 'static'
      : (state & R.NUD_STALE) !== 0
        ? 'stale'
        : ''

const byFdbKey = (a: FdbFacts, b: FdbFacts): number =>
  byText(a.dev, b.dev) || a.mac - b.mac || (a.vlan ?? 0) - (b.vlan ?? 0) || byText(a.flags.join(), b.flags.join())

export const fdbFacts = (entries: ReadonlyArray<NeighMessage>, names: DevNames): ReadonlyArray<FdbFacts> =>
  entries
    .flatMap((entry) => {
      const dev = names.get(entry.index)
      if (dev === undefined || entry.mac === undefined) return []
      return [
        {
          dev,
          mac: entry.mac,
          master: entry.master === undefined ? null : (names.get(entry.master) ?? null),
          vlan: entry.vlan ?? null,
          state: fdbState(entry.state),
          flags: namesIn(entry.flags, FDB_FLAGS),
          dst: entry.dst ?? null,
          vni: entry.vni ?? null,
          port: entry.port ?? null,
          via: entry.via === undefined ? null : (names.get(entry.via) ?? null),
        },
      ]
    })
    .sort(byFdbKey)
