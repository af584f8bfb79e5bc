// VLANs of a bridge that filters: which one a frame is of, who may have it, and with or without its tag.
// Invariant: within the bridge every frame has a tag of the bridge's protocol outermost, that of its VLAN.
// Source: net/bridge/br_vlan.c (__allowed_ingress, br_allowed_egress, br_handle_vlan, br_should_learn); held to
// Debian's 6.1 by the stories of test/vm.

import type { VlanProtocol } from '../../../kernel/rtnl/kind.ts'
import type { VlanTable } from '../../link-entry.ts'
import type { Frame, VlanTag } from '../../wire/ethernet.ts'
import type { Skb } from '../skb.ts'

const withTags = (skb: Skb, tags: ReadonlyArray<VlanTag>): Skb => ({ ...skb, frame: { ...skb.frame, tags } })

/** The VLAN that a frame's own tag names; 0: none, or that of a priority only. */
export const vidOf = ({ tags }: Frame, protocol: VlanProtocol): number => {
  const tag = tags[0]
  return tag === undefined || tag.protocol !== protocol ? 0 : tag.vid
}

/** A frame as it is within the bridge, or null: it is of no VLAN of this port. Tags of another protocol are part of what it carries. */
export const admitted = (skb: Skb, { pvid, untagged }: VlanTable, protocol: VlanProtocol): Skb | null => {
  const { tags } = skb.frame
  const vid = vidOf(skb.frame, protocol)
  if (vid !== 0) return untagged.has(vid) ? skb : null
  if (pvid === 0) return null
  const [tag, ...inner] = tags
  if (tag === undefined || tag.protocol !== protocol)
    return withTags(skb, [{ protocol, vid: pvid, priority: 0, dei: false }, ...tags])
  return withTags(skb, [{ ...tag, vid: pvid }, ...inner])
}

export const isMember = ({ untagged }: VlanTable, vid: number): boolean => untagged.has(vid)

/** As it leaves by a port that is in its VLAN. */
export const leaving = (skb: Skb, { untagged }: VlanTable, vid: number): Skb =>
  untagged.get(vid) === true ? withTags(skb, skb.frame.tags.slice(1)) : skb

/** The VLAN in which the sender of a frame that is not forwarded is learned; null: in none. */
export const learnedIn = (frame: Frame, { pvid, untagged }: VlanTable, protocol: VlanProtocol): number | null => {
  const vid = vidOf(frame, protocol)
  if (vid === 0) return pvid === 0 ? null : pvid
  return untagged.has(vid) ? vid : null
}
