// IPv6 on devices: it starts with carrier, with a link-local address; addresses bring their local and prefix routes; when it
// stops, all goes. What is tentative (dad.ts) has its prefix's route only, until it is found to be unique.
// Source: net/ipv6/addrconf.c (inet6_addr_add, inet6_addr_modify, ipv6_del_addr, addrconf_notify, addrconf_ifdown,
// addrconf_dad_completed, addrconf_dad_work).

import { MIN_MTU6 } from '../../kernel/cascade.ts'
import type { Errno } from '../../kernel/errno.ts'
import type { AddressRequest } from '../../kernel/rtnl/request.ts'
import { type Cidr, cidr, maskIp, networkOf, sameCidr } from '../../net/cidr.ts'
import { type Ip, type Ip6, ip6, isIp4, isLinkLocal, isLoopback, isMulticast, isUnspecified } from '../../net/ip.ts'
import { linkLocal6, numberedLinkLocal6 } from '../../net/mac.ts'
import type { IfName } from '../../net/name.ts'
import { getIn, removeIn, setIn } from '../../net/pmap.ts'
import { type AddressEntry, isTentative, type LinkEntry } from '../link-entry.ts'
import { type RouteEntry, TABLES } from '../state.ts'
import { isSince } from '../version.ts'
import { acceptsDad, begunOn, forgetTentative, noteTentative, runDad, tentativeTimes } from './dad.ts'
import { change, linkOf, type Space } from './draft.ts'
import { bring6, disable6, enable6, routeOn } from './fib6.ts'
import { disabled6, forwards6, runs6 } from './inet.ts'
import { forgetAll } from './neigh.ts'
import { SCOPES } from './scope.ts'
import { isAddressTaken } from './stacked.ts'
import { dropSource, removeRoute, routesFrom } from './table.ts'

/** The metric of connected IPv6 routes (IP6_RT_PRIO_ADDRCONF). */
const CONNECTED6 = 256
const LOOPBACK6: Cidr = { ip: ip6(1n), bits: 128 }
const MULTICAST = cidr('ff00::/8')

export const addresses6 = ({ addresses }: LinkEntry): ReadonlyArray<AddressEntry> =>
  addresses.filter((address) => !isIp4(address.cidr.ip))

const scopeOf = (ip: Ip): number => {
  if (isLinkLocal(ip)) return SCOPES.link
  if (isLoopback(ip)) return SCOPES.host
  return typeof ip === 'bigint' && ip >> 118n === 0x3fbn ? SCOPES.site : SCOPES.global
}

const host = (ip: Ip): Cidr => ({ ip, bits: 128 })

const own = (space: Space, ip: Ip, by: 1 | -1): void => {
  if (isLinkLocal(ip)) return
  const key = ip.toString(16)
  const count = (getIn(space.now.owned6, key) ?? 0) + by
  space.now.owned6 = count === 0 ? removeIn(space.now.owned6, key) : setIn(space.now.owned6, key, count)
}

/** A route that only a device which is up can have (addrconf_prefix_route, addrconf_add_mroute). */
const bringIfUp = (space: Space, dev: IfName, type: 'unicast' | 'multicast', to: Cidr, metric: number): void => {
  const link = linkOf(space, dev)
  if (link?.up === true && !disabled6(link)) bring6(space, dev, type, to, metric)
}

const prefixRoute = (space: Space, dev: IfName, on: Cidr, metric: number): void =>
  bringIfUp(space, dev, 'unicast', networkOf(on), metric || CONNECTED6)

/** addrconf_add_dev: whoever uses IPv6 on a device gives it the route of all groups. */
const useDevice = (space: Space, { name, spec }: LinkEntry): void => {
  if (spec.type !== 'loopback') bringIfUp(space, name, 'multicast', MULTICAST, CONNECTED6)
}

/** The address of all routers of a subnet; hosts, small subnets and the whole have none. */
const anycastOf = ({ cidr: { ip, bits } }: AddressEntry): Cidr | null => {
  const first = maskIp(ip, bits)
  return bits >= 127 || isUnspecified(first) ? null : host(first)
}

/** Takes part in the anycast addresses of its subnets, as routers do (addrconf_join_anycast). */
export const joinAnycast = (space: Space, dev: IfName): void => {
  const link = linkOf(space, dev)
  if (link === null || !forwards6(link)) return
  for (const address of addresses6(link)) {
    const to = isTentative(address) ? null : anycastOf(address)
    if (to !== null) bring6(space, dev, 'anycast', to, 0)
  }
}

