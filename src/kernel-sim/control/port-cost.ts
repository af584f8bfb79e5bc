// What the way through a port costs, while nobody says so: by the speed that its driver tells, or the one that it stands on.
// Source: net/bridge/br_if.c (port_cost), br_device.c (br_get_link_ksettings), and the get_link_ksettings of drivers/net/{veth,macvlan,tun}.c,
// drivers/net/vxlan/vxlan_core.c.

import { valuesOf } from '../../net/pmap.ts'
import type { LinkEntry } from '../link-entry.ts'
import { hasCarrier } from './carrier.ts'
import { found, linkOf, type Space } from './draft.ts'

/** Of 10 Gbit/s, and of a device that tells nothing. */
const COSTS = { fast: 2, unknown: 100 } as const

/** A veth and a tap say 10 Gbit/s, a bridge what its best port says that is running. */
const isFast = (space: Space, link: LinkEntry): boolean => {
  if (link.spec.type === 'veth' || link.spec.type === 'tap') return true
  if (link.spec.type === 'bridge')
    return valuesOf(link.fdb.macs).some(({ port }) => {
      const member = linkOf(space, port)
      return member !== null && hasCarrier(member) && isFast(space, member)
    })
  const below = link.below === null ? null : found(space, link.below)
  return below !== null && isFast(below.space, below.link)
}

export const costOf = (space: Space, link: LinkEntry): number => (isFast(space, link) ? COSTS.fast : COSTS.unknown)
