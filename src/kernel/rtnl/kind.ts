// What a link can be, and what each kind can be told. A device is named where it is; a number (a VNI, a VLAN's id) is the
// protocol's own. What is absent has the kernel's default, or stays as it is where a link is changed.
// Source: ip-link(8), include/uapi/linux/if_link.h.

import type { Ip } from '../../net/ip.ts'
import type { Mac } from '../../net/mac.ts'
import type { IfName, Ns } from '../../net/name.ts'

/** Of a veth to be made: its other end. Absent parts are drawn or chosen by the kernel. */
export type NewPeer = Readonly<{ name?: IfName; ns?: Ns; mac?: Mac; mtu?: number }>

/** `ageingTime` in 1/100 s, as the kernel counts it. `stp` true needs nobody: the kernel speaks it itself. */
export type BridgeOptions = Readonly<{
  ageingTime?: number
  stp?: boolean
  priority?: number
  vlanFiltering?: boolean
  vlanProtocol?: VlanProtocol
  vlanDefaultPvid?: number
  mcastSnooping?: boolean
}>

export type VlanProtocol = '802.1Q' | '802.1ad'
/** The device below is that of the request. */
export type VlanOptions = Readonly<{ id: number; protocol?: VlanProtocol }>

/**
 * `remote`: where frames go for which there is no entry; a group address needs `dev`, the device below. `port` is 8472 if absent.
 * `ageing` in s.
 */
export type VxlanOptions = Readonly<{
  vni: number
  remote?: Ip
  local?: Ip
  dev?: IfName
  port?: number
  ttl?: number
  learning?: boolean
  ageing?: number
  proxy?: boolean
  rsc?: boolean
  l2miss?: boolean
  l3miss?: boolean
  udpCsum?: boolean
  udpZeroCsum6Tx?: boolean
  udpZeroCsum6Rx?: boolean
}>

export const MACVLAN_MODES = ['private', 'vepa', 'bridge', 'passthru'] as const
export type MacvlanMode = (typeof MACVLAN_MODES)[number]
export const IPVLAN_MODES = ['l2', 'l3', 'l3s'] as const
export type IpvlanMode = (typeof IPVLAN_MODES)[number]
export const IPVLAN_FLAGS = ['bridge', 'private', 'vepa'] as const
export type IpvlanFlag = (typeof IPVLAN_FLAGS)[number]

/** What a link is to be. */
export type NewKind = Readonly<
  | { kind: 'dummy' }
  | { kind: 'veth'; peer: NewPeer }
  | ({ kind: 'bridge' } & BridgeOptions)
  | ({ kind: 'vlan' } & VlanOptions)
  | ({ kind: 'vxlan' } & VxlanOptions)
  | { kind: 'macvlan'; mode?: MacvlanMode }
  | { kind: 'ipvlan'; mode?: IpvlanMode; flag?: IpvlanFlag }
>

/** What can be changed of a kind without making the link anew. */
export type KindChange = Readonly<
  | ({ kind: 'bridge' } & BridgeOptions)
  | ({ kind: 'vxlan' } & Partial<Omit<VxlanOptions, 'vni' | 'port'>>)
  | { kind: 'macvlan'; mode: MacvlanMode }
  | { kind: 'ipvlan'; mode?: IpvlanMode; flag?: IpvlanFlag }
>

/** A bridge's port (bridge(8)). `state`: 0 disabled to 4 blocking, as BR_STATE_*. */
export type PortOptions = Readonly<{
  state?: number
  priority?: number
  cost?: number
  hairpin?: boolean
  guard?: boolean
  rootBlock?: boolean
  fastLeave?: boolean
  learning?: boolean
  flood?: boolean
  mcastFlood?: boolean
  bcastFlood?: boolean
  neighSuppress?: boolean
  isolated?: boolean
  locked?: boolean
}>
