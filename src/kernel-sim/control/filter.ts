// The MACs that a device hears beside its own. Those on another device have them from there, while they are up; a device
// that cannot choose hears everything as soon as there is one.
// Source: net/core/dev_addr_lists.c (dev_uc_add, dev_uc_del, dev_uc_sync), net/core/dev.c (__dev_set_rx_mode).

import { isGroup, type Mac } from '../../net/mac.ts'
import type { IfName } from '../../net/name.ts'
import { getIn, hasIn, removeIn, setIn, sizeOfMap, valuesOf } from '../../net/pmap.ts'
import type { LinkEntry } from '../link-entry.ts'
import { change, found, linkOf, type Space } from './draft.ts'

const key = String

export const isHeard = ({ filter }: LinkEntry, mac: Mac): boolean => hasIn(filter.macs, key(mac))

/** IFF_UNICAST_FLT. They also ask the device below for what they hear. */
const chooses = ({ spec: { type } }: LinkEntry): boolean => type === 'vlan' || type === 'macvlan' || type === 'ipvlan'

/** 01:80:c2:00:00:00 to 0f: kept like those of one station. */
const isReservedGroup = (mac: Mac): boolean => Math.floor(mac / 16) === 0x0180c200000
const isOfOne = (mac: Mac): boolean => !isGroup(mac) || isReservedGroup(mac)

const pass = (space: Space, link: LinkEntry): void => {
  const below = link.below === null ? null : found(space, link.below)
  if (below === null) return
  const { macs, passed } = link.filter
  const wanted = valuesOf(macs).map(({ mac }) => mac)
  change(space, link, { filter: { ...link.filter, passed: wanted } })
  for (const mac of wanted) if (!passed.includes(mac)) hear(below.space, below.link.name, mac)
  for (const mac of passed) if (!wanted.includes(mac)) unhear(below.space, below.link.name, mac)
}

/** Whoever is up does as its filter says (dev_set_rx_mode). */
export const applyFilter = (space: Space, name: IfName): void => {
  const link = linkOf(space, name)
  if (link?.up !== true) return
  const { macs, promisc, passed } = link.filter
  if (chooses(link)) {
    if (sizeOfMap(macs) > 0 || passed.length > 0) pass(space, link)
    return
  }
  const all = sizeOfMap(macs) > 0 && valuesOf(macs).some(({ mac }) => isOfOne(mac))
  if (all !== promisc) change(space, link, { filter: { ...link.filter, promisc: all } })
}

/** Hears a MAC, once more than before. */
export const hear = (space: Space, name: IfName, mac: Mac): void => {
  const link = linkOf(space, name)
  if (link === null) return
  const times = (getIn(link.filter.macs, key(mac))?.times ?? 0) + 1
  change(space, link, { filter: { ...link.filter, macs: setIn(link.filter.macs, key(mac), { mac, times }) } })
  applyFilter(space, name)
}

/** Hears a MAC that it does not hear yet; whether it did not. */
export const hearMore = (space: Space, link: LinkEntry, mac: Mac): boolean => {
  if (isHeard(link, mac)) return false
  hear(space, link.name, mac)
  return true
}

/** Hears a MAC once less; false if it did not hear it. */
export const unhear = (space: Space, name: IfName, mac: Mac): boolean => {
  const link = linkOf(space, name)
  const held = link === null ? undefined : getIn(link.filter.macs, key(mac))
  if (link === null || held === undefined) return false
  const macs =
    held.times > 1
      ? setIn(link.filter.macs, key(mac), { mac, times: held.times - 1 })
      : removeIn(link.filter.macs, key(mac))
  change(space, link, { filter: { ...link.filter, macs } })
  applyFilter(space, name)
  return true
}

/** A device that goes down asks the one below for nothing more. */
export const stopPassing = (space: Space, { name, below, filter }: LinkEntry): void => {
  if (filter.passed.length === 0) return
  const link = linkOf(space, name)
  if (link !== null) change(space, link, { filter: { ...link.filter, passed: [] } })
  const under = below === null ? null : found(space, below)
  if (under !== null) for (const mac of filter.passed) unhear(under.space, under.link.name, mac)
}
