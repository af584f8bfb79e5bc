// The host, asked over netlink: rtnetlink for devices and routes, sock_diag for sockets.

import { isOurAlias } from '../../kernel/owned.ts'
import type { Cidr } from '../../net/cidr.ts'
import { type HostDevice, type HostSocket, isNarrow } from '../../net/host-facts.ts'
import { ip4, ip6 } from '../../net/ip.ts'
import { HOST, type IfName } from '../../net/name.ts'
import { isPort, TRANSPORTS, type Transport } from '../../net/port.ts'
import { E, type Either } from '../../prelude.ts'
import { decodeLink, getLink, type LinkMessage } from '../netlink/codec/link.ts'
import { decodeRoute, destinationOf, dumpRoutes, type RouteMessage, tableOf } from '../netlink/codec/route.ts'
import { decodeSocket, dumpWaiting, type SocketMessage } from '../netlink/codec/sock-diag.ts'
import { askAll, dump } from '../netlink/conversation.ts'
import type { NetlinkError } from '../netlink/error.ts'
import { loadLibc } from '../netlink/libc.ts'
import { HERE, openSocket, type Socket } from '../netlink/socket.ts'
import { ARPHRD_LOOPBACK } from '../netlink/uapi/if-link.ts'
import { AF_INET, AF_INET6, NETLINK_ROUTE, NETLINK_SOCK_DIAG } from '../netlink/uapi/netlink.ts'
import { RT_TABLE_MAIN, RTM_F_CLONED, RTN_UNICAST } from '../netlink/uapi/route.ts'
import { type Paths, portError } from '../place.ts'
import { type Ears, realIp } from './ears.ts'

type Asked<A> = Promise<Either<NetlinkError, ReadonlyArray<A>>>

const typeOf = ({ type, linkinfo }: LinkMessage): string | null => {
  const info = linkinfo?.info
  if (info !== undefined) return info.kind === 'other' ? info.name : info.kind
  return type === ARPHRD_LOOPBACK ? 'loopback' : null
}

const devicesIn = async (socket: Socket, asked: ReadonlyArray<IfName>): Asked<HostDevice> => {
  const requests = asked.map((name) => getLink({ name }))
  const replies = await askAll(socket, requests, decodeLink)()
  if (E.isLeft(replies)) return replies
  return E.right(
    asked.flatMap((name, i) => {
      const link = replies.right[i]?.value ?? null
      if (link === null) return []
      return [{ name, type: typeOf(link), ours: isOurAlias(link.alias ?? null) }]
    }),
  )
}

const isNear = (route: RouteMessage): boolean =>
  route.type === RTN_UNICAST &&
  tableOf(route) === RT_TABLE_MAIN &&
  (route.flags & RTM_F_CLONED) === 0 &&
  route.oif !== undefined &&
  route.gateway === undefined &&
  route.via === undefined

const prefixesIn = async (socket: Socket): Asked<Cidr> => {
  const routes = await dump(socket, dumpRoutes(), decodeRoute)()
  return E.isLeft(routes) ? routes : E.right(routes.right.filter(isNear).map(destinationOf).filter(isNarrow))
}

/** A socket of IPv6 at :: hears IPv4 too, unless it wants that not. */
const hostSockets = (transport: Transport, message: SocketMessage): ReadonlyArray<HostSocket> => {
  const { family, port, ip4: four, ip6: six, only6 = false } = message
  if (!isPort(port)) return []
  if (family === AF_INET) return [{ ip: four, port, transport }]
  const all = six === 0n && !only6 ? [ip4(0), ip6(0n)] : [realIp(six)]
  return all.map((ip) => ({ ip, port, transport }))
}

const socketsIn = async (socket: Socket): Asked<HostSocket> => {
  const found: HostSocket[] = []
  for (const transport of TRANSPORTS) {
    for (const family of [AF_INET, AF_INET6]) {
      const told = await dump(socket, dumpWaiting(family, transport), decodeSocket)()
      if (E.isRight(told)) found.push(...told.right.flatMap((message) => hostSockets(transport, message)))
      else if (told.left.tag !== 'Refused' || told.left.ack.errno !== 'ENOENT') return told
    }
  }
  return E.right(found)
}

/** Left: NoLibc. */
export const earsInProcess = (paths: Paths): Either<NetlinkError, Ears> => {
  const libc = loadLibc()
  if (E.isLeft(libc)) return libc
  const asking = async <A>(protocol: number, what: string, f: (socket: Socket) => Asked<A>) => {
    const path = paths(HOST)
    const socket = openSocket(path === null ? HERE : { in: 'path', path }, { protocol })
    if (E.isLeft(socket)) return E.left(portError(what, socket.left))
    try {
      const told = await f(socket.right)
      return E.isLeft(told) ? E.left(portError(what, told.left)) : told
    } finally {
      await socket.right.close()
    }
  }
  return E.right({
    devices: (asked) => asking(NETLINK_ROUTE, 'rtnetlink', (socket) => devicesIn(socket, asked)),
    prefixes: () => asking(NETLINK_ROUTE, 'rtnetlink', prefixesIn),
    sockets: () => asking(NETLINK_SOCK_DIAG, 'sock_diag', socketsIn),
  })
}
