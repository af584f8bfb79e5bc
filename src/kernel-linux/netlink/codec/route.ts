// Routes: RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE. A route has one next hop in its own attributes, or several in RTA_MULTIPATH,
// each a struct rtnexthop and attributes of its own.
// Source: include/uapi/linux/rtnetlink.h, net/ipv4/fib_frontend.c, net/ipv6/route.c.

import type { Cidr } from '../../../net/cidr.ts'
import { DEFAULT4, DEFAULT6 } from '../../../net/cidr.ts'
import { type Ip, isIp4 } from '../../../net/ip.ts'
import { align } from '../bytes.ts'
import { type Field, field, fields, ipAddress, nest, u8, u32 } from '../field.ts'
import { type Format, familyOf, IP, type Read, S32, U8, U16, U32 } from '../format.ts'
import { ADD, APPEND, REPLACE, request } from '../message.ts'
import { body, struct } from '../struct.ts'
import { AF_INET, NLM_F_DUMP } from '../uapi/netlink.ts'
import * as R from '../uapi/route.ts'
import { RTM_DELROUTE, RTM_GETROUTE, RTM_NEWROUTE } from '../uapi/rtnetlink.ts'

/** struct rtvia: a gateway of the other family. */
const via: Field<Ip> = field(R.RTA_VIA, {
  write: (out, ip) => {
    U16.write(out, familyOf(ip))
    IP.write(out, ip)
  },
  read: (view, from, to) => IP.read(view, from + U16.size, to),
})

/** struct rtnexthop. `size` counts the attributes too; `flags`: RTNH_F_*. */
const RTNEXTHOP = struct(8, { size: [0, U16], flags: [2, U8], hops: [3, U8], index: [4, S32] })
const HOP = body(RTNEXTHOP, { gateway: ipAddress(R.RTA_GATEWAY), via })

/** `weight` counts from 1. */
export type NextHop = Readonly<{ index: number; flags: number; weight: number; gateway?: Ip; via?: Ip }>

const HOPS: Format<ReadonlyArray<NextHop>> = {
  write: (out, hops) => {
    for (const { weight, ...hop } of hops) {
      const start = out.at
      HOP.write(out, { ...hop, hops: weight - 1 })
      U16.put(out.view, start, out.at - start)
    }
  },
  read: (view, from, to) => {
    const found: NextHop[] = []
    let at = from
    while (at + RTNEXTHOP.size <= to) {
      const end = at + U16.get(view, at)
      const hop = end > to ? undefined : HOP.read(view, at, end)
      if (hop === undefined) return undefined
      const { size, hops, ...rest } = hop
      found.push({ ...rest, weight: hops + 1 })
      at += align(size)
    }
    return at >= to ? found : undefined
  },
}

/** struct rtmsg. `type`: RTN_*, `protocol`: RTPROT_*, `scope`: RT_SCOPE_*, `flags`: RTM_F_* and RTNH_F_*. */
export const RTMSG = struct(12, {
  family: [0, U8],
  dstBits: [1, U8],
  srcBits: [2, U8],
  tos: [3, U8],
  table: [4, U8],
  protocol: [5, U8],
  scope: [6, U8],
  type: [7, U8],
  flags: [8, U32],
})

const ROUTE = body(RTMSG, {
  dst: ipAddress(R.RTA_DST),
  src: ipAddress(R.RTA_SRC),
  iif: u32(R.RTA_IIF),
  oif: u32(R.RTA_OIF),
  gateway: ipAddress(R.RTA_GATEWAY),
  via,
  prefSrc: ipAddress(R.RTA_PREFSRC),
  /** What `ip route` calls metric. */
  priority: u32(R.RTA_PRIORITY),
  metrics: nest(
    R.RTA_METRICS,
    fields({ mtu: u32(R.RTAX_MTU), advmss: u32(R.RTAX_ADVMSS), hoplimit: u32(R.RTAX_HOPLIMIT) }),
  ),
  multipath: field(R.RTA_MULTIPATH, HOPS),
  /** The table; that of the header has eight bits. */
  allTable: u32(R.RTA_TABLE),
  mark: u32(R.RTA_MARK),
  pref: u8(R.RTA_PREF),
  nextHopId: u32(R.RTA_NH_ID),
})
export type RouteMessage = Read<typeof ROUTE>
export const { encode: encodeRoute, decode: decodeRoute } = ROUTE

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

const encoded = (wish: RouteWish, scope: number, protocol: number): Uint8Array => {
  const { to, via: hop, oif, metric, prefSrc, type = R.RTN_UNICAST, table = R.RT_TABLE_MAIN, mtu, hops } = wish
  const other = hop !== undefined && isIp4(to.ip) !== isIp4(hop)
  return encodeRoute({
    family: familyOf(to.ip),
    dstBits: to.bits,
    table: table < 256 ? table : R.RT_TABLE_UNSPEC,
    protocol: wish.protocol ?? protocol,
    scope: wish.scope ?? scope,
    type,
    flags: wish.onlink === true ? R.RTNH_F_ONLINK : 0,
    dst: to.bits === 0 ? undefined : to.ip,
    gateway: other ? undefined : hop,
    via: other ? hop : undefined,
    oif,
    priority: metric,
    prefSrc,
    metrics: mtu === undefined ? undefined : { mtu },
    multipath: hops,
    allTable: table < 256 ? undefined : table,
  })
}
const wished = (wish: RouteWish): Uint8Array => encoded(wish, scopeOf(wish), R.RTPROT_BOOT)

/** EEXIST if there is one of this destination and metric; ENETUNREACH if the gateway is on no link; ENETDOWN if that is down. */
export const addRoute = request(RTM_NEWROUTE, ADD, wished)
/** In place of what has its destination and metric; made if nothing has. */
export const replaceRoute = request(RTM_NEWROUTE, REPLACE, wished)
/** Beside what has its destination and metric. */
export const appendRoute = request(RTM_NEWROUTE, APPEND, wished)

/** What is not given matches anything, also `protocol`. ESRCH if there is none. A metric left out of IPv6 means the lowest. */
export const deleteRoute = request(RTM_DELROUTE, 0, (wish: RouteWish) =>
  encoded(wish, R.RT_SCOPE_NOWHERE, R.RTPROT_UNSPEC),
)

/** The routes of one or both families; of one table, link or protocol if asked: the kernel does the choosing. */
export type RouteFilter = Readonly<{ family?: number; table?: number; oif?: number; protocol?: number }>

export const dumpRoutes = request(RTM_GETROUTE, NLM_F_DUMP, ({ table, ...rest }: RouteFilter = {}) =>
  encodeRoute({ ...rest, allTable: table }),
)
