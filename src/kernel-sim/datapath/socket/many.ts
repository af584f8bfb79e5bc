// Whom a packet is for: one, or many.

import { type Ip, isIp4, isMulticast } from '../../../net/ip.ts'
import type { Space } from '../plane.ts'

/** A group, or all of a subnet, by the table `local`; a frame for one may bring it. */
export const isForMany = (space: Space, dst: Ip): boolean =>
  isMulticast(dst) || (isIp4(dst) && space.plane.parts.typeOf(space, dst, null) === 'broadcast')