/**
 * Leaves those that no other address of a forwarding device stands for. A tentative one has not joined, but leaves all the same: the
 * anycast address of another one goes (addrconf_leave_anycast).
 */
export const leaveAnycast = (space: Space, dev: IfName, left: ReadonlyArray<AddressEntry>): void => {
  const link = linkOf(space, dev)
  if (link === null) return
  const kept = forwards6(link)
    ? addresses6(link)
        .filter((address) => !isTentative(address))
        .map(anycastOf)
    : []
  for (const address of left) {
    const to = anycastOf(address)
    if (to === null) continue
    const users = kept.filter((other) => other !== null && sameCidr(other, to)).length
    if (users > (isTentative(address) ? 1 : 0)) continue
    const found = routeOn(space, dev, TABLES.local, to, ({ type }) => type === 'anycast')
    if (found !== null) removeRoute(space, found)
  }
}

/** A new one stands before those of its scope, and after wider ones. */
const insert = (space: Space, link: LinkEntry, address: AddressEntry): LinkEntry => {
  const rank = ({ scope }: AddressEntry): number => (scope === SCOPES.host ? SCOPES.link : scope)
  const four = link.addresses.filter(({ cidr: { ip } }) => isIp4(ip))
  const six = addresses6(link)
  const later = six.findIndex((other) => rank(other) >= rank(address))
  const place = later < 0 ? six.length : later
  own(space, address.cidr.ip, 1)
  return change(space, link, { addresses: [...four, ...six.slice(0, place), address, ...six.slice(place)] })
}

/** What an address that is on the device brings (ipv6_ifa_notify). */
const announce = (space: Space, dev: IfName, address: AddressEntry): void => {
  bring6(space, dev, 'local', host(address.cidr.ip), 0)
  if (address.peer !== null) bringIfUp(space, dev, 'unicast', host(address.peer), address.metric || CONNECTED6)
  joinAnycast(space, dev)
}

const add = (space: Space, link: LinkEntry, address: AddressEntry): void => {
  const { name: dev } = link
  insert(space, linkOf(space, dev) ?? link, address)
  if (!address.noprefixroute) prefixRoute(space, dev, address.cidr, address.metric)
  if (isTentative(address)) noteTentative(space, link)
  else announce(space, dev, address)
}

const entryOf = (space: Space, link: LinkEntry, ask: AddressRequest, ip: Ip6): AddressEntry => ({
  cidr: { ip, bits: ask.cidr.bits },
  peer: ask.peer === undefined || ask.peer === ip ? null : ask.peer,
  broadcast: null,
  scope: scopeOf(ip),
  label: null,
  metric: ask.metric ?? 0,
  secondary: false,
  noprefixroute: ask.noprefixroute ?? false,
  nodad: ask.nodad ?? false,
  dad: begunOn(space, link, ask.nodad ?? false),
  order: 0,
})

const refusal = (link: LinkEntry, ip: Ip6): Errno | null => {
  const isLo = link.spec.type === 'loopback'
  const disabled = disabled6(link)
  if (disabled && !isLo) return 'EACCES'
  if (isUnspecified(ip) || isMulticast(ip) || (isLoopback(ip) && !isLo)) return 'EADDRNOTAVAIL'
  return disabled ? 'EACCES' : null
}

/** The preferred on-link route of a prefix, whoever made it (addrconf_get_prefix_route). */
const prefixRouteOf = (space: Space, dev: IfName, on: Cidr): RouteEntry | null =>
  routeOn(space, dev, TABLES.main, networkOf(on), ({ hops }) => hops[0]?.via === null)

/** Gives a prefix's route another metric, if it is there (modify_prefix_route). */
const moveRoute = (space: Space, dev: IfName, on: Cidr, metric: number): boolean => {
  const held = prefixRouteOf(space, dev, on)
  if (held === null) return false
  if (held.metric === (metric || CONNECTED6)) return true
  removeRoute(space, held)
  prefixRoute(space, dev, on, metric)
  return true
}

/** Takes a prefix's route, unless another address of the device is in it. */
const dropPrefix = (space: Space, dev: IfName, on: Cidr, others: ReadonlyArray<AddressEntry>): void => {
  if (others.some(({ cidr: other }) => sameCidr(networkOf(other), networkOf(on)))) return
  const held = prefixRouteOf(space, dev, on)
  if (held !== null) removeRoute(space, held)
}

