// A device goes up or down or gets another MTU, and what follows from it: for its addresses and routes, its other end, its bridge,
// the devices on it.
// Source: net/core/dev.c, net/ipv4/devinet.c (inetdev_event), net/ipv6/addrconf.c (addrconf_notify), net/bridge/br.c,
// drivers/net/{veth,macvlan}.c, net/8021q/vlan.c (vlan_device_event).

import { MIN_MTU6 } from '../../kernel/cascade.ts'
import { PLAIN_MTU } from '../../kernel/object.ts'
import type { IfName } from '../../net/name.ts'
import { entriesOf, hasIn, sizeOfMap } from '../../net/pmap.ts'
import { type DeviceConf, type LinkEntry, linkWith, type Spec } from '../link-entry.ts'
import { isSince } from '../version.ts'
import { restore6, start6, stop6 } from './addrconf.ts'
import { follows, notify, setLower } from './carrier.ts'
import { bornConf } from './dad.ts'
import { start4, stop4 } from './devinet.ts'
import { change, found, linkOf, type Space } from './draft.ts'
import { disable4 } from './fib-frontend.ts'
import { followMtu6 } from './fib6.ts'
import { applyFilter } from './filter.ts'
import { runs4, runs6 } from './inet.ts'
import { meetLower } from './mac.ts'
import { forgetAll } from './neigh.ts'
import { close, open, refusesOpen } from './open.ts'
import { checkCarrier, checkPort, switchPorts } from './port-state.ts'

/** ETH_MIN_MTU and ETH_MAX_MTU. */
const MIN_MTU = 68
const MAX_MTU = 65535
/** A tap's limit counts the header. */
const ETHERNET = 14
const NO_LIMIT = 2 ** 31 - 1

type Limits = Readonly<{ from: number; to: number }>
const PLAIN: Limits = { from: MIN_MTU, to: MAX_MTU }
const LIMITS: Readonly<Partial<Record<Spec['type'], Limits>>> = {
  loopback: { from: 0, to: NO_LIMIT },
  dummy: { from: 0, to: NO_LIMIT },
  tap: { from: MIN_MTU, to: MAX_MTU - ETHERNET },
  vlan: { from: 0, to: MAX_MTU },
}

/** Whether a device of this type can have this MTU at all (dev_validate_mtu). */
export const fitsMtu = (type: Spec['type'], mtu: number): boolean => {
  const { from, to } = LIMITS[type] ?? PLAIN
  return Number.isInteger(mtu) && mtu >= from && mtu <= to
}

/** A veth has carrier while both ends are up; both ends change before either is looked at. */
const settlePair = (space: Space, { name, up, lower, spec }: LinkEntry): void => {
  const other = spec.type === 'veth' ? found(space, spec.peer) : null
  const on = other !== null && up && other.link.up
  if (other === null || on === lower) return
  const own = linkOf(space, name)
  if (own !== null) change(space, own, { lower: on })
  const end = linkOf(other.space, other.link.name)
  if (end !== null) change(other.space, end, { lower: on })
  notify(space, name, checkCarrier)
  notify(other.space, other.link.name, checkCarrier)
}

/** What the driver does with carrier as its device is opened or closed. */
const settleCarrier = (space: Space, name: IfName): void => {
  const link = linkOf(space, name)
  if (link === null) return
  if (link.spec.type === 'veth') settlePair(space, link)
  else if (link.spec.type === 'bridge') switchPorts(space, link)
  else if (link.spec.type === 'vlan') {
    const below = link.below === null ? null : found(space, link.below)
    if (!link.up || below?.link.lower === true) setLower(space, name, link.up, checkCarrier)
  }
}

/** Whether a device hears that the one below went up or down; before 6.10 an ipvlan did not hear of the latter. */
const hearsOf = ({ draft }: Space, { spec }: LinkEntry, up: boolean): boolean =>
  spec.type === 'macvlan' || (spec.type === 'ipvlan' && (up || isSince(draft.world.linux, 6, 10)))

