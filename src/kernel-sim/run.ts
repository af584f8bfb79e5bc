// The working memory of one probe: the namespaces as it has changed them so far, the frames under way, the steps taken.
// It is the only mutable thing here, and never leaves `runProbe`, which turns it into a new world.

import type { Ip } from '../net/ip.ts'
import type { IfName, Ns } from '../net/name.ts'
import { draftOf, getIn, setIn } from '../net/pmap.ts'
import type { Flow } from './conntrack.ts'
import type { Frame, Packet, Payload } from './packet.ts'
import { NO_TALLY, type NsEntry, nsWith, type Tally, type World } from './state.ts'
import type { DropReason, Event, Step } from './trace.ts'

/** A frame about to be received by a device. Over loopback a packet keeps what conntrack knows of it. */
export type InFlight = Readonly<{ ns: Ns; dev: IfName; frame: Frame; flow: Flow | null }>

/** A packet that waits until its next hop's MAC is known. */
export type Waiting = Readonly<{ ns: Ns; dev: IfName; next: Ip; packet: Packet }>

/** What the prober is told. A TCP probe has arrived when the listener has the last ACK of the handshake. */
export type Heard = 'arrived' | 'refused' | 'unreachable'
/** The prober's socket, known by the packet it sent. */
export type Socket = Readonly<{ ns: Ns; request: Packet }>

export const NOTHING: Tally = NO_TALLY
/** What one run adds to a tally. */
export type Count = { -readonly [Part in keyof Tally]: Tally[Part] }

export type Run = {
  readonly world: World
  readonly spaces: Map<Ns, NsEntry>
  readonly queue: InFlight[]
  readonly waiting: Map<string, Waiting[]>
  readonly counts: Map<Ns, Map<IfName, Count>>
  /** Null when nobody wants to see them. */
  readonly steps: Step[] | null
  socket: Socket | null
  heard: Heard | null
  /** The first drop that explains; that somebody else took no notice of a flooded copy only does if nothing else does. */
  death: (Step & { readonly event: { readonly tag: 'dropped'; readonly reason: DropReason } }) | null
}

export const newRun = (world: World, withTrace: boolean): Run => ({
  world,
  spaces: new Map(),
  queue: [],
  waiting: new Map(),
  counts: new Map(),
  steps: withTrace ? [] : null,
  socket: null,
  heard: null,
  death: null,
})

/** The namespace as it is now, or undefined if there is none of that name. */
export const spaceOf = (run: Run, ns: Ns): NsEntry | undefined => run.spaces.get(ns) ?? getIn(run.world.namespaces, ns)

export const putSpace = (run: Run, space: NsEntry): void => {
  run.spaces.set(space.ns, space)
}

const sum = (a: Tally, b: Tally): Tally => ({
  ...a,
  rxPackets: a.rxPackets + b.rxPackets,
  rxBytes: a.rxBytes + b.rxBytes,
  txPackets: a.txPackets + b.txPackets,
  txBytes: a.txBytes + b.txBytes,
  txDropped: a.txDropped + b.txDropped,
})

const putCounts = (run: Run, space: NsEntry, counts: ReadonlyMap<IfName, Count>): void => {
  let { tallies } = space
  for (const [dev, count] of counts) tallies = setIn(tallies, dev, sum(getIn(tallies, dev) ?? NOTHING, count))
  putSpace(run, nsWith(space, { tallies }))
}

/** The world as the run leaves it. */
export const worldAfter = (run: Run): World => {
  for (const [ns, counts] of run.counts) {
    const space = spaceOf(run, ns)
    if (space !== undefined) putCounts(run, space, counts)
  }
  if (run.spaces.size === 0) return run.world
  const namespaces = draftOf(run.world.namespaces)
  for (const [ns, space] of run.spaces) namespaces.set(ns, space)
  return { ...run.world, namespaces: namespaces.done() }
}

export const note = (run: Run, ns: Ns, dev: IfName | null, packet: Payload, event: Event, frame?: Frame): void => {
  run.steps?.push({ ns, dev, macs: frame === undefined ? null : { src: frame.src, dst: frame.dst }, packet, event })
}

const explains = (run: Run, packet: Payload, reason: DropReason): boolean => {
  if (reason.tag === 'storm') return run.death === null
  return packet.tag === 'ip' && (run.death === null || run.death.event.reason.tag === 'other-host')
}

/** Ends a packet. */
export const drop = (
  run: Run,
  ns: Ns,
  dev: IfName | null,
  packet: Payload,
  reason: DropReason,
  frame?: Frame,
): void => {
  const step = {
    ns,
    dev,
    macs: frame === undefined ? null : { src: frame.src, dst: frame.dst },
    packet,
    event: { tag: 'dropped', reason },
  } as const
  run.steps?.push(step)
  if (explains(run, packet, reason)) run.death = step
}