/** inet6_addr_modify: the prefix length stays; a metric or a peer that is not given, too. The other end's prefix has a route as well. */
const modify = (space: Space, link: LinkEntry, known: AddressEntry, ask: AddressRequest, ip: Ip6): void => {
  const { name: dev } = link
  const asked = entryOf(space, link, ask, ip)
  const { bits } = known.cidr
  const peerChanges = asked.peer !== null && asked.peer !== known.peer
  if (peerChanges && known.peer !== null) dropPrefix(space, dev, { ip: known.peer, bits }, [])
  const next: AddressEntry = {
    ...known,
    metric: asked.metric || known.metric,
    peer: asked.peer ?? known.peer,
    noprefixroute: asked.noprefixroute,
    nodad: asked.nodad,
  }
  const now = linkOf(space, dev) ?? link
  change(space, now, { addresses: now.addresses.map((other) => (other === known ? next : other)) })
  if (next.noprefixroute) {
    const others = addresses6(now).filter((other) => other !== known)
    if (!known.noprefixroute) dropPrefix(space, dev, known.cidr, others)
    return
  }
  const beyond = next.peer === null ? null : { ip: next.peer, bits }
  let found = !known.noprefixroute && moveRoute(space, dev, next.cidr, next.metric)
  if (!found) prefixRoute(space, dev, next.cidr, next.metric)
  if (beyond === null) return
  if (!known.noprefixroute) found = moveRoute(space, dev, beyond, next.metric)
  if (!found) prefixRoute(space, dev, beyond, next.metric)
}

const put = (space: Space, link: LinkEntry, ask: AddressRequest, ip: Ip6): Errno | null => {
  const known = link.addresses.find(({ cidr: held }) => held.ip === ip)
  if (known !== undefined && ask.do === 'replace') {
    modify(space, link, known, ask, ip)
    return null
  }
  if (known !== undefined) return 'EEXIST'
  const errno = refusal(link, ip)
  if (!disabled6(link)) useDevice(space, link)
  if (errno !== null) return errno
  if (isAddressTaken(space, link, ip)) return 'EADDRINUSE'
  const now = linkOf(space, link.name) ?? link
  add(space, now, entryOf(space, now, ask, ip))
  return null
}

/** Whether some device has an address that is no longer tentative; link-local ones are not looked for (ipv6_chk_addr). */
export const isUsable6 = (space: Space, ip: Ip): boolean =>
  (getIn(space.now.owned6, ip.toString(16)) ?? 0) > tentativeTimes(space, ip)

/** Whether what leaves by a device can have this source: one of any device, a link-local one of its own (ipv6_chk_addr). */
export const isUsableBy = (space: Space, ip: Ip, dev: LinkEntry | null): boolean =>
  isLinkLocal(ip)
    ? dev?.addresses.some((address) => address.cidr.ip === ip && !isTentative(address)) === true
    : isUsable6(space, ip)

/** Routes prefer an address no more that is gone; before 6.6 those of its device, have another one the address or not (rt6_remove_prefsrc). */
const forgetSource = (space: Space, dev: IfName, ip: Ip): void => {
  const isOfAll = isSince(space.draft.world.linux, 6, 6)
  for (const route of routesFrom(space, ip)) {
    const by = route.hops[0]?.dev ?? null
    const isLost = isOfAll ? !isUsableBy(space, ip, by === null ? null : linkOf(space, by)) : by === dev
    if (isLost) dropSource(space, route)
  }
}

const remove = (space: Space, link: LinkEntry, address: AddressEntry): void => {
  const { name: dev } = link
  const { cidr: on, peer } = address
  const addresses = link.addresses.filter((other) => other !== address)
  const left = change(space, link, { addresses })
  own(space, on.ip, -1)
  leaveAnycast(space, dev, [address])
  const beyond = peer === null ? null : routeOn(space, dev, TABLES.main, host(peer))
  if (beyond !== null) removeRoute(space, beyond)
  const local = routeOn(space, dev, TABLES.local, host(on.ip), ({ type }) => type === 'local')
  if (local !== null) removeRoute(space, local)
  if (!address.noprefixroute) dropPrefix(space, dev, on, addresses6(left))
  forgetSource(space, dev, on.ip)
}

export const askAddress6 = (space: Space, link: LinkEntry, ask: AddressRequest, ip: Ip6): Errno | null => {
  if (ask.do !== 'delete') return runs6(link) ? put(space, link, ask, ip) : 'EINVAL'
  if (!runs6(link)) return 'ENXIO'
  const found = addresses6(link).find(({ cidr: held }) => sameCidr(held, ask.cidr))
  if (found === undefined) return 'EADDRNOTAVAIL'
  remove(space, link, found)
  return null
}

