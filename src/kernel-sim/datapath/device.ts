// What every device does, whatever its kind: it sends (dev_queue_xmit) and it receives (__netif_receive_skb). Lengths, counts and
// hooks of the netdev family are here; what is particular to a kind is in kind/.
// A VLAN tag is kept beside the frame by devices that can do that (NETIF_F_HW_VLAN_CTAG_TX), and then not counted.
// Sources: net/core/dev.c; include/linux/etherdevice.h (eth_type_trans) for whom a frame is for.

import { isGroup } from '../../net/mac.ts'
import type { Frame } from '../wire/ethernet.ts'
import { lengthOf } from '../wire/wire.ts'
import type { Device } from './plane.ts'
import type { Skb } from './skb.ts'
import { drop, note } from './step.ts'

/** ETH_HLEN and VLAN_HLEN. */
export const ETHERNET = 14
const TAG = 4

// A frame passes several devices unchanged, each of which asks how long it is.
let lastFrame: Frame | null = null
let lastLength = 0

/** Bytes of a frame with all its tags, without checksum and fill. */
export const lengthOfFrame = (frame: Frame): number => {
  if (frame === lastFrame) return lastLength
  lastFrame = frame
  lastLength = lengthOf(frame)
  return lastLength
}

/** Bytes of a frame whose outermost tag is beside it (skb->len with vlan_tci set). */
export const lengthBesideTag = (frame: Frame): number => lengthOfFrame(frame) - (frame.tags.length === 0 ? 0 : TAG)

/** Counts what a device received: without the Ethernet header where it was taken away before (loopback, bridges). */
export const countReceived = ({ tally }: Device, { frame }: Skb, withHeader: boolean) => {
  tally.rxPackets += 1
  tally.rxBytes += lengthBesideTag(frame) - (withHeader ? 0 : ETHERNET)
}

export const countSent = ({ tally }: Device, bytes: number) => {
  tally.txPackets += 1
  tally.txBytes += bytes
}

export const countLost = ({ tally }: Device) => {
  tally.txDropped += 1
}

/** XMIT_RECURSION_LIMIT: devices that send by way of each other go no deeper. */
const MAX_DEPTH = 9

/** Gives a frame to a device to be sent. False: its driver lost it, as a device on it counts; what has no carrier is lost unnoticed. */
export const transmit = (dev: Device, sent: Skb): boolean => {
  const { space, link } = dev
  const { plane } = space
  const skb = space.entry.firewall === null ? sent : plane.parts.passFrame(space, egressOf(dev), sent)
  if (skb === null) return true
  const { frame } = skb
  if (!link.up || !link.lower) {
    countLost(dev)
    drop(space, dev, 'link', frame.payload, { tag: link.up ? 'no-carrier' : 'link-down', dev: dev.name }, frame)
    return true
  }
  if (plane.depth >= MAX_DEPTH) {
    countLost(dev)
    drop(space, dev, 'link', frame.payload, { tag: 'nested-too-deep', dev: dev.name }, frame)
    return false
  }
  if (plane.watch !== null) note(space, dev, 'link', frame.payload, { tag: 'transmitted' }, frame)
  plane.depth += 1
  const isSent = plane.parts.transmit[link.spec.type](dev, skb)
  plane.depth -= 1
  return isSent
}

/** Whether the frame is for the device's own host, by its MAC (eth_type_trans: not PACKET_OTHERHOST). */
export const isForUs = ({ link }: Device, { frame: { dst } }: Skb): boolean => dst === link.mac || isGroup(dst)

/** Hands what a device has to the protocols. */
export const handUp = (dev: Device, skb: Skb, isOurs: boolean) => {
  const { space } = dev
  const { parts } = space.plane
  const { payload, dst, tags } = skb.frame
  if (tags.length > 0) return handUpTagged(dev, skb, isOurs)
  if (payload.tag === 'raw') {
    dev.tally.rxDropped += 1
    return drop(space, dev, 'link', payload, { tag: 'no-protocol', protocol: payload.etherType }, skb.frame)
  }
  if (!isOurs) return drop(space, dev, 'link', payload, { tag: 'other-host', mac: dst }, skb.frame)
  if (payload.tag === 'arp') parts.receiveArp(dev, skb)
  else parts.receiveIp(dev, skb)
}

/** A tag of VLAN 0 says a priority only; what is behind it may be for a VLAN. Another tag is nobody's by now. */
const handUpTagged = (dev: Device, skb: Skb, isOurs: boolean) => {
  const { frame } = skb
  const [tag, ...inner] = frame.tags
  if (tag !== undefined && tag.vid !== 0)
    return drop(dev.space, dev, 'link', frame.payload, { tag: 'vlan-not-member', vid: tag.vid }, frame)
  const untagged: Skb = { ...skb, frame: { ...frame, tags: inner } }
  const isTaken = inner.length > 0 && dev.space.plane.parts.receiveAbove(dev, untagged, isOurs)
  if (!isTaken) handUp(dev, untagged, isOurs)
}

/** Takes a frame from the backlog. */
export const receive = (dev: Device, skb: Skb): void => receiveAs(dev, skb, isForUs(dev, skb))

/** Gives a frame that a device has received to the devices on it, to the bridge whose port it is, or to the protocols. */
export const receiveAs = (dev: Device, skb: Skb, isOurs: boolean) => {
  const { space, link } = dev
  const { parts, watch } = space.plane
  if (!link.up) return drop(space, dev, 'link', skb.frame.payload, { tag: 'link-down', dev: dev.name }, skb.frame)
  if (watch !== null) note(space, dev, 'link', skb.frame.payload, { tag: 'received' }, skb.frame)
  const passed = space.entry.firewall === null ? skb : parts.passFrame(space, ingressOf(dev), skb)
  if (passed === null) return
  if (link.above.length > 0 && parts.receiveAbove(dev, passed, isOurs)) return
  if (link.port !== null) return parts.receiveOnPort(dev, passed)
  handUp(dev, passed, isOurs)
}

const ingressOf = (dev: Device) => ({ family: 'netdev', hook: 'ingress', iif: dev, oif: null, next: null }) as const
const egressOf = (dev: Device) => ({ family: 'netdev', hook: 'egress', iif: null, oif: dev, next: null }) as const
