// A bridge: what it does with a frame that a port has received, or that its host sends. In the order of the kernel's functions.
// Nobody asks for group memberships here (there is no querier), so groups reach all ports, snooping or not.
// Sources: net/bridge/br_input.c (br_handle_frame, br_handle_frame_finish, br_pass_frame_up), net/bridge/br_device.c
// (br_dev_xmit), measured.

import { BROADCAST, isGroup, type Mac, ZERO_MAC } from '../../../net/mac.ts'
import { STATES } from '../../control/port-state.ts'
import type { PortEntry } from '../../link-entry.ts'
import type { Frame } from '../../wire/ethernet.ts'
import { countReceived, countSent, handUp, isForUs, lengthBesideTag, receiveAs } from '../device.ts'
import { type Device, masterOf } from '../plane.ts'
import type { Skb } from '../skb.ts'
import { type DropReason, drop } from '../step.ts'
import { type Cast, flood, forward, type Passing } from './bridge-forward.ts'
import { isAnsweredFor } from './bridge-suppress.ts'
import { admitted, isMember, learnedIn, leaving, vidOf } from './bridge-vlan.ts'
import { type FdbMemory, fdbOf, find, learn } from './fdb.ts'
import { isPromiscuous } from './stacked.ts'

const lose = (at: Device, frame: Frame, reason: DropReason) =>
  drop(at.space, at, 'bridge', frame.payload, reason, frame)

/** 01:80:c2:00:00:00 to 0f, which no bridge forwards (IEEE 802.1D table 7-10) but the first, if it does not speak STP. */
const RESERVED = 0x0180c2000000
const PAUSE = RESERVED + 1
const LLDP = RESERVED + 0xe
const isReserved = (dst: Mac): boolean => dst >= RESERVED && dst <= RESERVED + 0xf

/** br_handle_frame. */
export const receiveOnPort = (port: Device, skb: Skb) => {
  const { frame } = skb
  const bridge = masterOf(port)
  const memory = bridge === null ? null : fdbOf(bridge)
  const entry = port.link.port
  if (bridge === null || memory === null || entry === null) return handUp(port, skb, isForUs(port, skb))
  if (frame.src === ZERO_MAC || isGroup(frame.src)) return lose(port, frame, { tag: 'source-mac', mac: frame.src })
  if (isReserved(frame.dst) && (frame.dst !== RESERVED || memory.options.stp))
    return receiveReserved(bridge, memory, port, entry, skb)
  if (entry.state === STATES.disabled) return lose(port, frame, { tag: 'port-inactive', bridge: bridge.name })
  if (entry.state !== STATES.forwarding && entry.state !== STATES.learning)
    return lose(port, frame, { tag: 'port-state', bridge: bridge.name, state: entry.state })
  const { space } = port
  const passed =
    space.entry.firewall === null
      ? skb
      : space.plane.parts.passFrame(
          space,
          { family: 'bridge', hook: 'prerouting', iif: port, oif: null, next: null },
          skb,
        )
  if (passed !== null) finish(bridge, memory, port, entry, passed)
}

/** What is for the port alone is the port's, whatever its state; its sender is learned. */
const receiveReserved = (bridge: Device, memory: FdbMemory, port: Device, entry: PortEntry, skb: Skb) => {
  const { space } = port
  const { frame } = skb
  if (frame.dst === PAUSE) return lose(port, frame, { tag: 'link-local-group', mac: frame.dst })
  const passed =
    space.entry.firewall === null || frame.dst === RESERVED || frame.dst === LLDP
      ? skb
      : space.plane.parts.passFrame(space, { family: 'bridge', hook: 'input', iif: port, oif: null, next: null }, skb)
  if (passed === null) return
  const { vlanFiltering, vlanProtocol } = memory.options
  const vid = vlanFiltering ? learnedIn(frame, port.link.vlans, vlanProtocol) : 0
  const listens = entry.state === STATES.learning || entry.state === STATES.forwarding
  if (entry.learning && listens && vid !== null) learn(bridge, memory, port, frame, vid)
  handUp(port, passed, true)
}

