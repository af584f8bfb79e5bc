// What devices do with a frame: loopback gives it back, a veth gives it to its other end, a bridge to its ports. Also the
// bridge itself (802.1D without spanning tree): it learns where MACs are, forgets them with time, and floods what it does
// not know. Sources: drivers/net/veth.c, net/bridge/{br_input,br_forward,br_fdb,br_device}.c, bridge(8).

import { isGroup, type Mac } from '../net/mac.ts'
import type { IfName, Ns } from '../net/name.ts'
import { entriesOf, getIn, type PMap, setIn, valuesOf } from '../net/pmap.ts'
import type { Flow } from './conntrack.ts'
import { countLost, countReceived, countSent } from './counters.ts'
import { fdbOf, withFdb } from './fdb.ts'
import { type FdbEntry, type LinkEntry, linkWith } from './link-entry.ts'
import { memoisedByShape, onlyLearned } from './memo.ts'
import type { Frame } from './packet.ts'
import { drop, note, putSpace, type Run, spaceOf } from './run.ts'
import { type NsEntry, nsWith } from './state.ts'
import type { DropReason, Event } from './trace.ts'

/** How long a bridge remembers a MAC that it no longer hears (BR_DEFAULT_AGEING_TIME). */
export const AGEING_MS = 300_000

/** Per bridge: its ports, in the order in which they joined. */
type Members = Readonly<{ ports: ReadonlyArray<LinkEntry> }>

const membersOf = memoisedByShape((links: PMap<LinkEntry>): ReadonlyMap<IfName, Members> => {
  const bridges = valuesOf(links).filter((link) => link.spec.type === 'bridge')
  return new Map(
    bridges.map((bridge) => {
      const joined = [...entriesOf(bridge.ports)].sort(([, a], [, b]) => a - b)
      const ports = joined.flatMap(([name]) => getIn(links, name) ?? [])
      return [bridge.name, { ports }]
    }),
  )
})

const NO_MEMBERS: Members = { ports: [] }

/** Address resolution is told once, by those who ask and answer; the frames around it are told for packets only. */
const noteFrame = (run: Run, ns: Ns, dev: IfName, frame: Frame, event: Event) => {
  if (run.steps !== null && frame.payload.tag === 'ip') note(run, ns, dev, frame.payload, event, frame)
}

const lose = (run: Run, ns: Ns, dev: IfName, frame: Frame, reason: DropReason) =>
  drop(run, ns, dev, frame.payload, reason, frame)

/** Whether the other end of a veth is there and up; a bridge port without it is disabled. */
const hasCarrier = (run: Run, link: LinkEntry): boolean => {
  if (link.spec.type !== 'veth') return true
  const { ns, name } = link.spec.peer
  const peer = spaceOf(run, ns)
  return peer !== undefined && getIn(peer.links, name)?.up === true
}

/** Puts a frame on a device that is not a bridge. */
const transmitOnWire = (run: Run, ns: Ns, link: LinkEntry, frame: Frame, flow: Flow | null) => {
  if (!link.up) return lose(run, ns, link.name, frame, { tag: 'link-down', dev: link.name })
  if (!hasCarrier(run, link)) return lose(run, ns, link.name, frame, { tag: 'no-carrier', dev: link.name })
  countSent(run, ns, link, frame)
  noteFrame(run, ns, link.name, frame, { tag: 'transmitted' })
  if (link.spec.type === 'veth') run.queue.push({ ns: link.spec.peer.ns, dev: link.spec.peer.name, frame, flow: null })
  else run.queue.push({ ns, dev: link.name, frame, flow })
}

const learned = (mac: Mac, dev: IfName): FdbEntry => ({
  mac,
  vlan: 0,
  dev,
  state: 'dynamic',
  byUser: false,
  sticky: false,
  seenMs: 0,
})

const isOwn = ({ fdb }: LinkEntry, mac: Mac): boolean => fdbOf(fdb, mac)?.state === 'local'

const learn = (run: Run, space: NsEntry, bridge: LinkEntry, mac: Mac, dev: IfName) => {
  const seenMs = run.world.nowMs
  const known = fdbOf(bridge.fdb, mac)
  if (known !== null && known.dev === dev && known.seenMs === seenMs) return
  if (known?.sticky === true && known.dev !== dev) return
  const fdb = withFdb(bridge.fdb, { ...(known ?? learned(mac, dev)), dev, seenMs })
  const links = setIn(space.links, bridge.name, linkWith(bridge, { fdb }))
  onlyLearned(space.links, links)
  putSpace(run, nsWith(space, { links }))
}

