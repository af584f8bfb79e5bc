// Dumps as our objects, in the forms that src/kernel-linux/decode reads from iproute2: the same links, the same routes, so that
// what follows (pairing of veths, ownership) does not know who looked. Only kinds that we model are read.

import { DEFAULT_METRIC6, type Route } from '../../kernel/object.ts'
import { UNFINISHED_ALIAS } from '../../kernel/owned.ts'
import type { Cidr } from '../../net/cidr.ts'
import { isIp6 } from '../../net/ip.ts'
import { type IfName, type Ns, parseIfName } from '../../net/name.ts'
import { E } from '../../prelude.ts'
import { isBound, type RawLink, type RawPlace, type RawSpec } from '../decode/links.ts'
import { type AddressMessage, cidrOf } from './codec/address.ts'
import type { LinkMessage } from './codec/link.ts'
import { IPVLAN_FLAGS, IPVLAN_MODES, MACVLAN_MODES, VLAN_PROTOCOLS } from './codec/modes.ts'
import { destinationOf, type RouteMessage, tableOf } from './codec/route.ts'
import { isCondemned, UNFINISHED } from './groups.ts'
import { ARPHRD_LOOPBACK, IFF_UP } from './uapi/if-link.ts'
import { RT_TABLE_MAIN, RTM_F_CLONED, RTN_UNICAST, RTPROT_KERNEL, RTPROT_RA, RTPROT_REDIRECT } from './uapi/route.ts'

/** The names of a namespace's devices, by index; without those that are no names for us. */
type Names = ReadonlyMap<number, IfName>

export const namesOf = (links: ReadonlyArray<LinkMessage>): Names =>
  new Map(
    links.flatMap(({ index, name }) => {
      const parsed = parseIfName(name ?? '')
      return E.isRight(parsed) ? [[index, parsed.right] as const] : []
    }),
  )

const keyOf = <K extends string>(table: Readonly<Record<K, number>>, value: number | undefined): K | null => {
  for (const key in table) if (table[key] === value) return key
  return null
}

const ipvlanOf = (mode: number | undefined, flags: number): RawSpec | null => {
  const known = keyOf(IPVLAN_MODES, mode)
  const flag = keyOf(IPVLAN_FLAGS, flags)
  return known === null || flag === null ? null : { type: 'ipvlan', mode: known, flag }
}

const specOf = ({ type, linkinfo }: LinkMessage): RawSpec | null => {
  if (type === ARPHRD_LOOPBACK) return { type: 'loopback' }
  const info = linkinfo?.info
  switch (info?.kind) {
    case 'bridge':
    case 'dummy':
    case 'veth':
      return { type: info.kind }
    case 'vlan': {
      const { id, protocol } = info.options
      return id === undefined || protocol !== VLAN_PROTOCOLS['802.1Q'] ? null : { type: 'vlan', id }
    }
    case 'macvlan': {
      const mode = keyOf(MACVLAN_MODES, info.options.mode)
      return mode === null ? null : { type: 'macvlan', mode }
    }
    case 'ipvlan':
      return ipvlanOf(info.options.mode, info.options.flags ?? 0)
    default:
      return null
  }
}

const placeOf = ({ link, linkNetnsid }: LinkMessage): RawPlace | null =>
  link === undefined ? null : { index: link, nsid: linkNetnsid ?? null }

/** What is cut off its bridge is no port any more (condemned.ts). */
const portOf = ({ master, group, linkinfo }: LinkMessage, names: Names): RawLink['port'] => {
  if (isCondemned(group)) return null
  const bridge = master === undefined ? undefined : names.get(master)
  if (bridge === undefined || linkinfo?.slave?.kind !== 'bridge') return null
  const { isolated = false, hairpin = false } = linkinfo.slave.options
  return { bridge, isolated, hairpin }
}

const byIndex = (addresses: ReadonlyArray<AddressMessage>): ReadonlyMap<number, ReadonlyArray<Cidr>> => {
  const found = new Map<number, Cidr[]>()
  for (const address of addresses) {
    const cidr = cidrOf(address)
    if (cidr === null) continue
    const held = found.get(address.index)
    if (held === undefined) found.set(address.index, [cidr])
    else held.push(cidr)
  }
  return found
}

/** What dumpLinks and dumpAddresses of one namespace say, as decodeLinks reads it from `ip -j -d address show`. */
export const linksIn = (
  links: ReadonlyArray<LinkMessage>,
  addresses: ReadonlyArray<AddressMessage>,
): ReadonlyArray<RawLink> => {
  const names = namesOf(links)
  const cidrs = byIndex(addresses)
  return links.flatMap((link) => {
    const { index, mac, mtu, flags, alias, group } = link
    const name = names.get(index)
    const spec = specOf(link)
    const to = spec !== null && isBound(spec) ? placeOf(link) : null
    if (spec === null || (isBound(spec) && to === null)) return []
    if (name === undefined || mac === undefined || mtu === undefined) return []
    return [
      {
        index,
        name,
        spec,
        to,
        mac,
        mtu,
        up: (flags & IFF_UP) !== 0,
        alias: alias ?? (group === UNFINISHED ? UNFINISHED_ALIAS : null),
        port: portOf(link, names),
        addresses: cidrs.get(index) ?? [],
      },
    ]
  })
}

const NOT_ASKED_FOR = new Set([RTPROT_KERNEL, RTPROT_RA, RTPROT_REDIRECT])

const routeIn = (ns: Ns, route: RouteMessage, names: Names): ReadonlyArray<Route> => {
  if (route.type !== RTN_UNICAST || tableOf(route) !== RT_TABLE_MAIN || (route.flags & RTM_F_CLONED) !== 0) return []
  if (NOT_ASKED_FOR.has(route.protocol) || route.via !== undefined || route.oif === undefined) return []
  const dev = names.get(route.oif)
  if (dev === undefined) return []
  const to = destinationOf(route)
  const { priority = 0, gateway = null } = route
  const metric = isIp6(to.ip) && priority === DEFAULT_METRIC6 ? 0 : priority
  return [{ kind: 'route', ns, to, via: gateway, dev, metric }]
}

/** What dumpRoutes says, as decodeRoutes reads it from `ip -j -d route show table all`. `links` name the devices. */
export const routesIn = (
  ns: Ns,
  routes: ReadonlyArray<RouteMessage>,
  links: ReadonlyArray<LinkMessage>,
): ReadonlyArray<Route> => {
  const names = namesOf(links)
  return routes.flatMap((route) => routeIn(ns, route, names))
}
