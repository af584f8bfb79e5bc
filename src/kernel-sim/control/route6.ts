// Which IPv6 routes Linux accepts: its device, and how its gateway is reached.
// Invariant: the order of the checks is the kernel's, so that of two faults the same one is told.
// Source: net/ipv6/route.c (fib6_nh_init, ip6_validate_gw, ip6_route_check_nh).

import type { Errno } from '../../kernel/errno.ts'
import type { NextHop } from '../../kernel/rtnl/request.ts'
import { networkOf } from '../../net/cidr.ts'
import { type Ip, isIp4, isLinkLocal, isMulticast, isUnspecified } from '../../net/ip.ts'
import { hasIn } from '../../net/pmap.ts'
import { E, type Either } from '../../prelude.ts'
import type { LinkEntry } from '../link-entry.ts'
import { loopbackName, type RouteEntry, TABLES } from '../state.ts'
import { isUsableBy } from './addrconf.ts'
import { linkOf, type Space } from './draft.ts'
import { lookInTable6, lookNear6, lookup6 } from './fib6.ts'
import { disabled6, runs6 } from './inet.ts'
import { hop, isEnd, type NewRoute } from './table.ts'

/** What is asked for, but for its hop. */
export type Wanted6 = Omit<NewRoute, 'hops'>

/** A link-local address is one of its device, others are of any. */
const isOwn = (space: Space, ip: Ip, dev: LinkEntry | null): boolean =>
  isLinkLocal(ip) && dev !== null
    ? dev.addresses.some(({ cidr }) => cidr.ip === ip)
    : hasIn(space.now.owned6, ip.toString(16))

/** What leads through the loopback device but to ourselves is rejected, whatever its type (fib6_is_reject). */
const isReject = ({ now }: Space, { type, to, hops }: RouteEntry): boolean =>
  isEnd(type) || (hops[0]?.dev === loopbackName(now) && to.ip !== 1n && type !== 'local' && type !== 'anycast')

const leads = (space: Space, route: RouteEntry | null, dev: LinkEntry | null): boolean => {
  const first = route?.hops[0]
  if (route === null || first === undefined || isReject(space, route) || first.via !== null) return false
  return dev === null || first.dev === dev.name
}

const isOnLink = (space: Space, via: Ip, dev: LinkEntry): boolean => {
  const found = lookNear6(space, TABLES.main, via, dev)
  if (found === null || isReject(space, found) || isUnspecified(found.to.ip)) return true
  return found.type === 'unicast' && found.hops[0]?.dev === dev.name
}

/** The device by which a gateway is reached. */
const gatewayDevice = (
  space: Space,
  via: Ip,
  dev: LinkEntry | null,
  onlink: boolean,
  table: number,
): Either<Errno, LinkEntry> => {
  if (dev !== null && isOwn(space, via, dev)) return E.left('EINVAL')
  let way = dev
  if (!isLinkLocal(via)) {
    if (isMulticast(via) || isUnspecified(via)) return E.left('EINVAL')
    if (onlink && dev !== null) {
      if (!isOnLink(space, via, dev)) return E.left('EINVAL')
    } else {
      const near = lookInTable6(space, table, via, dev)
      const found = leads(space, near, dev) ? near : lookup6(space, via, dev)
      const first = found?.hops[0]
      if (!leads(space, found, dev) || first === undefined || first.dev === null) return E.left('EHOSTUNREACH')
      way = linkOf(space, first.dev)
    }
  }
  if (way === null || way.spec.type === 'loopback') return E.left('EINVAL')
  return dev === null && isOwn(space, via, way) ? E.left('EINVAL') : E.right(way)
}

/** The device of a hop, whose gateway is one of IPv6 if it has any. */
export const checkDevice = (space: Space, asked: NextHop, table: number): Either<Errno, LinkEntry> => {
  const dev = asked.dev === undefined ? null : linkOf(space, asked.dev)
  if (dev !== null && !runs6(dev)) return E.left('ENODEV')
  if (asked.onlink === true && dev === null) return E.left('ENODEV')
  if (asked.onlink === true && dev?.up === false) return E.left('ENETDOWN')
  const found = asked.via === undefined ? dev : gatewayDevice(space, asked.via, dev, asked.onlink === true, table)
  if (found === null) return E.left('ENODEV')
  const checked = '_tag' in found ? found : E.right(found)
  if (E.isLeft(checked)) return checked
  if (disabled6(checked.right)) return E.left('EACCES')
  return checked.right.up ? checked : E.left('ENETDOWN')
}

/** The source must be an own address that is in use. */
const fitsSource = (space: Space, { source }: Wanted6, dev: LinkEntry | null): boolean =>
  source === null || isIp4(source) || isUnspecified(source) || isUsableBy(space, source, dev)

/** The route by one hop, or why there can be none. What leads nowhere is loopback's. */
export const checkRoute6 = (space: Space, wanted: Wanted6, asked: NextHop): Either<Errno, NewRoute> => {
  const to = networkOf(wanted.to)
  if (isEnd(wanted.type)) {
    const onlink = asked.onlink ?? false
    const given = asked.dev === undefined ? null : linkOf(space, asked.dev)
    if (given === null ? onlink : !runs6(given)) return E.left('ENODEV')
    if (onlink && given?.up === false) return E.left('ENETDOWN')
    const lo = loopbackName(space.now)
    return fitsSource(space, wanted, linkOf(space, lo))
      ? E.right({ ...wanted, to, hops: [hop(lo, null, { onlink })] })
      : E.left('EINVAL')
  }
  const dev = checkDevice(space, asked, wanted.table)
  if (E.isLeft(dev)) return dev
  if (!fitsSource(space, wanted, dev.right)) return E.left('EINVAL')
  const one = hop(dev.right.name, asked.via ?? null, { weight: asked.weight ?? 1, onlink: asked.onlink ?? false })
  return E.right({ ...wanted, to, hops: [one] })
}
