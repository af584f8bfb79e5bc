// Routes: RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE. A route has one next hop in its own attributes, or several in RTA_MULTIPATH,
// each a struct rtnexthop and attributes of its own.
// Source: include/uapi/linux/rtnetlink.h, net/ipv4/fib_frontend.c, net/ipv6/route.c.

import type { Cidr } from '../../../net/cidr.ts'
import { DEFAULT4, DEFAULT6 } from '../../../net/cidr.ts'
import { type Ip, isIp4 } from '../../../net/ip.ts'
import { align, LITTLE_ENDIAN, type Out, take, viewOf, written } from '../bytes.ts'
import { type Field, fields, ipAddress, ipIn, nest, putIp, u8, u32, type ValuesOf } from '../field.ts'
import type { Request } from '../message.ts'
import {
  AF_INET,
  AF_INET6,
  AF_UNSPEC,
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  NLM_F_REPLACE,
} from '../uapi/netlink.ts'
import * as R from '../uapi/route.ts'
import { RTM_DELROUTE, RTM_GETROUTE, RTM_NEWROUTE } from '../uapi/rtnetlink.ts'

/** struct rtvia: a gateway of the other family. */
const via: Field<Ip> = {
  type: R.RTA_VIA,
  flags: 0,
  write: (out, ip) => {
    out.view.setUint16(take(out, 2), isIp4(ip) ? AF_INET : AF_INET6, LITTLE_ENDIAN)
    putIp(out, ip)
  },
  read: (view, from, to) => (to - from > 2 ? ipIn(view, from + 2, to) : undefined),
}

const METRICS = fields({ mtu: u32(R.RTAX_MTU), advmss: u32(R.RTAX_ADVMSS), hoplimit: u32(R.RTAX_HOPLIMIT) })

const HOP = fields({ gateway: ipAddress(R.RTA_GATEWAY), via })
/** `flags`: RTNH_F_*. `weight` counts from 1. */
export type NextHop = Readonly<{ index: number; flags: number; weight: number; gateway?: Ip; via?: Ip }>

const HOP_SIZE = 8

const putHop = (out: Out, hop: NextHop): void => {
  const { view } = out
  const at = take(out, HOP_SIZE)
  view.setUint8(at + 2, hop.flags)
  view.setUint8(at + 3, hop.weight - 1)
  view.setInt32(at + 4, hop.index, LITTLE_ENDIAN)
  HOP.write(out, hop)
  view.setUint16(at, out.at - at, LITTLE_ENDIAN)
}

const decodeHops = (view: DataView, from: number, to: number): ReadonlyArray<NextHop> | undefined => {
  const hops: NextHop[] = []
  let at = from
  while (at + HOP_SIZE <= to) {
    const size = view.getUint16(at, LITTLE_ENDIAN)
    if (size < HOP_SIZE || at + size > to) return undefined
    const attrs = HOP.decode(view, at + HOP_SIZE, at + size)
    if (attrs === null) return undefined
    hops.push({
      index: view.getInt32(at + 4, LITTLE_ENDIAN),
      flags: view.getUint8(at + 2),
      weight: view.getUint8(at + 3) + 1,
      ...attrs,
    })
    at += align(size)
  }
  return at >= to ? hops : undefined
}

const multipath: Field<ReadonlyArray<NextHop>> = {
  type: R.RTA_MULTIPATH,
  flags: 0,
  write: (out, hops) => {
    for (const hop of hops) putHop(out, hop)
  },
  read: decodeHops,
}

const ROUTE = {
  dst: ipAddress(R.RTA_DST),
  src: ipAddress(R.RTA_SRC),
  iif: u32(R.RTA_IIF),
  oif: u32(R.RTA_OIF),
  gateway: ipAddress(R.RTA_GATEWAY),
  via,
  prefSrc: ipAddress(R.RTA_PREFSRC),
  /** What `ip route` calls metric. */
  priority: u32(R.RTA_PRIORITY),
  metrics: nest(R.RTA_METRICS, METRICS),
  multipath,
  /** The table; that of the header has eight bits. */
  allTable: u32(R.RTA_TABLE),
  mark: u32(R.RTA_MARK),
  pref: u8(R.RTA_PREF),
  nextHopId: u32(R.RTA_NH_ID),
}
const route = fields(ROUTE)

/** struct rtmsg. `type`: RTN_*, `protocol`: RTPROT_*, `scope`: RT_SCOPE_*, `flags`: RTM_F_* and RTNH_F_*. */
export type RouteHeader = Readonly<{
  family: number
  dstBits: number
  srcBits: number
  tos: number
  table: number
  protocol: number
  scope: number
  type: number
  flags: number
}>
export type RouteMessage = RouteHeader & ValuesOf<typeof ROUTE>

const HEADER_SIZE = 12

export const encodeRoute = (message: RouteMessage): Uint8Array =>
  written((out) => {
    const { view } = out
    const at = take(out, HEADER_SIZE)
    view.setUint8(at, message.family)
    view.setUint8(at + 1, message.dstBits)
    view.setUint8(at + 2, message.srcBits)
    view.setUint8(at + 3, message.tos)
    view.setUint8(at + 4, message.table)
    view.setUint8(at + 5, message.protocol)
    view.setUint8(at + 6, message.scope)
    view.setUint8(at + 7, message.type)
    view.setUint32(at + 8, message.flags, LITTLE_ENDIAN)
    route.write(out, message)
  })

