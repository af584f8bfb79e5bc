// The cards of a host: nobody makes them or takes them away but who builds the machine. Without a cable there is no carrier.

import type { Errno } from '../../kernel/errno.ts'
import { PLAIN_MTU } from '../../kernel/object.ts'
import type { Mac } from '../../net/mac.ts'
import type { IfName } from '../../net/name.ts'
import { setLower } from './carrier.ts'
import { change, linkOf, type Space } from './draft.ts'
import { install } from './link-facts.ts'
import { checkPort } from './port-state.ts'

/** A card without a cable. */
export const addNic = (space: Space, card: number, name: IfName, mac: Mac, mtu = PLAIN_MTU): Errno | null => {
  if (linkOf(space, name) !== null) return 'EEXIST'
  const link = install(space, { name, spec: { type: 'nic', card }, mac, mtu })
  change(space, link, { lower: false, oper: 'down' })
  return null
}

/** Its cable is put in, or pulled out. */
export const setCable = (space: Space, name: IfName, isIn: boolean): void => setLower(space, name, isIn, checkPort)
