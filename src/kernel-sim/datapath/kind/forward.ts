// From one device to another of the same host, as from a wire (dev_forward_skb): a veth's two ends, and devices on others.
// Sources: net/core/dev.c (__dev_forward_skb), include/linux/netdevice.h (__is_skb_forwardable), net/core/skbuff.c (skb_scrub_packet).

import { ETHERNET, lengthBesideTag } from '../device.ts'
import { enqueue } from '../loop.ts'
import type { Device } from '../plane.ts'
import { type Meta, NO_META, type Skb } from '../skb.ts'
import { drop } from '../step.ts'

const VLAN_TAG = 4

/** Whether a device that is up may have a frame of this length: its MTU, the Ethernet header, and a tag, unless it may be segmented yet. */
export const fits = ({ link }: Device, { meta }: Skb, length: number): boolean =>
  length <= link.mtu + ETHERNET + VLAN_TAG || meta.gso !== undefined

const scrubbedMeta = ({ mark: given, gso }: Meta, crosses: boolean): Meta => {
  const mark = crosses ? 0 : given
  if (gso !== undefined) return { mark, flow: null, gso }
  return mark === 0 ? NO_META : { mark, flow: null }
}

/** What goes with a frame to another device: conntrack and IP forget it, and another namespace (`crosses`) does not see its mark. */
export const scrubbed = (skb: Skb, crosses: boolean): Skb =>
  skb.meta === NO_META && skb.dst === undefined
    ? skb
    : { frame: skb.frame, meta: skb.meta === NO_META ? NO_META : scrubbedMeta(skb.meta, crosses) }

/** Gives a frame to a device as received. False: it cannot have it, which that device counts. */
export const forwardTo = (dev: Device, skb: Skb, from: Device): boolean => {
  const { frame } = skb
  const length = lengthBesideTag(frame)
  if (dev.link.up && fits(dev, skb, length)) {
    enqueue(dev, scrubbed(skb, dev.space !== from.space))
    return true
  }
  dev.tally.rxDropped += 1
  const reason = dev.link.up
    ? ({ tag: 'too-big', mtu: dev.link.mtu, length: length - ETHERNET } as const)
    : ({ tag: 'link-down', dev: dev.name } as const)
  drop(dev.space, dev, 'link', frame.payload, reason, frame)
  return false
}