/** Why a frame that came in by `from` (null: from the host itself) may not leave by `to`; null if it may. */
const forbids = (from: LinkEntry | null, to: LinkEntry): DropReason | null => {
  if (from === null) return null
  if (from.name === to.name) return to.port?.hairpin === true ? null : { tag: 'same-port' }
  return from.port?.isolated === true && to.port?.isolated === true ? { tag: 'isolated-ports', to: to.name } : null
}

const flood = (run: Run, ns: Ns, bridge: LinkEntry, members: Members, from: LinkEntry | null, frame: Frame): number => {
  let ports = 0
  for (const port of members.ports) {
    if (forbids(from, port) !== null || !port.up || !hasCarrier(run, port)) continue
    if (ports++ === 0 && run.steps !== null) {
      const count = members.ports.filter((to) => forbids(from, to) === null).length
      note(run, ns, bridge.name, frame.payload, { tag: 'flooded', bridge: bridge.name, ports: count }, frame)
    }
    transmitOnWire(run, ns, port, frame, null)
  }
  return ports
}

/** What the bridge does with a frame that is not for the host: to the port it knows, or to all. */
const relay = (run: Run, ns: Ns, bridge: LinkEntry, members: Members, from: LinkEntry | null, frame: Frame) => {
  const at = from?.name ?? bridge.name
  const known = isGroup(frame.dst) ? null : fdbOf(bridge.fdb, frame.dst)
  const fresh = known !== null && (known.state !== 'dynamic' || run.world.nowMs - known.seenMs <= AGEING_MS)
  const to = fresh ? members.ports.find((port) => port.name === known.dev) : undefined
  if (to === undefined) {
    const sent = flood(run, ns, bridge, members, from, frame)
    if (sent === 0 && !isGroup(frame.dst)) lose(run, ns, at, frame, { tag: 'nobody-else', bridge: bridge.name })
    return
  }
  const reason = forbids(from, to)
  if (reason !== null) return lose(run, ns, at, frame, reason)
  noteFrame(run, ns, at, frame, { tag: 'bridged', bridge: bridge.name, to: to.name })
  transmitOnWire(run, ns, to, frame, null)
}

/** A frame that a port of a bridge has received. What is for the host comes back as received by the bridge device. */
export const receiveOnPort = (run: Run, space: NsEntry, port: LinkEntry, frame: Frame) => {
  const { ns } = space
  const name = port.port?.bridge
  const bridge = name === undefined ? undefined : getIn(space.links, name)
  if (bridge === undefined || !bridge.up || !port.up)
    return lose(run, ns, port.name, frame, { tag: 'port-inactive', bridge: name ?? port.name })
  noteFrame(run, ns, port.name, frame, { tag: 'received' })
  const members = membersOf(space.links).get(bridge.name) ?? NO_MEMBERS
  if (!isGroup(frame.src) && !isOwn(bridge, frame.src)) learn(run, space, bridge, frame.src, port.name)
  const forUs = isOwn(bridge, frame.dst)
  if (!forUs) relay(run, ns, bridge, members, port, frame)
  if (forUs || isGroup(frame.dst)) {
    countReceived(run, ns, bridge.name, frame)
    run.queue.push({ ns, dev: bridge.name, frame, flow: null })
  }
}

/** Sends a frame out of a device of this namespace. `flow` stays with what goes over loopback. */
export const transmit = (run: Run, ns: Ns, dev: IfName, frame: Frame, flow: Flow | null) => {
  const space = spaceOf(run, ns)
  const link = space === undefined ? undefined : getIn(space.links, dev)
  if (space === undefined || link === undefined || !link.up) return lose(run, ns, dev, frame, { tag: 'link-down', dev })
  if (link.spec.type !== 'bridge') {
    if (!hasCarrier(run, link)) countLost(run, ns, dev)
    return transmitOnWire(run, ns, link, frame, flow)
  }
  const members = membersOf(space.links).get(dev) ?? NO_MEMBERS
  if (members.ports.some((port) => port.up && hasCarrier(run, port))) countSent(run, ns, link, frame)
  else countLost(run, ns, dev)
  noteFrame(run, ns, dev, frame, { tag: 'transmitted' })
  relay(run, ns, link, members, null, frame)
}
