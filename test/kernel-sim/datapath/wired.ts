// All the parts of the data path together, for hosts without cards.

import { closeIp } from '../../../src/kernel-sim/datapath/ip/close.ts'
import { defragment } from '../../../src/kernel-sim/datapath/ip/defrag.ts'
import { isWay, sourceFor, wayOut } from '../../../src/kernel-sim/datapath/ip/fib.ts'
import { ipHappenings, ipParts } from '../../../src/kernel-sim/datapath/ip/ip.ts'
import { typeOf } from '../../../src/kernel-sim/datapath/ip/lookup.ts'
import { pathMtu } from '../../../src/kernel-sim/datapath/ip/path-mtu.ts'
import { closeDevices } from '../../../src/kernel-sim/datapath/kind/close.ts'
import { KINDS } from '../../../src/kernel-sim/datapath/kind/kinds.ts'
import { pass, passFrame } from '../../../src/kernel-sim/datapath/netfilter/hooks.ts'
import { closeFilter } from '../../../src/kernel-sim/datapath/netfilter/memory.ts'
import { deviceOf, type Parts } from '../../../src/kernel-sim/datapath/plane.ts'
import { deliver, onSocketTimer } from '../../../src/kernel-sim/datapath/socket/deliver.ts'
import { closeSockets } from '../../../src/kernel-sim/datapath/socket/table.ts'

const none = (): never => {
  throw new Error('there are no cards here')
}

export const PARTS: Parts = {
  ...ipParts,
  ...KINDS,
  transmit: { ...KINDS.transmit, nic: none },
  neighbour: () => null,
  wayOf: (space, { src, dst, dev: name, mark }) => {
    const dev = name === null ? null : deviceOf(space, name)
    const way = wayOut(space, { dst, src, dev, tos: 0, mark, foreign: false })
    if (!isWay(way)) return way.errno
    const source = src ?? way.source
    return source === null
      ? 'EADDRNOTAVAIL'
      : { type: way.type, dev: way.dev, src: source, mtu: pathMtu(space, way, dst).mtu }
  },
  selectSource: (dev, dst, next) => sourceFor(dev.space, dev, dst, next),
  typeOf: (space, ip, dev) => typeOf(space.entry, ip, dev?.name ?? null),
  gather: (space, dev, held) => (dev === null ? held : defragment(space, dev, held, 'conntrack')),
  deliver,
  pass,
  passFrame,
  close: [closeDevices, closeIp, closeFilter, closeSockets],
  happen: { ...ipHappenings, arrival: none, socket: onSocketTimer },
}
