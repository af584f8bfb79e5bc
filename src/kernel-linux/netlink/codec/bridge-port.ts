// A bridge's ports and VLANs: AF_BRIDGE messages. RTM_SETLINK adds VLANs and sets a port's options, RTM_DELLINK takes VLANs.
// Source: include/uapi/linux/if_bridge.h, net/bridge/br_netlink.c (br_setlink: IFLA_PROTINFO counts as nested only if it says so).

import { eachAttr, putAttr } from '../attr.ts'
import { nest, text, u32 } from '../field.ts'
import { type Format, type Read, U16 } from '../format.ts'
import { request } from '../message.ts'
import { body, struct } from '../struct.ts'
import * as L from '../uapi/if-link.ts'
import { AF_BRIDGE, NLM_F_DUMP } from '../uapi/netlink.ts'
import {
  RTEXT_FILTER_BRVLAN,
  RTEXT_FILTER_BRVLAN_COMPRESSED,
  RTM_DELLINK,
  RTM_GETLINK,
  RTM_SETLINK,
} from '../uapi/rtnetlink.ts'
import { type PortOptions, portOptions } from './bridge.ts'
import { IFINFOMSG } from './link-base.ts'

/** struct bridge_vlan_info. `flags`: BRIDGE_VLAN_INFO_*; two entries with RANGE_BEGIN and RANGE_END are a range. */
const BRIDGE_VLAN_INFO = struct(4, { flags: [0, U16], vid: [2, U16] })
export type BridgeVlan = Read<typeof BRIDGE_VLAN_INFO>
/** `flags`: BRIDGE_FLAGS_*. */
export type BridgeSpec = Readonly<{ flags: number; vlans: ReadonlyArray<BridgeVlan> }>

/** No table, for there is one attribute for each VLAN. */
const SPEC: Format<BridgeSpec> = {
  write: (out, { flags, vlans }) => {
    if (flags !== 0) putAttr(out, L.IFLA_BRIDGE_FLAGS, 0, U16.write, flags)
    for (const vlan of vlans) putAttr(out, L.IFLA_BRIDGE_VLAN_INFO, 0, BRIDGE_VLAN_INFO.write, vlan)
  },
  read: (view, from, to) => {
    let flags = 0
    const vlans: BridgeVlan[] = []
    const fine = eachAttr(view, from, to, (type, _, at, end) => {
      if (type === L.IFLA_BRIDGE_FLAGS) flags = U16.read(view, at, end) ?? flags
      const vlan = type === L.IFLA_BRIDGE_VLAN_INFO ? BRIDGE_VLAN_INFO.read(view, at, end) : undefined
      if (vlan !== undefined) vlans.push(vlan)
    })
    return fine ? { flags, vlans } : undefined
  },
}

const PORT = body(IFINFOMSG, {
  name: text(L.IFLA_IFNAME),
  master: u32(L.IFLA_MASTER),
  mtu: u32(L.IFLA_MTU),
  options: nest(L.IFLA_PROTINFO, portOptions),
  spec: nest(L.IFLA_AF_SPEC, SPEC),
  extMask: u32(L.IFLA_EXT_MASK),
})
export type BridgePortMessage = Read<typeof PORT>
export const { encode: encodeBridgePort, decode: decodeBridgePort } = PORT

/** Sets options of the port with this index. EINVAL or EOPNOTSUPP if it is no bridge's port. */
export const setPort = request(RTM_SETLINK, 0, (index: number, options: PortOptions) =>
  encodeBridgePort({ family: AF_BRIDGE, index, options }),
)

/** `self`: the index is the bridge's own, not a port's. */
export type VlansOf = Readonly<{ index: number; self: boolean; vlans: ReadonlyArray<BridgeVlan> }>

const vlansOf = ({ index, self, vlans }: VlansOf): Uint8Array =>
  encodeBridgePort({ family: AF_BRIDGE, index, spec: { flags: self ? L.BRIDGE_FLAGS_SELF : 0, vlans } })

export const addVlans = request(RTM_SETLINK, 0, vlansOf)
export const deleteVlans = request(RTM_DELLINK, 0, vlansOf)

/** All bridges and ports with their options and VLANs; `compressed` gives ranges. */
export const dumpBridgePorts = request(RTM_GETLINK, NLM_F_DUMP, (compressed = false) =>
  encodeBridgePort({
    family: AF_BRIDGE,
    extMask: compressed ? RTEXT_FILTER_BRVLAN_COMPRESSED : RTEXT_FILTER_BRVLAN,
  }),
)
