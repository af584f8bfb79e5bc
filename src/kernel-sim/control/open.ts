// What a device does, or is refused, when it is opened or closed, beyond what all do: a macvlan and a VLAN ask the device below
// for their MAC, a VXLAN needs its socket.
// Source: drivers/net/macvlan.c (macvlan_open, macvlan_stop, macvlan_addr_busy), net/8021q/vlan_dev.c (vlan_dev_open,
// vlan_dev_stop), drivers/net/vxlan/vxlan_core.c (vxlan_open, vxlan_stop).

import type { Errno } from '../../kernel/errno.ts'
import type { Mac } from '../../net/mac.ts'
import type { LinkEntry } from '../link-entry.ts'
import { found, linkOf, type Space } from './draft.ts'
import { hear, stopPassing, unhear } from './filter.ts'
import { isPassthru, type On, thoseOn } from './stacked.ts'
import { closeVxlan, refusesVxlanUp } from './vxlan.ts'

export const belowOf = (space: Space, { below }: LinkEntry): On | null => (below === null ? null : found(space, below))

/** The device below has this MAC, or a macvlan on it that is up. */
export const isMacTaken = ({ space, link }: On, mac: Mac): boolean =>
  link.mac === mac || thoseOn(space, link, 'macvlan').some((on) => on.link.up && on.link.mac === mac)

/** Why a device that is down cannot be opened (ndo_open). */
export const refusesOpen = (space: Space, link: LinkEntry): Errno | null => {
  const { spec, mac } = link
  const below = belowOf(space, link)
  switch (spec.type) {
    case 'vxlan':
      return refusesVxlanUp(space, spec)
    case 'vlan':
      return below?.link.up === true ? null : 'ENETDOWN'
    case 'macvlan':
      return below !== null && !isPassthru(spec) && isMacTaken(below, mac) ? 'EADDRINUSE' : null
    default:
      return null
  }
}

/** A device is opened; a VLAN that follows the MAC below has it already (mac.ts). */
export const open = (space: Space, { name }: LinkEntry): void => {
  const link = linkOf(space, name)
  const below = link === null ? null : belowOf(space, link)
  if (link === null || below === null) return
  const { spec, mac } = link
  if (spec.type === 'macvlan' && !isPassthru(spec)) hear(below.space, below.link.name, mac)
  if (spec.type === 'vlan' && link.macSet && mac !== below.link.mac) hear(below.space, below.link.name, mac)
}

/** A device is closed. */
export const close = (space: Space, { name }: LinkEntry): void => {
  const link = linkOf(space, name)
  if (link === null) return
  const below = belowOf(space, link)
  stopPassing(space, link)
  if (link.spec.type === 'vxlan') closeVxlan(space, link)
  if (below === null) return
  if (link.spec.type === 'macvlan' && !isPassthru(link.spec)) unhear(below.space, below.link.name, link.mac)
  if (link.spec.type === 'vlan' && link.mac !== below.link.mac) unhear(below.space, below.link.name, link.mac)
}
