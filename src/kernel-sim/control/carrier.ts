// Whether a device could send at all: the lower layer is there.
// Sources: drivers/net/veth.c (veth_open), net/bridge/br_stp.c (br_port_state_selection).

import type { Ns } from '../../net/name.ts'
import type { LinkEntry, World } from '../state.ts'
import { linkOf } from './world.ts'

/** Up, and: a veth's other end is up; a bridge has a port with carrier. */
export const hasCarrier = (world: World, ns: Ns, link: LinkEntry): boolean => {
  if (!link.up) return false
  switch (link.spec.type) {
    case 'loopback':
      return true
    case 'veth':
      return linkOf(world, link.spec.peer.ns, link.spec.peer.name)?.up === true
    case 'bridge':
      return link.ports.some((name) => {
        const port = linkOf(world, ns, name)
        return port !== undefined && hasCarrier(world, ns, port)
      })
  }
}
