// All the parts of the data path, together.

import { arrive, transmitOnCable } from '../fabric/segment.ts'
import { closeIp } from './ip/close.ts'
import { ipHappenings, ipParts } from './ip/ip.ts'
import { closeDevices } from './kind/close.ts'
import { KINDS } from './kind/kinds.ts'
import { passFrame } from './netfilter/frames.ts'
import { pass } from './netfilter/hooks.ts'
import { closeFilter } from './netfilter/memory.ts'
import type { Parts } from './plane.ts'
import { deliver, onSocketTimer } from './socket/deliver.ts'
import { closeSockets, isExpected } from './socket/table.ts'

export const PARTS: Parts = {
  ...ipParts,
  ...KINDS,
  transmit: { ...KINDS.transmit, nic: transmitOnCable },
  deliver,
  isExpected,
  pass,
  passFrame,
  close: [closeDevices, closeIp, closeFilter, closeSockets],
  happen: { ...ipHappenings, arrival: arrive, socket: onSocketTimer },
}
