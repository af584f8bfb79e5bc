// Ipvlans: devices on one device that share its MAC, so what comes in is sorted by IP address. In mode l2 they speak to each other and to
// the network themselves; in l3 and l3s the stack below routes for them, and nobody asks for neighbours.
// Source: drivers/net/ipvlan/ipvlan_core.c, ipvlan_l3s.c; held to Debian's 6.1 by the stories of test/vm.

import type { IpvlanFlag, IpvlanMode } from '../../../kernel/rtnl/kind.ts'
import { type Ip, isUnspecified } from '../../../net/ip.ts'
import { isGroup } from '../../../net/mac.ts'
import type { Frame } from '../../wire/ethernet.ts'
import { countLost, countReceived, countSent, lengthOfFrame, receiveAs, transmit } from '../device.ts'
import { enqueue } from '../loop.ts'
import { belowOf, type Device } from '../plane.ts'
import type { Held, Skb } from '../skb.ts'
import { type DropReason, drop } from '../step.ts'
import { forwardTo, scrubbed } from './forward.ts'
import { hearsGroup } from './groups.ts'
import { discoveryIn } from './neighbour-answer.ts'
import { type Stacked, stackedOf } from './stacked.ts'

/** Mode and flag are those of the device below: all on it have them. */
type Port = Readonly<{ mode: IpvlanMode; flag: IpvlanFlag }>
const portOf = ({ ipvlans }: Stacked): Port | null => {
  const spec = ipvlans[0]?.link.spec
  return spec?.type === 'ipvlan' ? spec : null
}

/** The address that a frame is sorted by: whom it is to, or whom it is from. Duplicate address detection is of the address it asks for. */
const addressIn = (frame: Frame, isTo: boolean): Ip | null => {
  const { payload } = frame
  switch (payload.tag) {
    case 'arp':
      return isTo ? payload.target : payload.sender
    case 'ip4':
      return isTo ? payload.dst : payload.src
    case 'ip6': {
      const asked = isUnspecified(payload.src) ? discoveryIn(frame) : null
      if (asked?.message.type === 'neighbour-solicitation') return asked.message.target
      return isTo ? payload.dst : payload.src
    }
    case 'raw':
      return null
  }
}

const ownerOf = ({ ofIp }: Stacked, frame: Frame, isTo = true): Device | null => {
  const ip = addressIn(frame, isTo)
  return ip === null ? null : (ofIp.get(ip) ?? null)
}

/** From one to another of the same device. */
const cross = (from: Device, to: Device, skb: Skb) => {
  if (forwardTo(to, skb, from)) countReceived(to, skb, true)
}

/** To all but the sender that hear the group. */
const multicast = ({ ipvlans }: Stacked, skb: Skb, from: Device | null) => {
  for (const to of ipvlans) {
    if (to === from || !hearsGroup(to, skb.frame.dst)) continue
    if (from !== null) cross(from, to, skb)
    else {
      countReceived(to, skb, true)
      enqueue(to, scrubbed(skb, true))
    }
  }
}

const lose = (dev: Device, { frame }: Skb, reason: DropReason): false => {
  drop(dev.space, dev, 'link', frame.payload, reason, frame)
  return false
}

/** To one on the same device, if it is for one and they may speak: null, if it is not. */
const sendAcross = (dev: Device, stacked: Stacked, { flag }: Port, skb: Skb): boolean | null => {
  const to = flag === 'vepa' ? null : ownerOf(stacked, skb.frame)
  if (to === null) return null
  if (flag === 'private') return lose(dev, skb, { tag: 'ipvlan-private' })
  cross(dev, to, skb)
  return true
}

const sendL2 = (dev: Device, below: Device, stacked: Stacked, port: Port, skb: Skb): boolean => {
  const { frame } = skb
  if (port.flag !== 'vepa' && frame.dst === frame.src) {
    const isSent = sendAcross(dev, stacked, port, skb)
    if (isSent !== null) return isSent
    forwardTo(below, skb, dev)
    return true
  }
  if (isGroup(frame.dst)) {
    const bare = scrubbed(skb, true)
    multicast(stacked, bare, dev)
    transmit(below, bare)
    return true
  }
  return transmit(below, skb)
}

/** As if the stack below sent it: by its routes, and past its hooks. */
const sendL3 = (dev: Device, below: Device, stacked: Stacked, port: Port, skb: Skb): boolean => {
  const { frame } = skb
  const isSent = sendAcross(dev, stacked, port, skb)
  if (isSent !== null) return isSent
  const { payload } = frame
  if (isGroup(frame.dst) || (payload.tag !== 'ip4' && payload.tag !== 'ip6'))
    return lose(dev, skb, { tag: 'other-host', mac: frame.dst })
  const { meta } = scrubbed(skb, dev.space !== below.space)
  return below.space.plane.parts.sendPacket(below.space, payload, meta, below.name) === null
}

export const transmitIpvlan = (dev: Device, skb: Skb): boolean => {
  const below = belowOf(dev)
  const stacked = below === null ? null : stackedOf(below)
  const port = stacked === null ? null : portOf(stacked)
  const isSent =
    below !== null &&
    stacked !== null &&
    port !== null &&
    (port.mode === 'l2' ? sendL2(dev, below, stacked, port, skb) : sendL3(dev, below, stacked, port, skb))
  if (isSent) countSent(dev, lengthOfFrame(skb.frame))
  else countLost(dev)
  return isSent
}

/** What one of them sent, and comes back by the device below (ipvlan_external_frame). */
const isOwn = (dev: Device, stacked: Stacked, { frame }: Skb): boolean =>
  frame.src === dev.link.mac && ownerOf(stacked, frame, false) !== null

/**
 * In mode l3s the stack below receives the packet, its hooks before and at `input` included, and only then it is one of those on it
 * that has it. What a rule sends elsewhere goes on as the stack's own.
 */
const receiveL3s = (dev: Device, stacked: Stacked, skb: Skb): boolean => {
  const { parts } = dev.space.plane
  const { payload } = skb.frame
  if ((payload.tag !== 'ip4' && payload.tag !== 'ip6') || ownerOf(stacked, skb.frame) === null) return false
  const family = payload.tag === 'ip4' ? 'ip' : 'ip6'
  const at = { family, hook: 'prerouting', iif: dev, oif: null, next: null } as const
  const held: Held | null = parts.pass(dev.space, at, { packet: payload, meta: skb.meta })
  if (held === null) return true
  const to = stacked.ofIp.get(held.packet.dst)
  if (to === undefined) {
    parts.receiveIp(dev, { frame: { ...skb.frame, payload: held.packet }, meta: held.meta })
    return true
  }
  const passed = parts.arrive(dev.space, dev, held)
  if (passed === null) return true
  countReceived(to, skb, true)
  parts.deliver(to.space, to, passed)
  return true
}

/** True: the frame was for an ipvlan. */
export const receiveForIpvlan = (dev: Device, stacked: Stacked, skb: Skb, isOurs: boolean): boolean => {
  const port = portOf(stacked)
  if (port === null) return false
  if (port.mode === 'l3s') return isOurs && receiveL3s(dev, stacked, skb)
  if (port.mode === 'l2' && isGroup(skb.frame.dst)) {
    if (!isOwn(dev, stacked, skb)) multicast(stacked, skb, null)
    return false
  }
  const to = ownerOf(stacked, skb.frame)
  if (to === null) return false
  countReceived(to, skb, true)
  receiveAs(to, skb, isOurs)
  return true
}
