// What IPv4 addresses and devices bring to the routing tables, and take from them: an address its local route, its subnet's
// and the broadcast ones; a device that goes down all but its local routes.
// Source: net/ipv4/fib_frontend.c (fib_add_ifaddr, fib_del_ifaddr, fib_disable_ip), fib_semantics.c (fib_sync_*).

import { type Cidr, contains, lastOf, networkOf, sameCidr } from '../../net/cidr.ts'
import { type Ip, type Ip4, ip4, isIp4, isMulticast, MAX4 } from '../../net/ip.ts'
import type { IfName } from '../../net/name.ts'
import type { AddressEntry, LinkEntry } from '../link-entry.ts'
import { type HopEntry, type RouteEntry, TABLES } from '../state.ts'
import { linkOf, type Space } from './draft.ts'
import { delete4, insert4, typeOf } from './fib-trie.ts'
import { invalidate } from './neigh.ts'
import { SCOPES } from './scope.ts'
import { amendRoute, hop, type NewRoute, removeRoute, routesFrom, routesThrough, routesTo } from './table.ts'

/** An IPv4 address; those of IPv6 are addrconf.ts's. */
export type Address4 = AddressEntry & Readonly<{ cidr: Cidr & Readonly<{ ip: Ip4 }> }>
const isAddress4 = (address: AddressEntry): address is Address4 => isIp4(address.cidr.ip)
export const addresses4 = ({ addresses }: LinkEntry): ReadonlyArray<Address4> => addresses.filter(isAddress4)

/** Its subnet: that of the other end, if there is one (ifa_address, ifa_mask). */
export const subnetOf = ({ cidr, peer }: AddressEntry): Cidr => networkOf({ ip: peer ?? cidr.ip, bits: cidr.bits })

const isZeroNet = (ip: Ip): boolean => ip === 0

/** RTPROT_KERNEL. */
const KERNEL = 2

type Kind = 'local' | 'unicast' | 'broadcast'

const kernelRoute = (dev: IfName, type: Kind, to: Cidr, source: Ip, metric: number): NewRoute => ({
  to,
  type,
  hops: [hop(dev)],
  table: type === 'unicast' ? TABLES.main : TABLES.local,
  tos: 0,
  metric,
  proto: KERNEL,
  scope: type === 'local' ? SCOPES.host : SCOPES.link,
  source,
  mtu: null,
})

const host = (ip: Ip): Cidr => ({ ip, bits: 32 })

/** Whether an address is one of ours; mostly its own route says so. */
const isOwn = (space: Space, ip: Ip): boolean =>
  !isMulticast(ip) &&
  (routesTo(space, TABLES.local, host(ip)).find(({ tos }) => tos === 0)?.type === 'local' ||
    typeOf(space, ip, TABLES.local) === 'local')

/** fib_magic: a duplicate is no matter, nor that its source is nobody's own (fib_valid_prefsrc). */
const bring = (space: Space, dev: IfName, type: Kind, to: Cidr, source: Ip, metric = 0): void => {
  const isItself = type === 'local' && to.ip === source
  if (type !== 'unicast') space.now.local4 = true
  if (!isItself && !isOwn(space, source)) return
  insert4(space, kernelRoute(dev, type, to, source, metric), 'append')
}

const take = (space: Space, dev: IfName, type: Kind, to: Cidr, source: Ip, metric = 0): void => {
  if (type !== 'unicast') space.now.local4 = true
  delete4(space, {
    table: type === 'unicast' ? TABLES.main : TABLES.local,
    to,
    tos: 0,
    type,
    scope: type === 'local' ? SCOPES.host : SCOPES.link,
    source,
    proto: KERNEL,
    metric,
    mtu: null,
    via: null,
    dev,
    hops: [],
  })
}

const prefixType = ({ spec }: LinkEntry): Kind => (spec.type === 'loopback' ? 'local' : 'unicast')

/** The first address of its subnet (inet_ifa_byprefix). */
const primaryOf = (link: LinkEntry, subnet: Cidr): Address4 | null =>
  addresses4(link).find((other) => other.cidr.bits === subnet.bits && contains(subnet, other.peer ?? other.cidr.ip)) ??
  null

/** Whether its subnet is another one than itself; neither 0.0.0.0 nor groups have any. */
const hasSubnet = (address: Address4, subnet: Cidr): boolean =>
  !isZeroNet(subnet.ip) && !isMulticast(subnet.ip) && (subnet.ip !== address.cidr.ip || subnet.bits < 32)

/** What an address that is on the device brings. */
export const addRoutesOf = (space: Space, link: LinkEntry, address: Address4): void => {
  const { name: dev } = link
  const subnet = subnetOf(address)
  const primary = address.secondary ? primaryOf(link, subnet) : address
  if (primary === null) return
  const source = primary.cidr.ip
  bring(space, dev, 'local', host(address.cidr.ip), source)
  if (!link.up) return
  const { broadcast } = address
  if (broadcast !== null && broadcast !== 0 && broadcast !== MAX4) {
    bring(space, dev, 'broadcast', host(broadcast), source)
    invalidate(space, dev, broadcast)
  }
  if (address.secondary || !hasSubnet(address, subnet)) return
  if (!address.noprefixroute) bring(space, dev, prefixType(link), subnet, source, address.metric)
  if (subnet.bits >= 31) return
  bring(space, dev, 'broadcast', host(lastOf(subnet)), source)
  invalidate(space, dev, lastOf(subnet))
}

/** The routes that other addresses of the device still stand for. `last` and `first`: of the subnet. */
type Kept = { local: boolean; broadcast: boolean; last: boolean; first: boolean }

