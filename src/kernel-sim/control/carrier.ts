// Carrier: what each device's driver says of its lower layer, what linkwatch makes of it (operstate), and who hears of a
// change: IPv6 on the device, its bridge, the devices on it.
// Source: net/core/link_watch.c (default_operstate, linkwatch_do_dev), drivers/net/veth.c (veth_open), net/bridge/br_stp.c.

import type { OperState } from '../../kernel/rtnl/stack.ts'
import type { LinkEntry, Place } from '../link-entry.ts'
import { isSince } from '../version.ts'
import { start6 } from './addrconf.ts'
import { change, type Draft, found, linkAt, linkOf, type Space, spaceOf, watch } from './draft.ts'
import { syncChange } from './fib-frontend.ts'
import { suspectNeighbours } from './neigh.ts'

/** Up, and the lower layer is there: could it send at all? */
export const hasCarrier = ({ up, lower }: LinkEntry): boolean => up && lower

/** The index of what a device is on, its own if that is nothing. A veth is on its other end. */
const lowerIndex = (space: Space, link: LinkEntry): number => {
  const place = link.spec.type === 'veth' ? link.spec.peer : link.below
  return place === null ? link.index : (found(space, place)?.link.index ?? 0)
}

/** What is on a device has its carrier still when linkwatch looks at that. */
const isOn = ({ below }: LinkEntry, { ns, name }: Place): boolean => below?.ns === ns && below.name === name

/** So has its bridge, which loses it by what linkwatch then tells of this port: `later` is what it looks at behind that. */
const isLosing = ({ port }: LinkEntry, { ns, name }: Place, later: ReadonlyArray<Place>): boolean =>
  port?.bridge === name && later.some((one) => one.ns === ns && one.name === name)

/**
 * Of a device without carrier. Linux looks for what it is on by the index alone, and in the device's own namespace; before 6.2 it did not
 * look, and blamed whatever a device is on.
 */
const operWithout = (space: Space, link: LinkEntry, later: ReadonlyArray<Place>): OperState => {
  const index = lowerIndex(space, link)
  if (!isSince(space.draft.world.linux, 6, 2)) return index === link.index ? 'down' : 'lowerlayerdown'
  const below = index === link.index ? null : linkAt(space, index)
  const hasCarrier =
    below === null ||
    below.lower ||
    isOn(below, { ns: space.ns, name: link.name }) ||
    isLosing(link, { ns: space.ns, name: below.name }, later)
  return hasCarrier ? 'down' : 'lowerlayerdown'
}

/** What linkwatch finds of the devices that have lost their carrier, once a request is done. */
export const runLinkwatch = (draft: Draft): void => {
  if (draft.watched.size === 0) return
  const watched = [...draft.watched.values()]
  for (const [at, { ns, name }] of watched.entries()) {
    const space = spaceOf(draft, ns)
    const link = space === null ? null : linkOf(space, name)
    if (space === null || link === null || link.lower) continue
    const oper = operWithout(space, link, watched.slice(at + 1))
    if (oper !== link.oper) change(space, link, { oper })
  }
  draft.watched.clear()
}

/** Carrier is lost or found: what the device's bridge does is told by `onBridge`, for bridges are devices too. */
export const setLower = (
  space: Space,
  name: LinkEntry['name'],
  lower: boolean,
  onBridge: (space: Space, port: LinkEntry) => void,
): void => {
  const link = linkOf(space, name)
  if (link === null || link.lower === lower) return
  change(space, link, { lower })
  notify(space, name, onBridge)
}

/** Linkwatch looks at a device whose carrier has changed, and tells of it if it is up. */
export const notify = (
  space: Space,
  name: LinkEntry['name'],
  onBridge: (space: Space, port: LinkEntry) => void,
): void => {
  const link = linkOf(space, name)
  if (link === null) return
  watch(space, { ns: space.ns, name })
  const now = link.lower ? change(space, link, { oper: 'up' }) : link
  if (!now.up) return
  syncChange(space, now)
  if (!link.lower) suspectNeighbours(space, name)
  start6(space, name)
  if (now.port !== null) onBridge(space, linkOf(space, name) ?? now)
  passCarrier(space, now, onBridge)
}

/** The devices on one have its carrier (netif_stacked_transfer_operstate). */
export const passCarrier = (
  space: Space,
  { above, lower }: LinkEntry,
  onBridge: (space: Space, port: LinkEntry) => void,
): void => {
  for (const place of above) {
    const on = found(space, place)
    if (on !== null && follows(on.link)) setLower(on.space, place.name, lower, onBridge)
  }
}

/** Devices that have the carrier of what they are on. */
export const follows = ({ spec: { type } }: LinkEntry): boolean =>
  type === 'vlan' || type === 'macvlan' || type === 'ipvlan'