/** The devices on one that went up or down have its carrier; VLANs go up and down with it. */
const settleAbove = (space: Space, { up, lower, above }: LinkEntry): void => {
  for (const place of above) {
    const on = found(space, place)
    if (on === null || !follows(on.link)) continue
    const isVlan = on.link.spec.type === 'vlan'
    const switches = isVlan && on.link.up !== up
    if (switches && !up) setDown(on.space, on.link)
    if (switches && up && refusesOpen(on.space, on.link) === null) setUp(on.space, on.link)
    if (switches || hearsOf(space, on.link, up)) setLower(on.space, place.name, lower, checkCarrier)
  }
}

const fresh = (space: Space, link: LinkEntry): LinkEntry => linkOf(space, link.name) ?? link

export const setUp = (space: Space, link: LinkEntry): void => {
  meetLower(space, link)
  open(space, fresh(space, link))
  change(space, fresh(space, link), { up: true, started: true })
  applyFilter(space, link.name)
  settleCarrier(space, link.name)
  start4(space, fresh(space, link))
  restore6(space, link.name)
  start6(space, link.name)
  checkPort(space, fresh(space, link))
  settleAbove(space, fresh(space, link))
}

/** IPv4 addresses stay with their local routes; IPv6 addresses and all other routes go. */
export const setDown = (space: Space, link: LinkEntry): void => {
  forgetAll(space, link.name, null)
  close(space, link)
  const down = change(space, fresh(space, link), { up: false })
  disable4(space, down, false)
  stop6(space, link.name)
  settleCarrier(space, link.name)
  checkPort(space, fresh(space, link))
  settleAbove(space, fresh(space, link))
}

/** The sysctls of a family come and go with it; a new one has those of `default`. */
const confAfter = (space: Space, from: LinkEntry, to: LinkEntry): DeviceConf => ({
  4: !runs4(to) ? {} : runs4(from) ? to.conf[4] : space.now.confDefault[4],
  6: !runs6(to) ? {} : runs6(from) ? to.conf[6] : bornConf(space, to)[6],
})

/** What a new MTU brings a family, or takes from it. A loopback device that lost IPv6 waits for its next start. */
const resize = (space: Space, from: LinkEntry, to: LinkEntry): void => {
  const { name } = to
  change(space, to, { conf: confAfter(space, from, to), addrGen: runs6(to) ? to.addrGen : 0 })
  if (runs4(from) && !runs4(to)) stop4(space, name)
  if (from.mtu >= MIN_MTU6 && to.mtu < MIN_MTU6) stop6(space, name, to.spec.type !== 'loopback')
  if (from.mtu < MIN_MTU6 && to.spec.type !== 'loopback') start6(space, name)
  if (runs6(from) && runs6(to)) followMtu6(space, to, from.mtu)
}

/** `byHand`: a bridge that was given the MTU it has already goes on following its ports. */
export const setMtu = (space: Space, link: LinkEntry, mtu: number, byHand: boolean): void => {
  if (link.mtu === mtu) return
  resize(space, link, linkWith(link, { mtu, mtuSet: byHand }))
  if (link.port !== null) followMtu(space, link.port.bridge, link.name)
  for (const place of link.above) {
    const on = found(space, place)
    if (on === null || !follows(on.link)) continue
    // Nobody is told of an ipvlan's.
    if (on.link.spec.type === 'ipvlan') change(on.space, on.link, { mtu })
    else if (on.link.mtu > mtu) setMtu(on.space, on.link, mtu, true)
  }
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
export const followMtu = (space: Space, name: IfName, touched: IfName): void => {
  const bridge = linkOf(space, name)
  if (bridge === null || bridge.mtuSet) return
  const mtu = sizeOfMap(bridge.ports) === 0 ? PLAIN_MTU : smallestMtu(space, bridge, touched)
  setMtu(space, bridge, mtu, false)
}
