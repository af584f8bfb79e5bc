// What every device does, whatever its kind: it sends (dev_queue_xmit) and it receives (__netif_receive_skb). Counts and hooks of
// the netdev family are here; what is particular to a kind is in kind/.
// Sources: net/core/dev.c; drivers/net/loopback.c and include/linux/etherdevice.h (eth_type_trans) for whom a frame is for.

import { isGroup } from '../../net/mac.ts'
import type { Payload } from '../wire/ethernet.ts'
import { lengthOf, lengthOfPacket } from '../wire/wire.ts'
import type { Device } from './plane.ts'
import type { Skb } from './skb.ts'
import { drop, note } from './step.ts'

/** Bytes of a frame's payload. */
const lengthOfPayload = (payload: Payload): number => {
  switch (payload.tag) {
    case 'ip4':
    case 'ip6':
      return lengthOfPacket(payload)
    case 'arp':
      return 28
    case 'raw':
      return payload.bytes.length
  }
}

/** Counts what a device received: without the Ethernet header where it was taken away before (loopback, bridges). */
export const countReceived = ({ tally }: Device, { frame }: Skb, withHeader: boolean): void => {
  tally.rxPackets += 1
  tally.rxBytes += withHeader ? lengthOf(frame) : lengthOfPayload(frame.payload)
}

export const countLost = ({ tally }: Device): void => {
  tally.txDropped += 1
}

/** Whether a frame can leave by the device: it is up, and at the other end there is somebody. */
const hasCarrier = ({ link }: Device): boolean => link.lower

/** Gives a frame to a device to be sent. What a device cannot send is lost there. */
export const transmit = (dev: Device, skb: Skb) => {
  const { space, link, tally } = dev
  const { payload } = skb.frame
  if (!link.up) {
    countLost(dev)
    return drop(space, dev, 'link', payload, { tag: 'link-down', dev: dev.name }, skb.frame)
  }
  if (!hasCarrier(dev)) {
    countLost(dev)
    return drop(space, dev, 'link', payload, { tag: 'no-carrier', dev: dev.name }, skb.frame)
  }
  tally.txPackets += 1
  tally.txBytes += link.spec.type === 'loopback' ? lengthOfPayload(payload) : lengthOf(skb.frame)
  if (space.plane.watch !== null) note(space, dev, 'link', payload, { tag: 'transmitted' }, skb.frame)
  space.plane.parts.transmit[link.spec.type](dev, skb)
}

/** Whether the frame is for the device's own host, by its MAC (eth_type_trans: not PACKET_OTHERHOST). */
const isForUs = ({ link }: Device, { frame: { dst } }: Skb): boolean =>
  dst === link.mac || isGroup(dst) || link.spec.type === 'loopback'

/** Hands what a device has to the protocols. */
export const handUp = (dev: Device, skb: Skb) => {
  const { space } = dev
  const { parts } = space.plane
  const { payload, dst, tags } = skb.frame
  if (tags.length > 0)
    return drop(space, dev, 'link', payload, { tag: 'vlan-not-member', vid: tags[0]?.vid ?? 0 }, skb.frame)
  if (!isForUs(dev, skb)) return drop(space, dev, 'link', payload, { tag: 'other-host', mac: dst }, skb.frame)
  switch (payload.tag) {
    case 'arp':
      return parts.receiveArp(dev, skb)
    case 'ip4':
    case 'ip6':
      return parts.receiveIp(dev, skb)
    case 'raw':
      return
  }
}

/** Takes a frame from the backlog: to the bridge whose port the device is, to the devices on it, or to the protocols. */
export const receive = (dev: Device, skb: Skb) => {
  const { space, link } = dev
  const { parts } = space.plane
  if (!link.up) return drop(space, dev, 'link', skb.frame.payload, { tag: 'link-down', dev: dev.name }, skb.frame)
  if (space.plane.watch !== null) note(space, dev, 'link', skb.frame.payload, { tag: 'received' }, skb.frame)
  const passed = space.entry.firewall === null ? skb : parts.passFrame(space, ingressOf(dev), skb)
  if (passed === null) return
  if (link.above.length > 0 && parts.receiveAbove(dev, passed)) return
  if (link.port !== null) return parts.receiveOnPort(dev, passed)
  handUp(dev, passed)
}

const ingressOf = (dev: Device) => ({ family: 'netdev', hook: 'ingress', iif: dev, oif: null, next: null }) as const
