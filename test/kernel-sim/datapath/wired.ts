// All the parts of the data path together, for hosts without cards.

import { closeIp } from '../../../src/kernel-sim/datapath/ip/close.ts'
import { ipHappenings, ipParts } from '../../../src/kernel-sim/datapath/ip/ip.ts'
import { closeDevices } from '../../../src/kernel-sim/datapath/kind/close.ts'
import { KINDS } from '../../../src/kernel-sim/datapath/kind/kinds.ts'
import { pass, passFrame } from '../../../src/kernel-sim/datapath/netfilter/hooks.ts'
import { closeFilter } from '../../../src/kernel-sim/datapath/netfilter/memory.ts'
import type { Parts } from '../../../src/kernel-sim/datapath/plane.ts'
import { deliver, onSocketTimer } from '../../../src/kernel-sim/datapath/socket/deliver.ts'
import { closeSockets } from '../../../src/kernel-sim/datapath/socket/table.ts'

const none = (): never => {
  throw new Error('there are no cards here')
}

export const PARTS: Parts = {
  ...ipParts,
  ...KINDS,
  transmit: { ...KINDS.transmit, nic: none },
  deliver,
  pass,
  passFrame,
  close: [closeDevices, closeIp, closeFilter, closeSockets],
  happen: { ...ipHappenings, arrival: none, socket: onSocketTimer },
}
