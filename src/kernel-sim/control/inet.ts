// What an address brings and takes along: its connected route, and on IPv6 the link-local address of a running device.
// Sources: net/ipv4/fib_frontend.c (fib_add_ifaddr, fib_del_ifaddr), net/ipv6/addrconf.c.

import { MIN_MTU6 } from '../../kernel/cascade.ts'
import { deviceSysctl } from '../../kernel/sysctl.ts'
import { type Cidr, networkOf, sameCidr } from '../../net/cidr.ts'
import { ip4, ip6, isIp4, isMulticast } from '../../net/ip.ts'
import { linkLocal6 } from '../../net/mac.ts'
import type { IfName, Ns } from '../../net/name.ts'
import { getIn } from '../../net/pmap.ts'
import type { LinkEntry, NsEntry, RouteEntry, World } from '../state.ts'
import { hasCarrier } from './carrier.ts'
import { flushRoutes, insertRoute, removeRoute, routeThrough } from './table.ts'
import { linkOf, nsOf, putLink, withNs } from './world.ts'

/** RFC 791's smallest MTU; below it Linux drops IPv4 from a device (only loopback devices allow it). */
const MIN_MTU4 = 68
/** The metric of connected IPv6 routes (IP6_RT_PRIO_ADDRCONF). */
const CONNECTED6 = 256

const LOOPBACK4: Cidr = { ip: ip4(0x7f000001), bits: 8 }
const LOOPBACK6: Cidr = { ip: ip6(1n), bits: 128 }

export const runs4 = (link: LinkEntry): boolean => link.mtu >= MIN_MTU4
/** A loopback device keeps IPv6 whatever its MTU. */
export const runs6 = (link: LinkEntry): boolean => link.mtu >= MIN_MTU6 || link.spec.type === 'loopback'
export const disabled6 = (space: NsEntry, dev: IfName): boolean =>
  (getIn(space.sysctls, deviceSysctl(6, dev, 'disable_ipv6')) ?? '0') !== '0'

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
export const connect = (space: NsEntry, link: LinkEntry, cidr: Cidr): NsEntry => {
  const to = networkOf(cidr)
  const route = { to, via: null, dev: link.name, origin: 'kernel' } as const
  if (isIp4(cidr.ip)) {
    if (!connects4(link, to) || !isPrimary(link, cidr)) return space
    return insertRoute(space, { ...route, metric: 0, source: cidr.ip })
  }
  const there = routeThrough(space, link.name, to, (other) => other.metric === CONNECTED6 && other.via === null)
  if (there !== null) return space
  return insertRoute(space, { ...route, metric: CONNECTED6, source: null })
}

/**
 * Removes the connected route of an address that is gone from `link`. IPv6 takes the preferred on-link route of that
 * prefix, whoever made it (addrconf_get_prefix_route), unless another address of the device needs it.
 */
export const disconnect = (space: NsEntry, link: LinkEntry, cidr: Cidr): NsEntry => {
  const to = networkOf(cidr)
  const four = isIp4(cidr.ip)
  if (!four && link.addresses.some((other) => sameCidr(networkOf(other.cidr), to))) return space
  const wanted = (route: RouteEntry): boolean => route.via === null && (!four || route.origin === 'kernel')
  const found = routeThrough(space, link.name, to, wanted)
  return found === null ? space : removeRoute(space, found[0])
}

/** An IPv4 address is unique on a device with its prefix length, an IPv6 one without. */
export const clash = (a: Cidr, b: Cidr): boolean => a.ip === b.ip && (a.bits === b.bits || !isIp4(a.ip))

const addOwn = (space: NsEntry, link: LinkEntry, cidr: Cidr): NsEntry => {
  if (link.addresses.some((other) => clash(other.cidr, cidr))) return space
  const next = { ...link, addresses: [...link.addresses, { cidr, origin: 'kernel' as const }] }
  return connect(putLink(space, next), next, cidr)
}

/** What IPv4 does when a device comes up: connected routes, and on a loopback 127.0.0.1/8. */
export const start4 = (space: NsEntry, dev: IfName): NsEntry => {
  const link = getIn(space.links, dev)
  if (link === undefined || !link.up || !runs4(link)) return space
  if (link.spec.type === 'loopback') {
    const pinned: LinkEntry = { ...link, pinned4: 'all' }
    return addOwn(putLink(space, pinned), pinned, LOOPBACK4)
  }
  return link.addresses.reduce((next, { cidr }) => (isIp4(cidr.ip) ? connect(next, link, cidr) : next), space)
}

/** The connected routes of addresses that were added while the device was down. */
export const reconnect6 = (space: NsEntry, dev: IfName): NsEntry => {
  const link = getIn(space.links, dev)
  if (link === undefined) return space
  return link.addresses.reduce((next, { cidr }) => (isIp4(cidr.ip) ? next : connect(next, link, cidr)), space)
}

/** Starts IPv6 on a device if all it needs is there: up, carrier, MTU, not disabled; once until it goes down. */
export const start6 = (world: World, ns: Ns, dev: IfName): World => {
  const space = nsOf(world, ns)
  const link = linkOf(world, ns, dev)
  if (space === undefined || link === undefined || link.ready6 || link.mtu < MIN_MTU6) return world
  if (disabled6(space, dev) || !hasCarrier(world, ns, link)) return world
  const own = link.spec.type === 'loopback' ? LOOPBACK6 : { ip: linkLocal6(link.mac), bits: 64 }
  return withNs(world, ns, (old) => {
    const ready = { ...link, ready6: true }
    return addOwn(putLink(old, ready), ready, own)
  })
}

/** Takes IPv6 from a device: its addresses and routes. */
export const stop6 = (space: NsEntry, dev: IfName): NsEntry => {
  const flushed = flushRoutes(space, dev, 6)
  const link = getIn(flushed.links, dev)
  if (link === undefined) return space
  const addresses = link.addresses.filter(({ cidr }) => isIp4(cidr.ip))
  return putLink(flushed, { ...link, ready6: false, addresses })
}

/** Takes IPv4 from a device. */
export const stop4 = (space: NsEntry, dev: IfName): NsEntry => {
  const flushed = flushRoutes(space, dev, 4)
  const link = getIn(flushed.links, dev)
  if (link === undefined) return space
  return putLink(flushed, { ...link, addresses: link.addresses.filter(({ cidr }) => !isIp4(cidr.ip)) })
}
