// What a bridge and its ports can be told. A port's options are read in two places: as the slave data of a link, and as
// IFLA_PROTINFO of the AF_BRIDGE messages that change them.
// Source: include/uapi/linux/if_link.h (IFLA_BR_*, IFLA_BRPORT_*), net/bridge/br_netlink.c. Times are in 1/100 s.

import { be16, bool, fields, flag, macAddress, u8, u16, u32, type ValuesOf } from '../field.ts'
import * as L from '../uapi/if-link.ts'

const BRIDGE = {
  forwardDelay: u32(L.IFLA_BR_FORWARD_DELAY),
  helloTime: u32(L.IFLA_BR_HELLO_TIME),
  maxAge: u32(L.IFLA_BR_MAX_AGE),
  ageingTime: u32(L.IFLA_BR_AGEING_TIME),
  stpState: u32(L.IFLA_BR_STP_STATE),
  priority: u16(L.IFLA_BR_PRIORITY),
  vlanFiltering: bool(L.IFLA_BR_VLAN_FILTERING),
  /** An EtherType: 0x8100 or 0x88a8. */
  vlanProtocol: be16(L.IFLA_BR_VLAN_PROTOCOL),
  vlanDefaultPvid: u16(L.IFLA_BR_VLAN_DEFAULT_PVID),
  groupFwdMask: u16(L.IFLA_BR_GROUP_FWD_MASK),
  groupAddress: macAddress(L.IFLA_BR_GROUP_ADDR),
  mcastRouter: u8(L.IFLA_BR_MCAST_ROUTER),
  mcastSnooping: bool(L.IFLA_BR_MCAST_SNOOPING),
  mcastQuerier: bool(L.IFLA_BR_MCAST_QUERIER),
  mcastIgmpVersion: u8(L.IFLA_BR_MCAST_IGMP_VERSION),
  mcastMldVersion: u8(L.IFLA_BR_MCAST_MLD_VERSION),
  nfCallIptables: bool(L.IFLA_BR_NF_CALL_IPTABLES),
  nfCallIp6tables: bool(L.IFLA_BR_NF_CALL_IP6TABLES),
  nfCallArptables: bool(L.IFLA_BR_NF_CALL_ARPTABLES),
}
export type BridgeOptions = ValuesOf<typeof BRIDGE>
export const bridgeOptions = fields(BRIDGE)

const PORT = {
  /** BR_STATE_*. */
  state: u8(L.IFLA_BRPORT_STATE),
  priority: u16(L.IFLA_BRPORT_PRIORITY),
  cost: u32(L.IFLA_BRPORT_COST),
  hairpin: bool(L.IFLA_BRPORT_MODE),
  guard: bool(L.IFLA_BRPORT_GUARD),
  rootBlock: bool(L.IFLA_BRPORT_PROTECT),
  fastLeave: bool(L.IFLA_BRPORT_FAST_LEAVE),
  /** In a request: forgets what was learned behind the port. */
  flush: flag(L.IFLA_BRPORT_FLUSH),
  learning: bool(L.IFLA_BRPORT_LEARNING),
  flood: bool(L.IFLA_BRPORT_UNICAST_FLOOD),
  mcastFlood: bool(L.IFLA_BRPORT_MCAST_FLOOD),
  bcastFlood: bool(L.IFLA_BRPORT_BCAST_FLOOD),
  mcastToUnicast: bool(L.IFLA_BRPORT_MCAST_TO_UCAST),
  multicastRouter: u8(L.IFLA_BRPORT_MULTICAST_ROUTER),
  proxyArp: bool(L.IFLA_BRPORT_PROXYARP),
  vlanTunnel: bool(L.IFLA_BRPORT_VLAN_TUNNEL),
  groupFwdMask: u16(L.IFLA_BRPORT_GROUP_FWD_MASK),
  neighSuppress: bool(L.IFLA_BRPORT_NEIGH_SUPPRESS),
  isolated: bool(L.IFLA_BRPORT_ISOLATED),
  locked: bool(L.IFLA_BRPORT_LOCKED),
}
export type PortOptions = ValuesOf<typeof PORT>
export const portOptions = fields(PORT)
