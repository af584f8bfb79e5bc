// Whether a device could send at all: the lower layer is there.
// Sources: drivers/net/veth.c (veth_open), net/bridge/br_stp.c (br_port_state_selection).

import { entriesOf } from '../../net/pmap.ts'
import type { LinkEntry } from '../state.ts'
import { linkOf, type Space, spaceOf } from './draft.ts'

/** Up, and: a veth's other end is up; a bridge has a port with carrier. */
export const hasCarrier = (space: Space, link: LinkEntry): boolean => {
  if (!link.up) return false
  switch (link.spec.type) {
    case 'loopback':
      return true
    case 'veth': {
      const { ns, name } = link.spec.peer
      const other = spaceOf(space.draft, ns)
      return other !== null && linkOf(other, name)?.up === true
    }
    case 'bridge': {
      for (const [name] of entriesOf(link.ports)) {
        const port = linkOf(space, name)
        if (port !== null && hasCarrier(space, port)) return true
      }
      return false
    }
  }
}
