// A device goes up or down, gets another MTU or MAC, and what follows from it: for its addresses and routes, its other end,
// its bridge.
// Sources: net/core/dev.c, net/ipv4/devinet.c (inetdev_event), fib_frontend.c (fib_netdev_event), net/ipv6/addrconf.c
// (addrconf_notify), net/bridge/br.c (br_device_event), br_if.c (br_mtu_auto_adjust).

import { MIN_MTU6 } from '../../kernel/cascade.ts'
import { PLAIN_MTU } from '../../kernel/object.ts'
import { isGroup, type Mac, ZERO_MAC } from '../../net/mac.ts'
import type { IfName, Ns } from '../../net/name.ts'
import { emptyMap, entriesOf, getIn, type PMap, removeIn, sizeOfMap } from '../../net/pmap.ts'
import type { LinkEntry, NsEntry, World } from '../state.ts'
import { hasCarrier } from './carrier.ts'
import { disabled6, reconnect6, runs4, runs6, start4, start6, stop4, stop6 } from './inet.ts'
import { forgetSysctls, inheritSysctls } from './sysctl.ts'
import { flushRoutes } from './table.ts'
import { linkOf, nsOf, putLink, withLink, withNs } from './world.ts'

/** ETH_MIN_MTU and ETH_MAX_MTU. */
const MIN_MTU = 68
const MAX_MTU = 65535
const MAX_MTU_LOOPBACK = 2 ** 31 - 1

/** Whether a device of this type can have this MTU. */
export const fitsMtu = (type: LinkEntry['spec']['type'], mtu: number): boolean =>
  type === 'loopback'
    ? Number.isInteger(mtu) && mtu >= 0 && mtu <= MAX_MTU_LOOPBACK
    : Number.isInteger(mtu) && mtu >= MIN_MTU && mtu <= MAX_MTU

/** is_valid_ether_addr: neither a group nor zero. */
export const fitsMac = (mac: Mac): boolean => mac !== ZERO_MAC && !isGroup(mac)

const without = <V extends Readonly<{ dev: IfName }>>(map: PMap<V>, dev: IfName): PMap<V> => {
  if (sizeOfMap(map) === 0) return map
  let kept = map
  for (const [key, value] of entriesOf(map)) if (value.dev === dev) kept = removeIn(kept, key)
  return kept
}

/** The neighbours known on a device are forgotten. */
export const forgetNeighbours = (space: NsEntry, dev: IfName): NsEntry => {
  const neighbours = without(space.neighbours, dev)
  return neighbours === space.neighbours ? space : { ...space, neighbours }
}

/** What a bridge has learned behind a port is forgotten. */
export const forgetLearned = (bridge: LinkEntry, port: IfName): LinkEntry => {
  const fdb = without(bridge.fdb, port)
  return fdb === bridge.fdb ? bridge : { ...bridge, fdb }
}

/** IPv6 starts wherever this device's carrier was waited for: on itself, its other end, and the bridges they are on. */
export const spreadCarrier = (world: World, ns: Ns, name: IfName): World => {
  const link = linkOf(world, ns, name)
  if (link === undefined) return world
  const ends = [{ ns, name }, ...(link.spec.type === 'veth' ? [link.spec.peer] : [])]
  return ends.reduce((next, end) => {
    const started = start6(next, end.ns, end.name)
    const port = linkOf(started, end.ns, end.name)
    if (port === undefined || port.port === null || !hasCarrier(started, end.ns, port)) return started
    return start6(started, end.ns, port.port.bridge)
  }, world)
}

const raise = (space: NsEntry, name: IfName): NsEntry => {
  const link = getIn(space.links, name)
  if (link === undefined) return space
  const started = start4(putLink(space, { ...link, up: true }), name)
  return disabled6(started, name) ? started : reconnect6(started, name)
}

export const setUp = (world: World, ns: Ns, name: IfName): World =>
  spreadCarrier(
    withNs(world, ns, (space) => raise(space, name)),
    ns,
    name,
  )

const lower = (space: NsEntry, name: IfName): NsEntry => {
  const stopped = stop6(flushRoutes(forgetNeighbours(space, name), name, null), name)
  const link = getIn(stopped.links, name)
  if (link === undefined) return space
  const down = putLink(stopped, { ...link, up: false, fdb: emptyMap() })
  const bridge = link.port === null ? undefined : getIn(down.links, link.port.bridge)
  return bridge === undefined ? down : putLink(down, forgetLearned(bridge, name))
}

/** IPv4 addresses stay, IPv6 addresses and all routes go. */
export const setDown = (world: World, ns: Ns, name: IfName): World => withNs(world, ns, (space) => lower(space, name))

const resize = (space: NsEntry, from: LinkEntry, to: LinkEntry): NsEntry => {
  const { name } = to
  let next = putLink(space, to)
  if (runs4(from) && !runs4(to)) next = forgetSysctls(stop4(next, name), name, 4)
  if (!runs4(from) && runs4(to)) next = inheritSysctls(next, name, 4)
  if (from.mtu >= MIN_MTU6 && to.mtu < MIN_MTU6) next = stop6(next, name)
  if (runs6(from) && !runs6(to)) next = forgetSysctls(next, name, 6)
  if (!runs6(from) && runs6(to)) next = inheritSysctls(next, name, 6)
  return next
}

const applyMtu = (world: World, ns: Ns, name: IfName, mtu: number, mtuSet: boolean): World => {
  const link = linkOf(world, ns, name)
  if (link === undefined || link.mtu === mtu) return world
  const resized = withNs(world, ns, (space) => resize(space, link, { ...link, mtu, mtuSet }))
  // A loopback device that lost IPv6 waits for its next start.
  const started = link.mtu < MIN_MTU6 && link.spec.type !== 'loopback' ? start6(resized, ns, name) : resized
  return link.port === null ? started : followPorts(started, ns, link.port.bridge, name)
}

/**
 * A bridge has the smallest MTU of its ports, until it is given one. `touched` joined, left or was resized; the others have
 * the bridge's MTU or more, so the first one that has just that ends the search.
 */
export const followPorts = (world: World, ns: Ns, name: IfName, touched: IfName): World => {
  const space = nsOf(world, ns)
  const bridge = space === undefined ? undefined : getIn(space.links, name)
  if (space === undefined || bridge === undefined || bridge.mtuSet) return world
  const sizeOf = (port: IfName): number => getIn(space.links, port)?.mtu ?? MAX_MTU
  let mtu = bridge.ports.length === 0 ? PLAIN_MTU : MAX_MTU
  if (bridge.ports.includes(touched)) mtu = sizeOf(touched)
  for (const port of bridge.ports) {
    if (mtu <= bridge.mtu) break
    mtu = Math.min(mtu, sizeOf(port))
  }
  return applyMtu(world, ns, name, mtu, false)
}

/** The MTU it has already leaves a bridge following its ports. */
export const setMtu = (world: World, ns: Ns, name: IfName, mtu: number): World => applyMtu(world, ns, name, mtu, true)

export const setMac = (world: World, ns: Ns, name: IfName, mac: Mac): World =>
  withLink(
    withNs(world, ns, (space) => forgetNeighbours(space, name)),
    ns,
    name,
    (link) => ({ ...link, mac }),
  )
