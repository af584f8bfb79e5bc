// What an address brings and takes along: its connected route, and on IPv6 the link-local address of a running device.
// Sources: net/ipv4/fib_frontend.c (fib_add_ifaddr, fib_del_ifaddr), net/ipv6/addrconf.c.

import { MIN_MTU6 } from '../../kernel/cascade.ts'
import { type Cidr, networkOf, sameCidr } from '../../net/cidr.ts'
import { ip4, ip6, isIp4, isMulticast } from '../../net/ip.ts'
import { linkLocal6 } from '../../net/mac.ts'
import type { LinkEntry, RouteEntry } from '../state.ts'
import { hasCarrier } from './carrier.ts'
import { change, type Space } from './draft.ts'
import { flushRoutes, insertRoute, removeRoute, routeThrough } from './table.ts'

/** RFC 791's smallest MTU; below it Linux drops IPv4 from a device (only loopback devices allow it). */
const MIN_MTU4 = 68
/** The metric of connected IPv6 routes (IP6_RT_PRIO_ADDRCONF). */
const CONNECTED6 = 256

const LOOPBACK4: Cidr = { ip: ip4(0x7f000001), bits: 8 }
const LOOPBACK6: Cidr = { ip: ip6(1n), bits: 128 }

export const runs4 = (link: LinkEntry): boolean => link.mtu >= MIN_MTU4
/** A loopback device keeps IPv6 whatever its MTU. */
export const runs6 = (link: LinkEntry): boolean => link.mtu >= MIN_MTU6 || link.spec.type === 'loopback'
export const disabled6 = ({ conf }: LinkEntry): boolean => (conf[6].disable_ipv6 ?? '0') !== '0'

/** The first address of its subnet on a device; the others live and die with it. */
export const isPrimary = (link: LinkEntry, cidr: Cidr): boolean => {
  const network = networkOf(cidr)
  const first = link.addresses.find((other) => sameCidr(networkOf(other.cidr), network))
  return first === undefined || sameCidr(first.cidr, cidr)
}

/** Not for host addresses, 0.0.0.0/8 and groups; a loopback's networks are local as a whole and need none. */
const connects4 = (link: LinkEntry, network: Cidr): boolean =>
  link.spec.type !== 'loopback' && network.bits < 32 && Number(network.ip) >>> 24 !== 0 && !isMulticast(network.ip)

/** Adds the connected route of an address that is on the device already. */
export const connect = (space: Space, link: LinkEntry, cidr: Cidr): LinkEntry => {
  const to = networkOf(cidr)
  if (isIp4(cidr.ip)) {
    if (!connects4(link, to) || !isPrimary(link, cidr)) return link
    return insertRoute(space, link, { to, via: null, metric: 0, origin: 'kernel', source: cidr.ip })
  }
  const there = routeThrough(space, link, to, (other) => other.metric === CONNECTED6 && other.via === null)
  if (there !== null) return link
  return insertRoute(space, link, { to, via: null, metric: CONNECTED6, origin: 'kernel', source: null })
}

/**
 * Removes the connected route of an address that is gone from `link`. IPv6 takes the preferred on-link route of that
 * prefix, whoever made it (addrconf_get_prefix_route), unless another address of the device needs it.
 */
export const disconnect = (space: Space, link: LinkEntry, cidr: Cidr): LinkEntry => {
  const to = networkOf(cidr)
  const four = isIp4(cidr.ip)
  if (!four && link.addresses.some((other) => sameCidr(networkOf(other.cidr), to))) return link
  const wanted = (route: RouteEntry): boolean => route.via === null && (!four || route.origin === 'kernel')
  const found = routeThrough(space, link, to, wanted)
  return found === null ? link : removeRoute(space, link, found)
}

/** An IPv4 address is unique on a device with its prefix length, an IPv6 one without. */
export const clash = (a: Cidr, b: Cidr): boolean => a.ip === b.ip && (a.bits === b.bits || !isIp4(a.ip))

/** Gives a device an address of the kernel's own, which it may have already. */
const addOwn = (space: Space, link: LinkEntry, cidr: Cidr): LinkEntry => {
  if (link.addresses.some((other) => clash(other.cidr, cidr))) return link
  const addresses = [...link.addresses, { cidr, origin: 'kernel' as const }]
  return connect(space, change(space, link, { addresses }), cidr)
}

/** What IPv4 does when a device comes up: connected routes, and on a loopback 127.0.0.1/8. */
export const start4 = (space: Space, link: LinkEntry): LinkEntry => {
  if (!link.up || !runs4(link)) return link
  if (link.spec.type === 'loopback') return addOwn(space, change(space, link, { pinned4: 'all' }), LOOPBACK4)
  return link.addresses.reduce((next, { cidr }) => (isIp4(cidr.ip) ? connect(space, next, cidr) : next), link)
}

/** The connected routes of addresses that were added while the device was down. */
export const reconnect6 = (space: Space, link: LinkEntry): LinkEntry =>
  link.addresses.reduce((next, { cidr }) => (isIp4(cidr.ip) ? next : connect(space, next, cidr)), link)

/** Starts IPv6 on a device if all it needs is there: up, carrier, MTU, not disabled; once until it goes down. */
export const start6 = (space: Space, link: LinkEntry): LinkEntry => {
  if (link.ready6 || link.mtu < MIN_MTU6 || disabled6(link) || !hasCarrier(space, link)) return link
  const own = link.spec.type === 'loopback' ? LOOPBACK6 : { ip: linkLocal6(link.mac), bits: 64 }
  return addOwn(space, change(space, link, { ready6: true }), own)
}

/** Takes IPv6 from a device: its addresses and routes. */
export const stop6 = (space: Space, link: LinkEntry): LinkEntry => {
  const addresses = link.addresses.filter(({ cidr }) => isIp4(cidr.ip))
  return change(space, flushRoutes(space, link, 6), { ready6: false, addresses })
}

/** Takes IPv4 from a device. */
export const stop4 = (space: Space, link: LinkEntry): LinkEntry => {
  const addresses = link.addresses.filter(({ cidr }) => !isIp4(cidr.ip))
  return change(space, flushRoutes(space, link, 4), { addresses })
}
