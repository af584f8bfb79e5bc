// Requests as the one message that ip(8) or bridge(8) sends for each: the same flags, the same attributes
// (test/kernel-linux/rtnl/messages.test.ts compares them). Those about links are in link-messages.ts.
// Source: iproute2's ipaddress.c, iproute.c, iprule.c, ipneigh.c, bridge/fdb.c.

import { addressScope, BOOT_PROTO, broadcastOf, routeScope, routeTable, ruleAction } from '../../kernel/rtnl/chosen.ts'
import type {
  AddressRequest,
  Ask,
  FdbRequest,
  NeighbourRequest,
  NeighbourState,
  NextHop,
  RouteRequest,
  RouteType,
  RuleAction,
  RuleRequest,
} from '../../kernel/rtnl/request.ts'
import { familyOf as family, type Ip } from '../../net/ip.ts'
import { encodeAddress } from '../netlink/codec/address.ts'
import { encodeNeigh } from '../netlink/codec/neigh.ts'
import { encodeRoute, type NextHop as HopMessage } from '../netlink/codec/route.ts'
import { encodeRule } from '../netlink/codec/rule.ts'
import { familyOf } from '../netlink/format.ts'
import { ADD, APPEND, REPLACE, type Request } from '../netlink/message.ts'
import { AF_BRIDGE, AF_INET, AF_INET6, NLM_F_REPLACE } from '../netlink/uapi/netlink.ts'
import * as R from '../netlink/uapi/route.ts'
import {
  RTM_DELADDR,
  RTM_DELNEIGH,
  RTM_DELROUTE,
  RTM_DELRULE,
  RTM_NEWADDR,
  RTM_NEWNEIGH,
  RTM_NEWROUTE,
  RTM_NEWRULE,
} from '../netlink/uapi/rtnetlink.ts'
import {
  deleteLinkMessage,
  type Found,
  given,
  newLinkMessage,
  portMessage,
  setLinkMessage,
  vlanMessage,
} from './link-messages.ts'

const FLAGS = { add: ADD, replace: REPLACE, change: NLM_F_REPLACE, append: APPEND, delete: 0 }

/** The header has room for eight flags; all are in an attribute where that is not enough. */
const HEADER_FLAGS = 0xff

const addressMessage = (ask: AddressRequest, { indexOf }: Found): Request => {
  const { do: verb, dev, cidr, peer, label, metric } = ask
  // A word that is for IPv6 only; ip(8) warns, and does without.
  const nodad = ask.nodad === true && family(cidr.ip) === 6
  const flags = (nodad ? R.IFA_F_NODAD : 0) | (ask.noprefixroute === true ? R.IFA_F_NOPREFIXROUTE : 0)
  return {
    type: verb === 'delete' ? RTM_DELADDR : RTM_NEWADDR,
    flags: FLAGS[verb],
    body: encodeAddress({
      family: familyOf(cidr.ip),
      bits: cidr.bits,
      flags: flags > HEADER_FLAGS ? 0 : flags,
      scope: addressScope(ask),
      index: indexOf(dev),
      local: cidr.ip,
      address: peer ?? cidr.ip,
      broadcast: broadcastOf(ask),
      label,
      allFlags: flags > HEADER_FLAGS ? flags : undefined,
      priority: metric,
    }),
  }
}

const ROUTE_TYPES: Readonly<Record<RouteType, number>> = {
  unicast: R.RTN_UNICAST,
  local: R.RTN_LOCAL,
  broadcast: R.RTN_BROADCAST,
  blackhole: R.RTN_BLACKHOLE,
  unreachable: R.RTN_UNREACHABLE,
  prohibit: R.RTN_PROHIBIT,
  throw: R.RTN_THROW,
}

/** A gateway of the other family has an attribute of its own. */
const gateway = (to: Ip, via: Ip | undefined): Readonly<{ gateway?: Ip; via?: Ip }> =>
  via === undefined ? {} : family(via) === family(to) ? { gateway: via } : { via }

const hopMessage = (to: Ip, { via, dev, weight = 1, onlink }: NextHop, { indexOf }: Found): HopMessage => ({
  index: dev === undefined ? 0 : indexOf(dev),
  flags: onlink === true ? R.RTNH_F_ONLINK : 0,
  weight,
  ...gateway(to, via),
})

/** Numbers of tables that the header has room for. */
const HEADER_TABLES = 256

const routeMessage = (ask: RouteRequest, found: Found): Request => {
  const { do: verb, to, type, metric, proto, src, mtu, tos } = ask
  const gone = verb === 'delete'
  const table = routeTable(ask)
  const hops = ask.hops ?? []
  return {
    type: gone ? RTM_DELROUTE : RTM_NEWROUTE,
    flags: FLAGS[verb],
    body: encodeRoute({
      family: familyOf(to.ip),
      dstBits: to.bits,
      tos,
      table: table < HEADER_TABLES ? table : R.RT_TABLE_UNSPEC,
      protocol: proto ?? (gone ? R.RTPROT_UNSPEC : BOOT_PROTO),
      scope: routeScope(ask),
      type: type === undefined ? (gone ? R.RTN_UNSPEC : R.RTN_UNICAST) : ROUTE_TYPES[type],
      flags: ask.onlink === true ? R.RTNH_F_ONLINK : 0,
      dst: to.ip,
      ...gateway(to.ip, ask.via),
      oif: given(ask.dev, found.indexOf),
      priority: metric,
      prefSrc: src,
      metrics: given(mtu, (bytes) => ({ mtu: bytes })),
      multipath: hops.length === 0 ? undefined : hops.map((hop) => hopMessage(to.ip, hop, found)),
      allTable: table < HEADER_TABLES ? undefined : table,
    }),
  }
}