const keptBy = (link: LinkEntry, address: Address4, primary: Address4): Kept => {
  const subnet = subnetOf(address)
  const last = lastOf(subnet)
  const kept: Kept = { local: false, broadcast: false, last: false, first: false }
  const note = (ip: Ip | null): void => {
    kept.broadcast ||= address.broadcast === ip
    kept.last ||= last === ip
    kept.first ||= subnet.ip === ip
  }
  const inSubnet = (other: Address4, of: Address4): boolean => sameCidr(subnetOf(other), subnetOf(of))
  let sameSource = false
  for (const other of addresses4(link)) {
    let theirs: Address4 | null = other
    if (!other.secondary) {
      if (other.cidr.ip !== primary.cidr.ip) continue
      sameSource ||= other !== primary
    } else if (inSubnet(other, primary)) theirs = primary
    else {
      theirs = sameSource ? primaryOf(link, subnetOf(other)) : null
      if (theirs === null || theirs.cidr.ip !== primary.cidr.ip) continue
    }
    kept.local ||= other.cidr.ip === address.cidr.ip
    note(other.broadcast)
    const own = subnetOf(other)
    if (theirs !== other || own.bits >= 31 || isZeroNet(own.ip)) continue
    note(lastOf(own))
    note(own.ip)
  }
  return kept
}

/** Routes that prefer an address which is nobody's any more go (fib_sync_down_addr). */
const dropFrom = (space: Space, source: Ip4): void => {
  for (const route of routesFrom(space, source)) removeRoute(space, route)
}

/** What goes with an address that is no more on the device. */
export const deleteRoutesOf = (space: Space, link: LinkEntry, address: Address4): void => {
  const { name: dev } = link
  const subnet = subnetOf(address)
  const primary = address.secondary ? primaryOf(link, subnet) : address
  if (primary === null) return
  const source = primary.cidr.ip
  const hadSubnet = !address.secondary && hasSubnet(address, subnet)
  if (hadSubnet && !address.noprefixroute) take(space, dev, prefixType(link), subnet, source)
  const kept = keptBy(linkOf(space, dev) ?? link, address, primary)
  if (!kept.broadcast && address.broadcast !== null) take(space, dev, 'broadcast', host(address.broadcast), source)
  if (hadSubnet && subnet.bits < 31) {
    if (!kept.last) take(space, dev, 'broadcast', host(lastOf(subnet)), source)
    if (!kept.first) take(space, dev, 'broadcast', host(subnet.ip), source)
  }
  if (kept.local) return
  take(space, dev, 'local', host(address.cidr.ip), source)
  if (typeOf(space, address.cidr.ip, TABLES.local) !== 'local') dropFrom(space, address.cidr.ip)
}

/** Another metric of the subnet's route (fib_modify_prefix_metric). */
export const changeMetric = (space: Space, link: LinkEntry, address: Address4, metric: number): void => {
  const subnet = subnetOf(address)
  if (!link.up || address.secondary || address.noprefixroute || !hasSubnet(address, subnet)) return
  bring(space, link.name, prefixType(link), subnet, address.cidr.ip, metric)
  take(space, link.name, prefixType(link), subnet, address.cidr.ip, address.metric)
}

/** Hops of a device that pass a test become what they are to. */
const amendHops = (
  space: Space,
  route: RouteEntry,
  { name }: LinkEntry,
  test: (one: HopEntry) => boolean,
  to: (one: HopEntry) => Partial<Pick<HopEntry, 'dead' | 'linkdown'>>,
): void => {
  const isMeant = (one: HopEntry): boolean => one.dev === name && test(one)
  if (!route.hops.some(isMeant)) return
  amendRoute(space, route, { hops: route.hops.map((one) => (isMeant(one) ? { ...one, ...to(one) } : one)) })
}

/** A device is up: its hops live again. Those that were told to have its carrier are so without it, until anything is told of it. */
export const syncUp = (space: Space, dev: LinkEntry): void => {
  if (!dev.up) return
  for (const route of routesThrough(space, dev, 4))
    amendHops(
      space,
      route,
      dev,
      ({ dead }) => dead,
      ({ linkdown }) => ({ dead: false, linkdown: linkdown === false && !dev.lower ? false : null }),
    )
}

/** Something is told of a device that is up (NETDEV_CHANGE): its hops are as its carrier is, but dead ones do not hear that it is gone. */
export const syncChange = (space: Space, dev: LinkEntry): void => {
  for (const route of routesThrough(space, dev, 4))
    amendHops(
      space,
      route,
      dev,
      ({ linkdown }) => linkdown !== null,
      ({ dead, linkdown }) => ({ linkdown: !dead ? null : dev.lower ? false : linkdown }),
    )
}

/**
 * The hops of a device are dead, and whatever its carrier, told to be without (fib_sync_down_dev); routes without any other are gone. Local
 * routes only go with `force`.
 */
export const disable4 = (space: Space, dev: LinkEntry, force: boolean): void => {
  for (const route of routesThrough(space, dev, 4)) {
    if (!force && route.scope === SCOPES.host) continue
    const lives = route.hops.some((one) => one.dev !== dev.name && !one.dead)
    if (!lives) removeRoute(space, route)
    else
      amendHops(
        space,
        route,
        dev,
        ({ dead }) => !dead,
        () => ({ dead: true, linkdown: true }),
      )
  }
}

/** A device is gone, and with it all routes that it had a part in, be they of several hops (NETDEV_UNREGISTER). */
export const dropRoutes4 = (space: Space, dev: LinkEntry): void => {
  for (const route of routesThrough(space, dev, 4)) removeRoute(space, route)
}

export const LOOPBACK4: Cidr = { ip: ip4(0x7f000001), bits: 8 }