/** A locked port has only frames of those who were put in for it. */
const isLockedOut = (bridge: Device, memory: FdbMemory, port: Device, src: Mac, vid: number): boolean => {
  const known = find(bridge, memory, src, vid)
  return known === null || known.dev !== port || known.state === 'local'
}

const castOf = (dst: Mac): Cast => (!isGroup(dst) ? 'unicast' : dst === BROADCAST ? 'broadcast' : 'multicast')

/** br_handle_frame_finish. */
const finish = (bridge: Device, memory: FdbMemory, port: Device, entry: PortEntry, skb: Skb) => {
  const { vlanFiltering, vlanProtocol } = memory.options
  const within = vlanFiltering ? admitted(skb, port.link.vlans, vlanProtocol) : skb
  if (within === null) return lose(port, skb.frame, { tag: 'vlan-not-member', vid: vidOf(skb.frame, vlanProtocol) })
  const { frame } = within
  const vid = vlanFiltering ? vidOf(frame, vlanProtocol) : 0
  if (entry.locked && isLockedOut(bridge, memory, port, frame.src, vid))
    return lose(port, frame, { tag: 'port-locked', bridge: bridge.name, mac: frame.src })
  if (entry.learning) learn(bridge, memory, port, frame, vid)
  if (entry.state === STATES.learning)
    return lose(port, frame, { tag: 'port-state', bridge: bridge.name, state: entry.state })
  const passing: Passing = { bridge, memory, from: port, skb: within, vid }
  const cast = castOf(frame.dst)
  const isAnswered = memory.suppresses && isAnsweredFor(passing)
  const hearsAll = isPromiscuous(bridge)
  const known = cast === 'unicast' ? find(bridge, memory, frame.dst, vid) : null
  if (known?.state === 'local') return passUp(passing, port, false)
  if (known === null) flood(passing, cast, isAnswered)
  else if (known.dev !== null) forward(passing, known.dev)
  if (cast !== 'unicast' || hearsAll) passUp(passing, port, hearsAll)
}

/** br_pass_frame_up: for the host, as received by the bridge device. What has the MAC of another port is not the host's, though. */
const passUp = ({ bridge, memory, skb, vid }: Passing, port: Device, hearsAll: boolean) => {
  const { space, link } = bridge
  const { dst } = skb.frame
  countReceived(bridge, skb, false)
  const isIn = !memory.options.vlanFiltering || isMember(link.vlans, vid)
  if (!isIn && !hearsAll) return lose(bridge, skb.frame, { tag: 'vlan-not-member', vid })
  const up = memory.options.vlanFiltering && isIn ? leaving(skb, link.vlans, vid) : skb
  const passed =
    space.entry.firewall === null
      ? up
      : space.plane.parts.passFrame(space, { family: 'bridge', hook: 'input', iif: port, oif: null, next: null }, up)
  if (passed !== null) receiveAs(bridge, passed, dst === port.link.mac || isForUs(bridge, passed))
}

/** br_dev_xmit: what the host itself sends. */
export const transmitBridge = (bridge: Device, skb: Skb): boolean => {
  const memory = fdbOf(bridge)
  countSent(bridge, lengthBesideTag(skb.frame))
  if (memory === null) return true
  const { vlanFiltering, vlanProtocol } = memory.options
  const within = vlanFiltering ? admitted(skb, bridge.link.vlans, vlanProtocol) : skb
  if (within === null) {
    lose(bridge, skb.frame, { tag: 'vlan-not-member', vid: vidOf(skb.frame, vlanProtocol) })
    return true
  }
  const { frame } = within
  const vid = vlanFiltering ? vidOf(frame, vlanProtocol) : 0
  const passing: Passing = { bridge, memory, from: null, skb: within, vid }
  const isAnswered = memory.suppresses && isAnsweredFor(passing)
  const cast = castOf(frame.dst)
  const known = cast === 'unicast' ? find(bridge, memory, frame.dst, vid) : null
  if (known === null) flood(passing, cast, isAnswered)
  else if (known.dev !== null) forward(passing, known.dev)
  else lose(bridge, frame, { tag: 'own-mac', mac: frame.dst })
  return true
}
