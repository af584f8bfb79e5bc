// Whether a socket may have an address for its own, which one its packets then get, and the way from there.
// Sources: include/net/route.h (ip_route_connect), net/ipv4/af_inet.c (__inet_bind), net/ipv4/raw.c (raw_bind), net/ipv6/af_inet6.c (__inet6_bind), net/ipv6/raw.c.

import { type Ip, isIp4, isLinkLocal, isLoopback, isMulticast, isUnspecified } from '../../../net/ip.ts'
import { type Destination, deviceOf, type SendErrno, type Space, type Way } from '../plane.ts'
import type { SocketErrno, SocketOptions } from './entry.ts'

const NO_ADDRESS = 'EADDRNOTAVAIL'

/** A link-local address is one of the device that the socket is bound to, as is ::1 if it is bound; others may be of any. */
const refused6 = (space: Space, from: Ip, dev: string | null): SocketErrno | null => {
  const scope = isLinkLocal(from) || isLoopback(from) ? dev : null
  if (isLinkLocal(from) && scope === null) return 'EINVAL'
  const on = scope === null ? null : deviceOf(space, scope)
  return space.plane.parts.hasAddress(space, from, on) ? null : NO_ADDRESS
}

/** The address that packets get, null where that is the kernel's choice (of a group or a broadcast one, too); or why not. */
export const boundTo = (space: Space, from: Ip | null, dev: string | null): Ip | null | SocketErrno => {
  if (dev !== null && deviceOf(space, dev) === null) return 'ENODEV'
  if (from === null || isUnspecified(from)) return null
  if (!isIp4(from) && isMulticast(from)) return null
  if (!isIp4(from)) return refused6(space, from, dev) ?? from
  switch (space.plane.parts.typeOf(space, from, null)) {
    case 'local':
      return from
    case 'broadcast':
    case 'multicast':
      return null
    default:
      return NO_ADDRESS
  }
}

/** `src`: the source that the way was looked for with at last. */
type Connected = Readonly<{ src: Ip | null; way: Way | SendErrno }>

/** What a socket asks of the routes. Field by field: a copy by `...` costs V8 a third of all hops. */
export const destinationOf = (src: Ip | null, dst: Ip, { dev, mark, tos }: SocketOptions): Destination => ({
  src,
  dst,
  dev,
  mark,
  tos,
})

/** The way from an own address (null: any) to an end. IPv4 looks for it once more when that has given it a source or an end (ip_route_connect). */
export const wayFrom = (space: Space, src: Ip | null, dst: Ip, options: SocketOptions): Connected => {
  const { wayOf } = space.plane.parts
  const way = wayOf(space, destinationOf(src, dst, options))
  if (typeof way === 'string' || !isIp4(dst) || (src !== null && !isUnspecified(dst))) return { src, way }
  return {
    src: way.src,
    way: wayOf(space, destinationOf(way.src, way.dst, options)),
  }
}
