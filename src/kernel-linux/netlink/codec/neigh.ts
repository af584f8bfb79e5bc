// Neighbours, and the forwarding entries of bridges and VXLANs, which are neighbours of the family AF_BRIDGE: RTM_NEWNEIGH,
// RTM_DELNEIGH, RTM_GETNEIGH. Source: include/uapi/linux/neighbour.h, net/core/{neighbour,rtnetlink}.c (rtnl_fdb_add),
// net/bridge/br_fdb.c, drivers/net/vxlan/vxlan_core.c.

import type { Ip } from '../../../net/ip.ts'
import type { Mac } from '../../../net/mac.ts'
import { be16, ipAddress, macAddress, s32, u8, u16, u32 } from '../field.ts'
import { familyOf, type Read, S32, U8, U16 } from '../format.ts'
import { ADD, APPEND, REPLACE, request } from '../message.ts'
import { body, struct } from '../struct.ts'
import { AF_BRIDGE, NLM_F_DUMP } from '../uapi/netlink.ts'
import * as R from '../uapi/route.ts'
import { RTM_DELNEIGH, RTM_GETNEIGH, RTM_NEWNEIGH } from '../uapi/rtnetlink.ts'

/** struct ndmsg. `state`: NUD_*, `flags`: NTF_*, `type`: RTN_*. */
export const NDMSG = struct(12, {
  family: [0, U8],
  index: [4, S32],
  state: [8, U16],
  flags: [10, U8],
  type: [11, U8],
})

const NEIGH = body(NDMSG, {
  dst: ipAddress(R.NDA_DST),
  mac: macAddress(R.NDA_LLADDR),
  vlan: u16(R.NDA_VLAN),
  port: be16(R.NDA_PORT),
  vni: u32(R.NDA_VNI),
  srcVni: u32(R.NDA_SRC_VNI),
  /** The device that a VXLAN sends through for this entry. */
  via: u32(R.NDA_IFINDEX),
  master: u32(R.NDA_MASTER),
  linkNetnsid: s32(R.NDA_LINK_NETNSID),
  protocol: u8(R.NDA_PROTOCOL),
  nextHopId: u32(R.NDA_NH_ID),
  extFlags: u32(R.NDA_FLAGS_EXT),
})
export type NeighMessage = Read<typeof NEIGH>
export const { encode: encodeNeigh, decode: decodeNeigh } = NEIGH

/** Who has an address, on the link with this index. `state` NUD_PERMANENT if not given; `proxy`: we answer for it. */
export type NeighbourWish = Readonly<{ index: number; ip: Ip; mac?: Mac; state?: number; proxy?: boolean }>

const neighbour = ({ index, ip, mac, state = R.NUD_PERMANENT, proxy = false }: NeighbourWish): Uint8Array =>
  encodeNeigh({
    family: familyOf(ip),
    index,
    state: proxy ? R.NUD_NONE : state,
    flags: proxy ? R.NTF_PROXY : 0,
    dst: ip,
    mac,
  })

/** EEXIST if the link has an entry for this address. */
export const addNeighbour = request(RTM_NEWNEIGH, ADD, neighbour)
export const replaceNeighbour = request(RTM_NEWNEIGH, REPLACE, neighbour)
/** ENOENT if there is none. */
export const deleteNeighbour = request(RTM_DELNEIGH, 0, neighbour)

/**
 * Where frames for a MAC go. `index`: a bridge's port (`of` master), or the device that keeps the entry itself (`of` self): a
 * VXLAN, to `dst`, or a bridge. `state` NUD_PERMANENT (bridge(8): local, permanent) if not given; NUD_NOARP is its `static`.
 */
export type FdbWish = Readonly<{
  index: number
  mac: Mac
  of: 'master' | 'self'
  state?: number
  dst?: Ip
  vni?: number
  port?: number
  via?: number
  vlan?: number
}>

const forwarding = ({ of, state = R.NUD_PERMANENT, ...rest }: FdbWish): Uint8Array =>
  encodeNeigh({ ...rest, state, family: AF_BRIDGE, flags: of === 'master' ? R.NTF_MASTER : R.NTF_SELF })

/** EEXIST if the MAC has an entry. */
export const addFdb = request(RTM_NEWNEIGH, ADD, forwarding)
/** One more destination of a VXLAN's all-zero or multicast MAC. EEXIST if it has this one. */
export const appendFdb = request(RTM_NEWNEIGH, APPEND, forwarding)
export const replaceFdb = request(RTM_NEWNEIGH, REPLACE, forwarding)
/** ENOENT if there is none. */
export const deleteFdb = request(RTM_DELNEIGH, 0, forwarding)

/** All neighbours of both families; of one link if asked. */
export const dumpNeighbours = request(RTM_GETNEIGH, NLM_F_DUMP, (of: Readonly<{ index?: number }> = {}) =>
  encodeNeigh({ via: of.index }),
)

/** Addresses that we answer for, of both families. */
export const dumpProxies = request(RTM_GETNEIGH, NLM_F_DUMP, () => encodeNeigh({ flags: R.NTF_PROXY }))

/** All forwarding entries; those of one device, or of one bridge's ports, if asked. */
export const dumpFdb = request(RTM_GETNEIGH, NLM_F_DUMP, (of: Readonly<{ index?: number; bridge?: number }> = {}) =>
  encodeNeigh({ family: AF_BRIDGE, index: of.index, master: of.bridge }),
)
