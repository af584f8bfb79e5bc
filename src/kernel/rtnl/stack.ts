// What a namespace's network stack holds, as the kernel tells it: everything, be it ours or its own doing. Two kernels agree
// when they tell the same. Devices go by name; a veth's other end by namespace and name, null where that is out of sight.
// Order is the kernel's where that means something (addresses of a device, rules), and by key elsewhere.
// Source: what RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE, RTM_GETRULE, RTM_GETNEIGH answer; bridge(8).

import type { Cidr } from '../../net/cidr.ts'
import type { Family, Ip, Ip4 } from '../../net/ip.ts'
import type { Mac } from '../../net/mac.ts'
import type { IfName, Ns } from '../../net/name.ts'
import type {
  BridgeOptions,
  IpvlanFlag,
  IpvlanMode,
  MacvlanMode,
  PortOptions,
  VlanProtocol,
  VxlanOptions,
} from './kind.ts'
import type { RouteType, RuleAction } from './request.ts'

/** What a link is. `other`: a kind that cannot be asked for here, by its name. */
export type KindFacts = Readonly<
  | { kind: 'loopback' }
  | { kind: 'dummy' }
  | { kind: 'veth'; peer: Readonly<{ ns: Ns; name: IfName }> | null }
  | ({ kind: 'bridge' } & Required<BridgeOptions>)
  | { kind: 'vlan'; id: number; protocol: VlanProtocol }
  | ({ kind: 'vxlan' } & Omit<VxlanOptions, 'dev'> & Readonly<{ port: number }>)
  | { kind: 'macvlan'; mode: MacvlanMode }
  | { kind: 'ipvlan'; mode: IpvlanMode; flag: IpvlanFlag }
  | { kind: 'tap' }
  | { kind: 'other'; name: string }
>

/** RFC 2863, as IFLA_OPERSTATE has it. */
export type OperState = 'unknown' | 'notpresent' | 'down' | 'lowerlayerdown' | 'testing' | 'dormant' | 'up'

/**
 * `carrier`: IFF_LOWER_UP. `below`: the device it is on, by name here; null if it has none, or that is elsewhere: then `far` is where
 * (not of a VXLAN, which tells nobody).
 */
export type LinkFacts = Readonly<{
  index: number
  name: IfName
  kind: KindFacts
  below: IfName | null
  far: Readonly<{ ns: Ns; name: IfName }> | null
  mac: Mac
  mtu: number
  up: boolean
  carrier: boolean
  operstate: OperState
  promiscuity: number
  /** Its root queueing discipline: `noop` until it is first up here. */
  qdisc: string
  master: IfName | null
  alias: string | null
  group: number
  txqlen: number
  addrGenMode: number
  port: Required<PortOptions> | null
}>

/** `peer`: null unless the link is point to point. `flags`: those of IFA_F_* that are set, by their names in ip-address(8). */
export type AddressFacts = Readonly<{
  dev: IfName
  cidr: Cidr
  peer: Ip | null
  broadcast: Ip4 | null
  scope: number
  label: string | null
  metric: number | null
  flags: ReadonlyArray<string>
}>

export type HopFacts = Readonly<{ via: Ip | null; dev: IfName | null; weight: number; flags: ReadonlyArray<string> }>

/** All tables. One hop, or several; none where the type needs none. `flags` by their names in ip-route(8). */
export type RouteFacts = Readonly<{
  to: Cidr
  type: RouteType | 'anycast' | 'multicast'
  hops: ReadonlyArray<HopFacts>
  metric: number
  table: number
  proto: number
  scope: number
  tos: number
  src: Ip | null
  mtu: number | null
  pref: number | null
}>

export type RuleFacts = Readonly<{
  family: Family
  priority: number
  not: boolean
  from: Cidr | null
  to: Cidr | null
  iif: IfName | null
  oif: IfName | null
  mark: Readonly<{ value: number; mask: number }> | null
  suppressPrefixLength: number | null
  action: RuleAction
  proto: number
}>

/** `state` by its name in ip-neighbour(8), in capitals. */
export type NeighbourFacts = Readonly<{
  dev: IfName
  ip: Ip
  mac: Mac | null
  state: string
  proxy: boolean
  router: boolean
}>

/** `flags` and `state` by their names in bridge(8). */
export type FdbFacts = Readonly<{
  dev: IfName
  mac: Mac
  master: IfName | null
  vlan: number | null
  state: string
  flags: ReadonlyArray<string>
  dst: Ip | null
  vni: number | null
  port: number | null
  via: IfName | null
}>

export type VlanFacts = Readonly<{ dev: IfName; id: number; pvid: boolean; untagged: boolean }>

export type Stack = Readonly<{
  links: ReadonlyArray<LinkFacts>
  addresses: ReadonlyArray<AddressFacts>
  routes: ReadonlyArray<RouteFacts>
  rules: ReadonlyArray<RuleFacts>
  neighbours: ReadonlyArray<NeighbourFacts>
  fdb: ReadonlyArray<FdbFacts>
  vlans: ReadonlyArray<VlanFacts>
}>
