// A bridge's ports and VLANs: AF_BRIDGE messages. RTM_SETLINK adds VLANs and sets a port's options, RTM_DELLINK takes VLANs.
// Source: include/uapi/linux/if_bridge.h, net/bridge/br_netlink.c (br_setlink: IFLA_PROTINFO counts as nested only if it says so).

import { eachAttr, putAttr } from '../attr.ts'
import { LITTLE_ENDIAN, type Out, take, viewOf, written } from '../bytes.ts'
import { type Field, fields, nest, text, u16, u32, type ValuesOf } from '../field.ts'
import type { Request } from '../message.ts'
import * as L from '../uapi/if-link.ts'
import { AF_BRIDGE, NLA_F_NESTED, NLM_F_DUMP } from '../uapi/netlink.ts'
import {
  RTEXT_FILTER_BRVLAN,
  RTEXT_FILTER_BRVLAN_COMPRESSED,
  RTM_DELLINK,
  RTM_GETLINK,
  RTM_SETLINK,
} from '../uapi/rtnetlink.ts'
import { type PortOptions, portOptions } from './bridge.ts'
import { LINK_HEADER_SIZE, type LinkHeader, linkHeaderIn, putLinkHeader } from './link-base.ts'

/** struct bridge_vlan_info. `flags`: BRIDGE_VLAN_INFO_*; two entries with RANGE_BEGIN and RANGE_END are a range. */
export type BridgeVlan = Readonly<{ vid: number; flags: number }>
/** `flags`: BRIDGE_FLAGS_*. */
export type BridgeSpec = Readonly<{ flags: number; vlans: ReadonlyArray<BridgeVlan> }>

const VLAN_SIZE = 4

const bridgeFlags = u16(L.IFLA_BRIDGE_FLAGS)

const putVlan = (out: Out, { vid, flags }: BridgeVlan): void => {
  const at = take(out, VLAN_SIZE)
  out.view.setUint16(at, flags, LITTLE_ENDIAN)
  out.view.setUint16(at + 2, vid, LITTLE_ENDIAN)
}

const spec: Field<BridgeSpec> = {
  type: L.IFLA_AF_SPEC,
  flags: NLA_F_NESTED,
  write: (out, { flags, vlans }) => {
    if (flags !== 0) putAttr(out, L.IFLA_BRIDGE_FLAGS, 0, bridgeFlags.write, flags)
    for (const vlan of vlans) putAttr(out, L.IFLA_BRIDGE_VLAN_INFO, 0, putVlan, vlan)
  },
  read: (view, from, to) => {
    let flags = 0
    const vlans: BridgeVlan[] = []
    const fine = eachAttr(view, from, to, (type, _, at, end) => {
      if (type === L.IFLA_BRIDGE_FLAGS) flags = bridgeFlags.read(view, at, end) ?? flags
      if (type === L.IFLA_BRIDGE_VLAN_INFO && end - at === VLAN_SIZE)
        vlans.push({ flags: view.getUint16(at, LITTLE_ENDIAN), vid: view.getUint16(at + 2, LITTLE_ENDIAN) })
    })
    return fine ? { flags, vlans } : undefined
  },
}

const PORT = {
  name: text(L.IFLA_IFNAME),
  master: u32(L.IFLA_MASTER),
  mtu: u32(L.IFLA_MTU),
  options: nest(L.IFLA_PROTINFO, portOptions),
  spec,
  extMask: u32(L.IFLA_EXT_MASK),
}
const port = fields(PORT)

export type BridgePortMessage = LinkHeader & ValuesOf<typeof PORT>

export const encodeBridgePort = (message: BridgePortMessage): Uint8Array =>
  written((out) => {
    putLinkHeader(out, message)
    port.write(out, message)
  })

/** Null: not well-formed. */
export const decodeBridgePort = (body: Uint8Array): BridgePortMessage | null => {
  if (body.length < LINK_HEADER_SIZE) return null
  const view = viewOf(body)
  const attrs = port.decode(view, LINK_HEADER_SIZE, body.length)
  return attrs === null ? null : Object.assign(attrs, linkHeaderIn(view, 0))
}

const header = (index: number): LinkHeader => ({ family: AF_BRIDGE, type: 0, index, flags: 0, change: 0 })

/** Sets options of the port with this index. EINVAL or EOPNOTSUPP if it is no bridge's port. */
export const setPort = (index: number, options: PortOptions): Request => ({
  type: RTM_SETLINK,
  flags: 0,
  body: encodeBridgePort({ ...header(index), options }),
})

/** `self`: the index is the bridge's own, not a port's. */
export type VlansOf = Readonly<{ index: number; self: boolean; vlans: ReadonlyArray<BridgeVlan> }>

const vlanBody = ({ index, self, vlans }: VlansOf): Uint8Array =>
  encodeBridgePort({ ...header(index), spec: { flags: self ? L.BRIDGE_FLAGS_SELF : 0, vlans } })

export const addVlans = (of: VlansOf): Request => ({ type: RTM_SETLINK, flags: 0, body: vlanBody(of) })
export const deleteVlans = (of: VlansOf): Request => ({ type: RTM_DELLINK, flags: 0, body: vlanBody(of) })

/** All bridges and ports with their options and VLANs; `compressed` gives ranges. */
export const dumpBridgePorts = (compressed = false): Request => ({
  type: RTM_GETLINK,
  flags: NLM_F_DUMP,
  body: encodeBridgePort({ ...header(0), extMask: compressed ? RTEXT_FILTER_BRVLAN_COMPRESSED : RTEXT_FILTER_BRVLAN }),
})
