// What has passed the devices of a namespace, as Linux counts it. Source: ip-link(8) "-statistics", measured (datapath/device.ts counts).

import type { Counters } from '../kernel/kernel.ts'
import type { Ns } from '../net/name.ts'
import { getIn, valuesOf } from '../net/pmap.ts'
import { NO_TALLY, type World } from './state.ts'

/** Of all devices of a namespace; none if it is not there. */
export const countersIn = (world: World, ns: Ns): ReadonlyArray<Counters> => {
  const space = getIn(world.namespaces, ns)
  if (space === undefined) return []
  return valuesOf(space.links).map(({ name }) => {
    const tally = getIn(space.tallies, name) ?? NO_TALLY
    return {
      dev: name,
      rx: { packets: tally.rxPackets, bytes: tally.rxBytes, errors: 0, dropped: tally.rxDropped },
      tx: { packets: tally.txPackets, bytes: tally.txBytes, errors: tally.txErrors, dropped: tally.txDropped },
    }
  })
}
