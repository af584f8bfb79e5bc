// A VLAN's device: its frames are tagged when they leave by the device below, and untagged when they come from there.
// Sources: net/8021q/vlan_dev.c (vlan_dev_hard_start_xmit), net/8021q/vlan_core.c (vlan_do_receive); held to
// Debian's 6.1 by the stories of test/vm.

import { countLost, countReceived, countSent, lengthOfFrame, receiveAs, transmit } from '../device.ts'
import { belowOf, type Device } from '../plane.ts'
import type { Skb } from '../skb.ts'
import { drop, note } from '../step.ts'
import { vlanOn } from './stacked.ts'

/** Counted without its own tag. */
export const transmitVlan = (dev: Device, skb: Skb): boolean => {
  const { spec } = dev.link
  const { frame } = skb
  const below = belowOf(dev)
  if (spec.type !== 'vlan' || below === null) {
    countLost(dev)
    return false
  }
  const tag = { protocol: spec.protocol, vid: spec.id, priority: 0, dei: false }
  if (dev.space.plane.watch !== null)
    note(dev.space, dev, 'link', frame.payload, { tag: 'tagged', vid: spec.id }, frame)
  const isSent = transmit(below, { ...skb, frame: { ...frame, tags: [tag, ...frame.tags] } })
  if (isSent) countSent(dev, lengthOfFrame(frame))
  else countLost(dev)
  return isSent
}

/** A tagged frame, at the device of its VLAN, if there is one on this device. */
export const receiveForVlan = (dev: Device, skb: Skb, isOurs: boolean): boolean => {
  const { frame } = skb
  const [tag, ...inner] = frame.tags
  const vlan = tag === undefined ? null : vlanOn(dev, tag.protocol, tag.vid)
  if (tag === undefined || vlan === null) return false
  if (!vlan.link.up) {
    drop(vlan.space, vlan, 'link', frame.payload, { tag: 'link-down', dev: vlan.name }, frame)
    return true
  }
  countReceived(vlan, skb, false)
  if (vlan.space.plane.watch !== null)
    note(vlan.space, vlan, 'link', frame.payload, { tag: 'untagged', vid: tag.vid }, frame)
  receiveAs(vlan, { ...skb, frame: { ...frame, tags: inner } }, isOurs || frame.dst === vlan.link.mac)
  return true
}
