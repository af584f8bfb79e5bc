// What the modes of VLANs, macvlans and ipvlans are called, and their numbers. Source: include/uapi/linux/if_link.h, if_ether.h.

import type { IpvlanFlag, IpvlanMode, MacvlanMode, VlanProtocol } from '../../../kernel/rtnl/kind.ts'
import * as L from '../uapi/if-link.ts'

export const VLAN_PROTOCOLS: Readonly<Record<VlanProtocol, number>> = { '802.1Q': 0x8100, '802.1ad': 0x88a8 }
export const MACVLAN_MODES: Readonly<Record<MacvlanMode, number>> = {
  private: L.MACVLAN_MODE_PRIVATE,
  vepa: L.MACVLAN_MODE_VEPA,
  bridge: L.MACVLAN_MODE_BRIDGE,
  passthru: L.MACVLAN_MODE_PASSTHRU,
}
export const IPVLAN_MODES: Readonly<Record<IpvlanMode, number>> = {
  l2: L.IPVLAN_MODE_L2,
  l3: L.IPVLAN_MODE_L3,
  l3s: L.IPVLAN_MODE_L3S,
}
export const IPVLAN_FLAGS: Readonly<Record<IpvlanFlag, number>> = {
  bridge: 0,
  private: L.IPVLAN_F_PRIVATE,
  vepa: L.IPVLAN_F_VEPA,
}
