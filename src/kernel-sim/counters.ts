// What passes devices, counted as Linux counts it: by the device that sends and, on loopback and a veth, at the same moment by
// the one that receives. What is sent by a device that is down or without carrier is lost there, and nowhere else.
// Sources: drivers/net/{veth,loopback}.c, net/bridge/{br_device,br_input}.c, net/sched/sch_generic.c (noop_enqueue), measured.

import type { Counters } from '../kernel/kernel.ts'
import type { IfName, Ns } from '../net/name.ts'
import { getIn, valuesOf } from '../net/pmap.ts'
import { ETHERNET, lengthOf } from './length.ts'
import type { LinkEntry } from './link-entry.ts'
import type { Frame } from './packet.ts'
import { type Count, NOTHING, type Run } from './run.ts'
import type { World } from './state.ts'

/** What this run has counted at a device so far. */
const countOf = (run: Run, ns: Ns, dev: IfName): Count => {
  let counts = run.counts.get(ns)
  if (counts === undefined) {
    counts = new Map()
    run.counts.set(ns, counts)
  }
  let count = counts.get(dev)
  if (count === undefined) {
    count = { ...NOTHING }
    counts.set(dev, count)
  }
  return count
}

const received = (run: Run, ns: Ns, dev: IfName, bytes: number): void => {
  const count = countOf(run, ns, dev)
  count.rxPackets += 1
  count.rxBytes += bytes
}

/** A bridge hands it to its host, without the Ethernet header by then. */
export const countReceived = (run: Run, ns: Ns, bridge: IfName, frame: Frame): void =>
  received(run, ns, bridge, lengthOf(frame.payload))

/** A device sends it; loopback takes the Ethernet header away first. */
export const countSent = (run: Run, ns: Ns, { name, spec }: LinkEntry, frame: Frame): void => {
  const bytes = lengthOf(frame.payload) + (spec.type === 'loopback' ? 0 : ETHERNET)
  const count = countOf(run, ns, name)
  count.txPackets += 1
  count.txBytes += bytes
  if (spec.type === 'veth') received(run, spec.peer.ns, spec.peer.name, bytes)
  else if (spec.type === 'loopback') received(run, ns, name, bytes)
}

/** A device was to send something, and could not. */
export const countLost = (run: Run, ns: Ns, dev: IfName): void => {
  countOf(run, ns, dev).txDropped += 1
}

/** Of all devices of a namespace; none if it is not there. */
export const countersIn = (world: World, ns: Ns): ReadonlyArray<Counters> => {
  const space = getIn(world.namespaces, ns)
  if (space === undefined) return []
  return valuesOf(space.links).map(({ name }) => {
    const tally = getIn(space.tallies, name) ?? NOTHING
    return {
      dev: name,
      rx: { packets: tally.rxPackets, bytes: tally.rxBytes, errors: 0, dropped: tally.rxDropped },
      tx: { packets: tally.txPackets, bytes: tally.txBytes, errors: tally.txErrors, dropped: tally.txDropped },
    }
  })
}
