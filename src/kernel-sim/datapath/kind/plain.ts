// Devices that do little: loopback gives back what it is given, a veth gives it to its other end, a tap to a program, a dummy to nobody.
// Sources: drivers/net/loopback.c (loopback_xmit), drivers/net/veth.c (veth_xmit), drivers/net/tun.c (tun_net_xmit), drivers/net/dummy.c (dummy_xmit).

import { countLost, countReceived, countSent, ETHERNET, lengthBesideTag, lengthOfFrame } from '../device.ts'
import { enqueue } from '../loop.ts'
import { type Device, peerOf } from '../plane.ts'
import type { Skb } from '../skb.ts'
import { drop } from '../step.ts'
import { forwardTo } from './forward.ts'

/** What goes with the packet stays with it: it was never away. Counted without the Ethernet header. */
export const transmitLoopback = (dev: Device, skb: Skb): boolean => {
  countSent(dev, lengthOfFrame(skb.frame) - ETHERNET)
  countReceived(dev, skb, false)
  enqueue(dev, skb)
  return true
}

export const transmitVeth = (dev: Device, skb: Skb): boolean => {
  const { frame } = skb
  const peer = peerOf(dev)
  if (peer === null) {
    countLost(dev)
    drop(dev.space, dev, 'link', frame.payload, { tag: 'no-carrier', dev: dev.name }, frame)
    return false
  }
  if (!forwardTo(peer, skb, dev)) {
    countLost(dev)
    return false
  }
  countSent(dev, lengthBesideTag(frame))
  countReceived(peer, skb, true)
  return true
}

/** What its program reads is what a capture shows of it; without a program there is no carrier. */
export const transmitTap = (dev: Device, { frame }: Skb): boolean => {
  countSent(dev, lengthOfFrame(frame))
  return true
}

/** What its program writes. */
export const arriveBy = (tap: Device, skb: Skb) => {
  countReceived(tap, skb, true)
  enqueue(tap, skb)
}

export const transmitDummy = (dev: Device, { frame }: Skb): boolean => {
  countSent(dev, lengthOfFrame(frame))
  return true
}