/** Null: not well-formed. */
export const decodeRoute = (body: Uint8Array): RouteMessage | null => {
  if (body.length < HEADER_SIZE) return null
  const view = viewOf(body)
  const attrs = route.decode(view, HEADER_SIZE, body.length)
  if (attrs === null) return null
  const header: RouteHeader = {
    family: view.getUint8(0),
    dstBits: view.getUint8(1),
    srcBits: view.getUint8(2),
    tos: view.getUint8(3),
    table: view.getUint8(4),
    protocol: view.getUint8(5),
    scope: view.getUint8(6),
    type: view.getUint8(7),
    flags: view.getUint32(8, LITTLE_ENDIAN),
  }
  return Object.assign(attrs, header)
}

/** The table of a route, and where it leads. */
export const tableOf = ({ allTable, table }: RouteMessage): number => allTable ?? table
export const destinationOf = ({ family, dst, dstBits }: RouteMessage): Cidr =>
  dst === undefined ? (family === AF_INET ? DEFAULT4 : DEFAULT6) : { ip: dst, bits: dstBits }

/**
 * A route as it is asked for. `type` RTN_UNICAST, `table` RT_TABLE_MAIN, `protocol` RTPROT_BOOT if not given; a gateway of the
 * other family is sent as RTA_VIA. `onlink`: the gateway is taken to be on the link, whatever the routes say.
 */
export type RouteWish = Readonly<{
  to: Cidr
  via?: Ip
  oif?: number
  metric?: number
  prefSrc?: Ip
  type?: number
  table?: number
  protocol?: number
  scope?: number
  onlink?: boolean
  mtu?: number
  hops?: ReadonlyArray<NextHop>
}>

/** The scope that ip-route(8) gives: a route of IPv4 without a gateway reaches no further than its link. */
const scopeOf = (wish: RouteWish): number => {
  if (!isIp4(wish.to.ip)) return R.RT_SCOPE_UNIVERSE
  const type = wish.type ?? R.RTN_UNICAST
  if (type === R.RTN_LOCAL) return R.RT_SCOPE_HOST
  const direct = wish.via === undefined && wish.hops === undefined
  return type === R.RTN_UNICAST && direct ? R.RT_SCOPE_LINK : R.RT_SCOPE_UNIVERSE
}

const gatewayOf = (to: Ip, hop: Ip | undefined): Readonly<{ gateway?: Ip; via?: Ip }> =>
  hop === undefined ? {} : isIp4(to) === isIp4(hop) ? { gateway: hop } : { via: hop }

const body = (wish: RouteWish, scope: number): Uint8Array => {
  const { to, oif, metric, prefSrc, table = R.RT_TABLE_MAIN, mtu, hops } = wish
  return encodeRoute({
    family: isIp4(to.ip) ? AF_INET : AF_INET6,
    dstBits: to.bits,
    srcBits: 0,
    tos: 0,
    table: table < 256 ? table : R.RT_TABLE_UNSPEC,
    protocol: wish.protocol ?? R.RTPROT_BOOT,
    scope,
    type: wish.type ?? R.RTN_UNICAST,
    flags: wish.onlink === true ? R.RTNH_F_ONLINK : 0,
    ...(to.bits === 0 ? {} : { dst: to.ip }),
    ...gatewayOf(to.ip, wish.via),
    ...(oif === undefined ? {} : { oif }),
    ...(metric === undefined ? {} : { priority: metric }),
    ...(prefSrc === undefined ? {} : { prefSrc }),
    ...(mtu === undefined ? {} : { metrics: { mtu } }),
    ...(hops === undefined ? {} : { multipath: hops }),
    ...(table < 256 ? {} : { allTable: table }),
  })
}

const added =
  (flags: number) =>
  (wish: RouteWish): Request => ({
    type: RTM_NEWROUTE,
    flags,
    body: body(wish, wish.scope ?? scopeOf(wish)),
  })

/** EEXIST if there is one of this destination and metric; ENETUNREACH if the gateway is on no link; ENETDOWN if that is down. */
export const addRoute = added(NLM_F_CREATE | NLM_F_EXCL)
/** In place of what has its destination and metric; made if nothing has. */
export const replaceRoute = added(NLM_F_CREATE | NLM_F_REPLACE)
/** Beside what has its destination and metric. */
export const appendRoute = added(NLM_F_CREATE | NLM_F_APPEND)

/** What is not given matches anything, also `protocol`. ESRCH if there is none. A metric left out of IPv6 means the lowest. */
export const deleteRoute = (wish: RouteWish): Request => ({
  type: RTM_DELROUTE,
  flags: 0,
  body: body({ ...wish, protocol: wish.protocol ?? R.RTPROT_UNSPEC }, wish.scope ?? R.RT_SCOPE_NOWHERE),
})

/** The routes of one or both families; of one table, link or protocol if asked: the kernel does the choosing. */
export type RouteFilter = Readonly<{ family?: number; table?: number; oif?: number; protocol?: number }>

export const dumpRoutes = ({ family = AF_UNSPEC, table, oif, protocol }: RouteFilter = {}): Request => ({
  type: RTM_GETROUTE,
  flags: NLM_F_DUMP,
  body: encodeRoute({
    family,
    dstBits: 0,
    srcBits: 0,
    tos: 0,
    table: R.RT_TABLE_UNSPEC,
    protocol: protocol ?? R.RTPROT_UNSPEC,
    scope: 0,
    type: 0,
    flags: 0,
    ...(table === undefined ? {} : { allTable: table }),
    ...(oif === undefined ? {} : { oif }),
  }),
})
