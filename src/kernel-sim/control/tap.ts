// Taps come and go: devices whose cable ends at a program. Source: drivers/net/tun.c (tun_set_iff, __tun_detach).

import type { Errno } from '../../kernel/errno.ts'
import { PLAIN_MTU } from '../../kernel/object.ts'
import type { TapRequest } from '../../kernel/rtnl/request.ts'
import type { IfName } from '../../net/name.ts'
import { setLower } from './carrier.ts'
import { removeLink } from './dellink.ts'
import { change, linkOf, type Space } from './draft.ts'
import { bornMac, install, nextIndex } from './link-facts.ts'
import { checkPort } from './port-state.ts'
import { isReserved } from './sysctl.ts'

const addTap = (space: Space, name: IfName): Errno | null => {
  if (linkOf(space, name) !== null) return 'EBUSY'
  const mac = bornMac(space, name)
  const link = install(space, { name, spec: { type: 'tap' }, mac, mtu: PLAIN_MTU })
  // Whoever made it has let go of it by now.
  change(space, link, { lower: false, oper: 'down' })
  return null
}

/** Who names a tap to delete it, and there is none, makes one for a moment. */
const deleteTap = (space: Space, name: IfName): Errno | null => {
  const link = linkOf(space, name)
  if (link === null) {
    nextIndex(space)
    return null
  }
  if (link.spec.type !== 'tap') return 'EINVAL'
  removeLink(space, link)
  return null
}

export const askTap = (space: Space, { do: verb, dev }: TapRequest): Errno | null => {
  if (isReserved(dev) && linkOf(space, dev) === null) return 'EINVAL'
  return verb === 'add' ? addTap(space, dev) : deleteTap(space, dev)
}

/** A program holds the other end, or lets go of it. */
export const holdTap = (space: Space, name: IfName, isHeld: boolean): void => setLower(space, name, isHeld, checkPort)