/** The prefix routes of addresses that were added while the device was down (addrconf_permanent_addr). */
export const restore6 = (space: Space, dev: IfName): void => {
  const link = linkOf(space, dev)
  if (link === null || disabled6(link)) return
  for (const { noprefixroute, cidr: on, metric } of addresses6(link))
    if (!noprefixroute) prefixRoute(space, dev, on, metric)
}

/** ADDR_GEN_MODE_EUI64 makes a link-local address of the MAC, and the others here none. */
export const EUI64 = 0

/** The loopback address has no subnet (init_loopback). */
const addOwn = (space: Space, dev: IfName, on: Cidr): void => {
  const link = linkOf(space, dev)
  if (link === null || typeof on.ip !== 'bigint') return
  if (link.addresses.some(({ cidr: held }) => held.ip === on.ip)) return
  const address = entryOf(space, link, { on: 'address', do: 'add', dev, cidr: on }, on.ip)
  if (on.bits < 128) {
    add(space, link, address)
    return
  }
  insert(space, link, address)
  announce(space, dev, address)
}

/** Ipvlans have one MAC, and a number each (addrconf_ifid_eui48). */
const linkLocalOf = ({ mac, spec }: LinkEntry): Ip6 =>
  spec.type === 'ipvlan' ? numberedLinkLocal6(mac, spec.id) : linkLocal6(mac)

const startLocal = (space: Space, link: LinkEntry): void => {
  useDevice(space, link)
  if (link.addrGen === EUI64) addOwn(space, link.name, { ip: linkLocalOf(link), bits: 64 })
}

/**
 * Starts IPv6 on a device if all it needs is there: up, carrier, MTU, not disabled; once until it goes down. Loopback has IPv6 with any
 * MTU, and too small a one is found out once it is started: all goes again.
 */
export const start6 = (space: Space, dev: IfName): void => {
  const link = linkOf(space, dev)
  if (link === null || link.ready6 || !link.up || !link.lower || disabled6(link)) return
  if (link.mtu < MIN_MTU6) {
    if (runs6(link)) stop6(space, dev)
    return
  }
  const ready = change(space, link, { ready6: true })
  if (link.spec.type === 'loopback') addOwn(space, dev, LOOPBACK6)
  else startLocal(space, ready)
  runDad(space, linkOf(space, dev) ?? ready)
  enable6(space, linkOf(space, dev) ?? ready)
}

/** An address has been found to be unique: it is in use from now on (addrconf_dad_completed). */
const complete = (space: Space, dev: IfName, address: AddressEntry): void => {
  const link = linkOf(space, dev)
  if (link === null || !link.addresses.includes(address)) return
  const done: AddressEntry = { ...address, dad: 'over' }
  change(space, link, { addresses: link.addresses.map((other) => (other === address ? done : other)) })
  announce(space, dev, done)
}

/** Somebody else has it. With accept_dad 2 IPv6 leaves a device whose MAC's own link-local address is taken (addrconf_dad_work). */
const fail = (space: Space, dev: IfName, address: AddressEntry): void => {
  const link = linkOf(space, dev)
  if (link === null || !link.addresses.includes(address)) return
  const { conf } = link
  if (acceptsDad(space, link) > 1 && !disabled6(link) && address.cidr.ip === linkLocalOf(link)) {
    change(space, link, { conf: { ...conf, 6: { ...conf[6], disable_ipv6: '1' } } })
    stop6(space, dev)
    return
  }
  const failed: AddressEntry = { ...address, dad: 'failed' }
  change(space, link, { addresses: link.addresses.map((other) => (other === address ? failed : other)) })
}

/** What packets have found out about the tentative addresses of a device. */
export const decideDad = (space: Space, { name: dev, addresses }: LinkEntry): void => {
  for (const address of addresses) {
    if (address.dad === 'unique') complete(space, dev, address)
    if (address.dad === 'taken') fail(space, dev, address)
  }
}

/** Takes IPv6 from a device: its addresses and routes. `isGone`: the device, or IPv6 as a whole, leaves (NETDEV_UNREGISTER). */
export const stop6 = (space: Space, dev: IfName, isGone = false): void => {
  const link = linkOf(space, dev)
  if (link === null) return
  forgetAll(space, dev, 6)
  forgetTentative(space, link)
  for (const { cidr: on } of addresses6(link)) own(space, on.ip, -1)
  disable6(space, link, isGone)
  const now = linkOf(space, dev) ?? link
  if (now.ready6 || addresses6(now).length > 0)
    change(space, now, { ready6: false, addresses: now.addresses.filter(({ cidr: { ip } }) => isIp4(ip)) })
}