const ACTIONS = {
  blackhole: R.FR_ACT_BLACKHOLE,
  unreachable: R.FR_ACT_UNREACHABLE,
  prohibit: R.FR_ACT_PROHIBIT,
  nop: R.FR_ACT_NOP,
}

/** A deletion by a table takes a rule with any action. */
const actionOf = (verb: RuleRequest['do'], action: RuleAction | null) => {
  if (action === null) return {}
  if ('goto' in action) return { action: R.FR_ACT_GOTO, goto: action.goto }
  if ('is' in action) return { action: ACTIONS[action.is] }
  const { lookup } = action
  const sought = verb === 'add' ? { action: R.FR_ACT_TO_TBL } : {}
  return lookup < HEADER_TABLES ? { ...sought, table: lookup } : { ...sought, allTable: lookup }
}

/** A new rule without a table to look up is still of the main one, as a lookup that it is not. */
const ruleMessage = (ask: RuleRequest): Request => {
  const { do: verb, from, to, mark } = ask
  return {
    type: verb === 'add' ? RTM_NEWRULE : RTM_DELRULE,
    flags: FLAGS[verb],
    body: encodeRule({
      family: ask.family === 4 ? AF_INET : AF_INET6,
      srcBits: from?.bits,
      dstBits: to?.bits,
      flags: ask.not === true ? R.FIB_RULE_INVERT : 0,
      src: from?.ip,
      dst: to?.ip,
      iifname: ask.iif,
      oifname: ask.oif,
      priority: ask.priority,
      fwmark: mark?.value,
      fwmask: mark?.mask,
      suppressPrefixlen: ask.suppressPrefixLength,
      ...actionOf(verb, ruleAction(ask)),
    }),
  }
}

const STATES: Readonly<Record<NeighbourState, number>> = {
  permanent: R.NUD_PERMANENT,
  noarp: R.NUD_NOARP,
  reachable: R.NUD_REACHABLE,
  stale: R.NUD_STALE,
  failed: R.NUD_FAILED,
}

const neighbourMessage = (ask: NeighbourRequest, { indexOf }: Found): Request => ({
  type: ask.do === 'delete' ? RTM_DELNEIGH : RTM_NEWNEIGH,
  flags: FLAGS[ask.do],
  body: encodeNeigh({
    family: familyOf(ask.ip),
    index: indexOf(ask.dev),
    state: STATES[ask.state ?? 'permanent'],
    flags: ask.proxy === true ? R.NTF_PROXY : 0,
    dst: ask.ip,
    mac: ask.mac,
  }),
})

/** NUD_NOARP: it does not age. */
const FDB_STATES = {
  local: R.NUD_NOARP | R.NUD_PERMANENT,
  static: R.NUD_NOARP | R.NUD_REACHABLE,
  dynamic: R.NUD_REACHABLE,
}

/** Port 0 is not asked for. */
const fdbMessage = (ask: FdbRequest, { indexOf }: Found): Request => ({
  type: ask.do === 'delete' ? RTM_DELNEIGH : RTM_NEWNEIGH,
  flags: FLAGS[ask.do],
  body: encodeNeigh({
    family: AF_BRIDGE,
    index: indexOf(ask.dev),
    state: FDB_STATES[ask.state ?? 'local'],
    flags: (ask.of === 'master' ? R.NTF_MASTER : R.NTF_SELF) | (ask.sticky === true ? R.NTF_STICKY : 0),
    mac: ask.mac,
    dst: ask.dst,
    vlan: ask.vlan,
    port: ask.port === 0 ? undefined : ask.port,
    vni: ask.vni,
    via: given(ask.via, indexOf),
  }),
})

/** What is asked of rtnetlink; namespaces, taps and sysctls have other ways. */
export type OfRtnetlink = Exclude<Ask, { on: 'netns' | 'sysctl' | 'tap' }>

export const messageOf = (ask: OfRtnetlink, found: Found): Request => {
  switch (ask.on) {
    case 'link':
      if (ask.do === 'add') return newLinkMessage(ask, found)
      return ask.do === 'set' ? setLinkMessage(ask, found) : deleteLinkMessage(ask, found)
    case 'port':
      return portMessage(ask, found)
    case 'vlan':
      return vlanMessage(ask, found)
    case 'address':
      return addressMessage(ask, found)
    case 'route':
      return routeMessage(ask, found)
    case 'rule':
      return ruleMessage(ask)
    case 'neighbour':
      return neighbourMessage(ask, found)
    case 'fdb':
      return fdbMessage(ask, found)
  }
}
