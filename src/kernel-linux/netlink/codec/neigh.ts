// Neighbours, and the forwarding entries of bridges and VXLANs, which are neighbours of the family AF_BRIDGE: RTM_NEWNEIGH,
// RTM_DELNEIGH, RTM_GETNEIGH. Source: include/uapi/linux/neighbour.h, net/core/{neighbour,rtnetlink}.c (rtnl_fdb_add),
// net/bridge/br_fdb.c, drivers/net/vxlan/vxlan_core.c.

import { type Ip, isIp4 } from '../../../net/ip.ts'
import type { Mac } from '../../../net/mac.ts'
import { LITTLE_ENDIAN, take, viewOf, written } from '../bytes.ts'
import { be16, fields, ipAddress, macAddress, s32, u8, u16, u32, type ValuesOf } from '../field.ts'
import type { Request } from '../message.ts'
import {
  AF_BRIDGE,
  AF_INET,
  AF_INET6,
  AF_UNSPEC,
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  NLM_F_REPLACE,
} from '../uapi/netlink.ts'
import * as R from '../uapi/route.ts'
import { RTM_DELNEIGH, RTM_GETNEIGH, RTM_NEWNEIGH } from '../uapi/rtnetlink.ts'

const NEIGH = {
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
}
const neigh = fields(NEIGH)

/** struct ndmsg. `state`: NUD_*, `flags`: NTF_*, `type`: RTN_*. */
export type NeighHeader = Readonly<{ family: number; index: number; state: number; flags: number; type: number }>
export type NeighMessage = NeighHeader & ValuesOf<typeof NEIGH>

const HEADER_SIZE = 12

export const encodeNeigh = (message: NeighMessage): Uint8Array =>
  written((out) => {
    const { view } = out
    const at = take(out, HEADER_SIZE)
    view.setUint8(at, message.family)
    view.setInt32(at + 4, message.index, LITTLE_ENDIAN)
    view.setUint16(at + 8, message.state, LITTLE_ENDIAN)
    view.setUint8(at + 10, message.flags)
    view.setUint8(at + 11, message.type)
    neigh.write(out, message)
  })

/** Null: not well-formed. */
export const decodeNeigh = (body: Uint8Array): NeighMessage | null => {
  if (body.length < HEADER_SIZE) return null
  const view = viewOf(body)
  const attrs = neigh.decode(view, HEADER_SIZE, body.length)
  if (attrs === null) return null
  const header: NeighHeader = {
    family: view.getUint8(0),
    index: view.getInt32(4, LITTLE_ENDIAN),
    state: view.getUint16(8, LITTLE_ENDIAN),
    flags: view.getUint8(10),
    type: view.getUint8(11),
  }
  return Object.assign(attrs, header)
}

/** Who has an address, on the link with this index. `state` NUD_PERMANENT if not given; `proxy`: we answer for it. */
export type NeighbourWish = Readonly<{ index: number; ip: Ip; mac?: Mac; state?: number; proxy?: boolean }>

const neighbour = ({ index, ip, mac, state = R.NUD_PERMANENT, proxy = false }: NeighbourWish): Uint8Array =>
  encodeNeigh({
    family: isIp4(ip) ? AF_INET : AF_INET6,
    index,
    state: proxy ? R.NUD_NONE : state,
    flags: proxy ? R.NTF_PROXY : 0,
    type: 0,
    dst: ip,
    ...(mac === undefined ? {} : { mac }),
  })

/** EEXIST if the link has an entry for this address. */
export const addNeighbour = (wish: NeighbourWish): Request => ({
  type: RTM_NEWNEIGH,
  flags: NLM_F_CREATE | NLM_F_EXCL,
  body: neighbour(wish),
})
export const replaceNeighbour = (wish: NeighbourWish): Request => ({
  type: RTM_NEWNEIGH,
  flags: NLM_F_CREATE | NLM_F_REPLACE,
  body: neighbour(wish),
})
/** ENOENT if there is none. */
export const deleteNeighbour = (wish: NeighbourWish): Request => ({
  type: RTM_DELNEIGH,
  flags: 0,
  body: neighbour(wish),
})

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

const forwarding = ({ of, state = R.NUD_PERMANENT, index, ...attrs }: FdbWish): Uint8Array =>
  encodeNeigh({
    ...attrs,
    family: AF_BRIDGE,
    index,
    state,
    flags: of === 'master' ? R.NTF_MASTER : R.NTF_SELF,
    type: 0,
  })

/** EEXIST if the MAC has an entry. */
export const addFdb = (wish: FdbWish): Request => ({
  type: RTM_NEWNEIGH,
  flags: NLM_F_CREATE | NLM_F_EXCL,
  body: forwarding(wish),
})
/** One more destination of a VXLAN's all-zero or multicast MAC. EEXIST if it has this one. */
export const appendFdb = (wish: FdbWish): Request => ({
  type: RTM_NEWNEIGH,
  flags: NLM_F_CREATE | NLM_F_APPEND,
  body: forwarding(wish),
})
export const replaceFdb = (wish: FdbWish): Request => ({
  type: RTM_NEWNEIGH,
  flags: NLM_F_CREATE | NLM_F_REPLACE,
  body: forwarding(wish),
})
/** ENOENT if there is none. */
export const deleteFdb = (wish: FdbWish): Request => ({ type: RTM_DELNEIGH, flags: 0, body: forwarding(wish) })

/** All neighbours of both families; of one link if asked. */
export const dumpNeighbours = (of: Readonly<{ index?: number }> = {}): Request => ({
  type: RTM_GETNEIGH,
  flags: NLM_F_DUMP,
  body: encodeNeigh({
    family: AF_UNSPEC,
    index: 0,
    state: 0,
    flags: 0,
    type: 0,
    ...(of.index === undefined ? {} : { via: of.index }),
  }),
})

/** All forwarding entries; those of one device, or of one bridge's ports, if asked. */
export const dumpFdb = (of: Readonly<{ index?: number; bridge?: number }> = {}): Request => ({
  type: RTM_GETNEIGH,
  flags: NLM_F_DUMP,
  body: encodeNeigh({
    family: AF_BRIDGE,
    index: of.index ?? 0,
    state: 0,
    flags: 0,
    type: 0,
    ...(of.bridge === undefined ? {} : { master: of.bridge }),
  }),
})
