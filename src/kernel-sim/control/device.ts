// A device goes up or down, gets another MTU or MAC, and what follows from it: for its addresses and routes, its other end,
// its bridge.
// Sources: net/core/dev.c, net/ipv4/devinet.c (inetdev_event), fib_frontend.c (fib_netdev_event), net/ipv6/addrconf.c
// (addrconf_notify), net/bridge/br.c (br_device_event), br_if.c (br_mtu_auto_adjust).

import { MIN_MTU6 } from '../../kernel/cascade.ts'
import { PLAIN_MTU } from '../../kernel/object.ts'
import { isGroup, type Mac, ZERO_MAC } from '../../net/mac.ts'
import type { IfName } from '../../net/name.ts'
import { emptyMap, entriesOf, entriesUnder, hasIn, removeIn, sizeOfMap } from '../../net/pmap.ts'
import { type DeviceConf, type LinkEntry, linkWith } from '../state.ts'
import { hasCarrier } from './carrier.ts'
import { change, linkOf, putLink, type Space, spaceOf } from './draft.ts'
import { disabled6, reconnect6, runs4, runs6, start4, start6, stop4, stop6 } from './inet.ts'
import { flushRoutes } from './table.ts'

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

/** The neighbours known on a device are forgotten. */
export const forgetNeighbours = (space: Space, dev: IfName): void => {
  if (sizeOfMap(space.now.neighbours) === 0) return
  for (const [key] of entriesUnder(space.now.neighbours, `${dev} `))
    space.now.neighbours = removeIn(space.now.neighbours, key)
}

/** What a bridge has learned behind a port is forgotten. */
export const forgetLearned = (bridge: LinkEntry, port: IfName): LinkEntry => {
  if (sizeOfMap(bridge.fdb) === 0) return bridge
  let { fdb } = bridge
  for (const [mac, { dev }] of entriesOf(bridge.fdb)) if (dev === port) fdb = removeIn(fdb, mac)
  return linkWith(bridge, { fdb })
}

const startAround = (space: Space, name: IfName): void => {
  const link = linkOf(space, name)
  if (link === null) return
  const { port } = start6(space, link)
  const bridge = port === null || !hasCarrier(space, link) ? null : linkOf(space, port.bridge)
  if (bridge !== null) start6(space, bridge)
}

/** IPv6 starts wherever this device's carrier was waited for: on itself, its other end, and the bridges they are on. */
export const spreadCarrier = (space: Space, { name, spec }: LinkEntry): void => {
  startAround(space, name)
  const other = spec.type === 'veth' ? spaceOf(space.draft, spec.peer.ns) : null
  if (spec.type === 'veth' && other !== null) startAround(other, spec.peer.name)
}

export const setUp = (space: Space, link: LinkEntry): void => {
  const raised = start4(space, change(space, link, { up: true }))
  if (!disabled6(raised)) reconnect6(space, raised)
  spreadCarrier(space, raised)
}

/** IPv4 addresses stay, IPv6 addresses and all routes go. */
export const setDown = (space: Space, link: LinkEntry): void => {
  forgetNeighbours(space, link.name)
  const stopped = stop6(space, flushRoutes(space, link, null))
  change(space, stopped, { up: false, fdb: emptyMap() })
  const bridge = link.port === null ? null : linkOf(space, link.port.bridge)
  if (bridge !== null) putLink(space, forgetLearned(bridge, link.name))
}

/** The sysctls of a family come and go with it; a new one has those of `default`. */
const confAfter = (space: Space, from: LinkEntry, to: LinkEntry): DeviceConf => ({
  4: !runs4(to) ? {} : runs4(from) ? to.conf[4] : space.now.confDefault[4],
  6: !runs6(to) ? {} : runs6(from) ? to.conf[6] : space.now.confDefault[6],
})

/** What a new MTU brings a family, or takes from it. */
const resize = (space: Space, from: LinkEntry, to: LinkEntry): LinkEntry => {
  let next = change(space, to, { conf: confAfter(space, from, to) })
  if (runs4(from) && !runs4(to)) next = stop4(space, next)
  return from.mtu >= MIN_MTU6 && to.mtu < MIN_MTU6 ? stop6(space, next) : next
}

const applyMtu = (space: Space, link: LinkEntry, mtu: number, mtuSet: boolean): void => {
  if (link.mtu === mtu) return
  const resized = resize(space, link, linkWith(link, { mtu, mtuSet }))
  // A loopback device that lost IPv6 waits for its next start.
  if (link.mtu < MIN_MTU6 && link.spec.type !== 'loopback') start6(space, resized)
  const bridge = link.port === null ? null : linkOf(space, link.port.bridge)
  if (bridge !== null) followPorts(space, bridge, link.name)
}

/** Of the ports; those but `touched` have the bridge's MTU or more, so the first one that has just that ends the search. */
const smallestMtu = (space: Space, bridge: LinkEntry, touched: IfName): number => {
  const mtuOf = (port: string): number => linkOf(space, port)?.mtu ?? MAX_MTU
  let mtu = hasIn(bridge.ports, touched) ? mtuOf(touched) : MAX_MTU
  if (mtu <= bridge.mtu) return mtu
  for (const [port] of entriesOf(bridge.ports)) {
    mtu = Math.min(mtu, mtuOf(port))
    if (mtu <= bridge.mtu) break
  }
  return mtu
}

/** A bridge has the smallest MTU of its ports, until it is given one. `touched` joined, left or was resized. */
export const followPorts = (space: Space, bridge: LinkEntry, touched: IfName): void => {
  if (bridge.mtuSet) return
  const mtu = sizeOfMap(bridge.ports) === 0 ? PLAIN_MTU : smallestMtu(space, bridge, touched)
  applyMtu(space, bridge, mtu, false)
}

/** The MTU it has already leaves a bridge following its ports. */
export const setMtu = (space: Space, link: LinkEntry, mtu: number): void => applyMtu(space, link, mtu, true)

export const setMac = (space: Space, link: LinkEntry, mac: Mac): void => {
  forgetNeighbours(space, link.name)
  change(space, link, { mac })
}
