// A device has another MAC: who may give it, who follows it (devices on it, its bridge), and whose filter changes.
// Source: net/core/dev.c (dev_set_mac_address), drivers/net/macvlan.c (macvlan_set_mac_address, macvlan_sync_address),
// net/8021q/vlan.c (vlan_sync_address), vlan_dev.c (vlan_dev_set_mac_address), net/bridge/br_stp_if.c
// (br_stp_recalculate_bridge_id).

import type { Errno } from '../../kernel/errno.ts'
import { isGroup, type Mac, ZERO_MAC } from '../../net/mac.ts'
import type { IfName } from '../../net/name.ts'
import { firstIn, getIn } from '../../net/pmap.ts'
import type { LinkEntry, MacvlanSpec, VlanSpec } from '../link-entry.ts'
import { changeBridgeMac, changePortMac, forgetPortMac, notePortMac } from './bridge-fdb.ts'
import { change, found, linkOf, type Space } from './draft.ts'
import { hear, unhear } from './filter.ts'
import { forgetNeighbours } from './neigh.ts'
import { belowOf, isMacTaken } from './open.ts'
import { selectStates } from './port-state.ts'
import { isPassthru, type On } from './stacked.ts'

/** is_valid_ether_addr: neither a group nor zero. */
export const fitsMac = (mac: Mac): boolean => mac !== ZERO_MAC && !isGroup(mac)

const fresh = (space: Space, link: LinkEntry): LinkEntry => linkOf(space, link.name) ?? link

/** When a port joined its bridge. */
const sinceOf = (space: Space, bridge: IfName, port: IfName): number => {
  const ports = linkOf(space, bridge)?.ports
  return ports === undefined ? 0 : (getIn(ports, port) ?? 0)
}

/** Writes a MAC down, where devices and ports are found by it too; nobody is told. */
const write = (space: Space, link: LinkEntry, mac: Mac): void => {
  const now = change(space, fresh(space, link), { mac })
  if (now.port === null || link.mac === mac) return
  const { bridge } = now.port
  forgetPortMac(space, bridge, link.name, link.mac)
  notePortMac(space, bridge, link.name, mac, sinceOf(space, bridge, link.name))
}

/** A passthru macvlan has the MAC of the device below; nobody is told of it. */
const followPassthru = ({ space, link }: On, spec: MacvlanSpec, mac: Mac): void => {
  // One that is up finds this MAC taken: by itself.
  if (link.up && link.mac === mac) return
  write(space, link, mac)
  change(space, fresh(space, link), { spec: { ...spec, restore: mac } })
}

const followLower = ({ space, link }: On, spec: VlanSpec, below: On): void => {
  const { mac } = below.link
  if (!link.up || spec.lowerMac === mac) return
  if (!link.macSet) setMac(space, link, mac)
  else if (link.mac !== spec.lowerMac && link.mac === mac) unhear(below.space, below.link.name, mac)
  else if (link.mac === spec.lowerMac && link.mac !== mac) hear(below.space, below.link.name, link.mac)
  change(space, fresh(space, link), { spec: { ...spec, lowerMac: mac } })
}

/** A VLAN that is opened takes the MAC of the device below if it was given none, and has seen that. */
export const meetLower = (space: Space, link: LinkEntry): void => {
  const below = belowOf(space, link)
  if (link.spec.type !== 'vlan' || below === null) return
  const { mac } = below.link
  if (!link.macSet && link.mac !== mac) setMac(space, link, mac)
  change(space, fresh(space, link), { spec: { ...link.spec, lowerMac: mac } })
}

const tellAbove = (space: Space, link: LinkEntry): void => {
  for (const place of link.above) {
    const on = found(space, place)
    if (on === null) continue
    const { spec } = on.link
    if (spec.type === 'macvlan' && isPassthru(spec)) followPassthru(on, spec, link.mac)
    else if (spec.type === 'vlan') followLower(on, spec, { space, link: fresh(space, link) })
    else if (spec.type === 'ipvlan') setMac(on.space, on.link, link.mac)
  }
}

/** A device has another MAC, whoever gave it. */
export const setMac = (space: Space, link: LinkEntry, mac: Mac): void => {
  forgetNeighbours(space, link.name)
  write(space, link, mac)
  const now = fresh(space, link)
  if (now.port !== null) {
    changePortMac(space, now.port.bridge, now, mac)
    followMac(space, now.port.bridge)
  }
  tellAbove(space, fresh(space, link))
}

/** A device is given a MAC; a bridge thinks about its port states then, and follows its ports no more. */
export const giveMac = (space: Space, link: LinkEntry, mac: Mac): void => {
  const isBridge = link.spec.type === 'bridge' && link.mac !== mac
  if (isBridge) changeBridgeMac(space, link, mac)
  setMac(space, fresh(space, link), mac)
  change(space, fresh(space, link), { macSet: true })
  if (isBridge) selectStates(space, link.name)
}

const giveMacvlan = (space: Space, link: LinkEntry, spec: MacvlanSpec, mac: Mac): Errno | null => {
  const below = belowOf(space, link)
  if (below !== null && isPassthru(spec)) {
    giveMac(below.space, below.link, mac)
    change(space, fresh(space, link), { spec })
  } else if (below !== null) {
    if (isMacTaken(below, mac)) return 'EADDRINUSE'
    if (link.up) {
      hear(below.space, below.link.name, mac)
      unhear(below.space, below.link.name, link.mac)
    }
  }
  giveMac(space, fresh(space, link), mac)
  return null
}

const giveVlan = (space: Space, link: LinkEntry, mac: Mac): null => {
  const below = belowOf(space, link)
  if (link.up && below !== null) {
    if (mac !== below.link.mac) hear(below.space, below.link.name, mac)
    if (link.mac !== below.link.mac) unhear(below.space, below.link.name, link.mac)
  }
  giveMac(space, fresh(space, link), mac)
  return null
}

/** The driver is not asked for the MAC that a device has. */
export const askMac = (space: Space, link: LinkEntry, mac: Mac): Errno | null => {
  const { spec } = link
  if (spec.type === 'ipvlan') return 'EOPNOTSUPP'
  if (mac !== link.mac) {
    if (!fitsMac(mac)) return 'EADDRNOTAVAIL'
    if (spec.type === 'macvlan') return giveMacvlan(space, link, spec, mac)
    if (spec.type === 'vlan') return giveVlan(space, link, mac)
  }
  giveMac(space, link, mac)
  return null
}

/** A bridge that was given no MAC has the lowest of its ports', and zero without any (br_stp_recalculate_bridge_id). */
export const followMac = (space: Space, name: IfName): void => {
  const bridge = linkOf(space, name)
  if (bridge === null || bridge.macSet) return
  const mac = firstIn(bridge.fdb.macs)?.mac ?? ZERO_MAC
  if (mac === bridge.mac) return
  changeBridgeMac(space, bridge, mac)
  setMac(space, fresh(space, bridge), mac)
  selectStates(space, name)
}
