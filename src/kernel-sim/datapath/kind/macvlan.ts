// Macvlans: devices with MACs of their own on one device, which sorts by them what comes in. How those on one device reach each other is
// the mode's: private not at all, vepa by a switch outside, bridge at once; passthru is alone.
// Source: drivers/net/macvlan.c (macvlan_queue_xmit, macvlan_handle_frame, macvlan_multicast_rx, macvlan_broadcast), measured.

import type { MacvlanMode } from '../../../kernel/rtnl/kind.ts'
import { BROADCAST, isGroup, type Mac } from '../../../net/mac.ts'
import {
  countLost,
  countReceived,
  countSent,
  ETHERNET,
  lengthBesideTag,
  lengthOfFrame,
  receiveAs,
  transmit,
} from '../device.ts'
import { enqueue, enqueueLater } from '../loop.ts'
import { belowOf, type Device } from '../plane.ts'
import type { Skb } from '../skb.ts'
import { forwardTo } from './forward.ts'
import { hearsGroup } from './groups.ts'
import { type Stacked, stackedOf } from './stacked.ts'

const modeOf = ({ link: { spec } }: Device): MacvlanMode | null => (spec.type === 'macvlan' ? spec.mode : null)

/**
 * A frame that several may want is given to each by a work queue (the driver's `bc_cutoff` is one listener), a broadcast always: by then
 * the device below has looked at it itself, and has answered.
 */
const isQueued = ({ macvlans }: Stacked, dst: Mac): boolean =>
  dst === BROADCAST || macvlans.filter((each) => hearsGroup(each, dst)).length > 1

/** To those on a device that are of one of these modes, but for the sender. What one sends itself is counted with its header twice. */
const broadcast = (
  stacked: Stacked,
  skb: Skb,
  from: Device | null,
  modes: ReadonlyArray<MacvlanMode>,
  isSentHere: boolean,
) => {
  const give = isQueued(stacked, skb.frame.dst) ? enqueueLater : enqueue
  for (const to of stacked.macvlans) {
    const mode = modeOf(to)
    if (to === from || mode === null || !modes.includes(mode) || !hearsGroup(to, skb.frame.dst)) continue
    if (isSentHere && !forwardTo(to, skb, from ?? to)) continue
    countReceived(to, skb, true)
    if (isSentHere) to.tally.rxBytes += ETHERNET
    else give(to, skb)
  }
}

const BRIDGE: ReadonlyArray<MacvlanMode> = ['bridge']
const VEPA: ReadonlyArray<MacvlanMode> = ['vepa']
const NEIGHBOURLY: ReadonlyArray<MacvlanMode> = ['vepa', 'bridge']
const ALL: ReadonlyArray<MacvlanMode> = ['private', 'vepa', 'passthru', 'bridge']

/** To another one of mode bridge: it comes to the device below as if from outside, which gives it on. True: that was its way. */
const isBridged = (dev: Device, below: Device, skb: Skb): boolean => {
  if (modeOf(dev) !== 'bridge') return false
  const stacked = stackedOf(below)
  if (isGroup(skb.frame.dst)) {
    broadcast(stacked, skb, dev, BRIDGE, true)
    return false
  }
  const to = stacked.ofMac.get(skb.frame.dst)
  if (to === undefined || modeOf(to) !== 'bridge') return false
  forwardTo(below, skb, dev)
  return true
}

export const transmitMacvlan = (dev: Device, skb: Skb): boolean => {
  const below = belowOf(dev)
  const isSent = below !== null && (isBridged(dev, below, skb) || transmit(below, skb))
  if (isSent) countSent(dev, lengthOfFrame(skb.frame))
  else countLost(dev)
  return isSent
}

/** A group's frame: whoever may hear of its sender hears it, and so does the device below itself. True: nobody else is to have it. */
const receiveGroup = (stacked: Stacked, skb: Skb): boolean => {
  const from = stacked.ofMac.get(skb.frame.src) ?? null
  switch (from === null ? null : modeOf(from)) {
    case null:
      broadcast(stacked, skb, null, ALL, false)
      return false
    case 'vepa':
      broadcast(stacked, skb, from, NEIGHBOURLY, false)
      return false
    case 'bridge':
      // Those of mode bridge had it when it was sent.
      broadcast(stacked, skb, from, VEPA, false)
      return false
    case 'private':
    case 'passthru':
      if (from !== null) returnTo(from, skb)
      return true
  }
}

/** What one sent comes back by a switch outside: it has it again, counted as nothing. */
const returnTo = (dev: Device, skb: Skb) => {
  dev.tally.rxPackets += 1
  enqueue(dev, skb)
}

/** True: the frame was for a macvlan. */
export const receiveForMacvlan = (stacked: Stacked, skb: Skb): boolean => {
  const { dst } = skb.frame
  if (isGroup(dst)) return receiveGroup(stacked, skb)
  const to = stacked.passthru ?? stacked.ofMac.get(dst)
  if (to === undefined) return false
  to.tally.rxPackets += 1
  to.tally.rxBytes += lengthBesideTag(skb.frame)
  receiveAs(to, skb, true)
  return true
}
