// What the network stack of a namespace can be asked to do: one request is one command of ip(8) or bridge(8), or one write of
// sysctl(8), and the kernel answers it with nothing or with an errno. Devices go by name, as people write them; whoever
// speaks to the kernel finds their numbers first, as ip(8) does, and says ENODEV itself where there is none.
// A `KernelOp` stands for one or more requests (kernel/print.ts). To add one: its type here, a line for each kernel, its words.
// Source: ip-link(8), ip-address(8), ip-route(8), ip-rule(8), ip-neighbour(8), ip-netns(8), bridge(8).

import type { Cidr } from '../../net/cidr.ts'
import type { Family, Ip, Ip4 } from '../../net/ip.ts'
import type { Mac } from '../../net/mac.ts'
import type { IfName, Ns } from '../../net/name.ts'
import type { SysctlName } from '../sysctl.ts'
import type { KindChange, NewKind, PortOptions } from './kind.ts'

/** What any link can be told. `alias` of '' is none; `up` false takes it down. */
export type LinkSettings = Readonly<{
  up?: boolean
  mac?: Mac
  mtu?: number
  alias?: string
  group?: number
  txqlen?: number
  /** In /proc/sys/net/ipv6/conf: `eui64`, `none`, `stable_secret`, `random`. */
  addrGenMode?: 'eui64' | 'none'
}>

/** `dev`: the device below (vlan, macvlan, ipvlan). `to`: where it is to be made, if not here; `dev` and `master` are found here. */
export type NewLink = Readonly<{
  on: 'link'
  do: 'add'
  name: IfName
  index?: number
  dev?: IfName
  to?: Ns
  master?: IfName
  kind: NewKind
}> &
  Omit<LinkSettings, 'alias' | 'addrGenMode'>

/** One command: all of it goes in one message, which the kernel obeys part by part and leaves half done where it refuses one. */
export type SetLink = Readonly<{
  on: 'link'
  do: 'set'
  dev: IfName
  name?: IfName
  /** Null: of none. */
  master?: IfName | null
  /** Moves it there. */
  to?: Ns
  kind?: KindChange
}> &
  LinkSettings

export type DeleteLink = Readonly<{ on: 'link'; do: 'delete' } & ({ dev: IfName } | { group: number })>

/** A port's own settings: `bridge link set`. */
export type SetPort = Readonly<{ on: 'port'; do: 'set'; dev: IfName; options: PortOptions }>

/** `bridge vlan`. `self`: of the bridge device itself, not of a port. `until`: the last of a range. */
export type VlanRequest = Readonly<{
  on: 'vlan'
  do: 'add' | 'delete'
  dev: IfName
  id: number
  until?: number
  pvid?: boolean
  untagged?: boolean
  self?: boolean
}>

export type Scope = 'global' | 'site' | 'link' | 'host' | number

/** `peer`: the other end of a point-to-point link; its prefix is then that of the address. */
export type AddressRequest = Readonly<{
  on: 'address'
  do: 'add' | 'replace' | 'delete'
  dev: IfName
  cidr: Cidr
  peer?: Ip
  /** '+': the subnet's last address; IPv4 only. */
  broadcast?: Ip4 | '+'
  scope?: Scope
  label?: string
  nodad?: boolean
  noprefixroute?: boolean
  metric?: number
}>

export type RouteType = 'unicast' | 'local' | 'broadcast' | 'blackhole' | 'unreachable' | 'prohibit' | 'throw'

/** `weight` from 1. */
export type NextHop = Readonly<{ via?: Ip; dev?: IfName; weight?: number; onlink?: boolean }>

/** What is absent is chosen by ip(8) (chosen.ts: table, scope, type, protocol) or by the kernel; a delete matches only what is given. */
export type RouteRequest = Readonly<{
  on: 'route'
  do: 'add' | 'replace' | 'change' | 'append' | 'delete'
  to: Cidr
  type?: RouteType
  via?: Ip
  dev?: IfName
  onlink?: boolean
  hops?: ReadonlyArray<NextHop>
  metric?: number
  table?: number
  proto?: number
  scope?: Scope
  src?: Ip
  mtu?: number
  tos?: number
}>

export type RuleAction = Readonly<
  { lookup: number } | { goto: number } | { is: 'blackhole' | 'unreachable' | 'prohibit' | 'nop' }
>
/** Without a priority the kernel gives one below the lowest there is. */
export type RuleRequest = Readonly<{
  on: 'rule'
  do: 'add' | 'delete'
  family: Family
  priority?: number
  not?: boolean
  from?: Cidr
  to?: Cidr
  iif?: IfName
  oif?: IfName
  mark?: Readonly<{ value: number; mask?: number }>
  suppressPrefixLength?: number
  action?: RuleAction
}>

export type NeighbourState = 'permanent' | 'noarp' | 'reachable' | 'stale' | 'failed'
/** `proxy`: we answer for this address, and it has no MAC. */
export type NeighbourRequest = Readonly<{
  on: 'neighbour'
  do: 'add' | 'replace' | 'change' | 'delete'
  dev: IfName
  ip: Ip
  mac?: Mac
  state?: NeighbourState
  proxy?: boolean
}>

/**
 * `bridge fdb`. `of` master: `dev` is a port and its bridge keeps the entry; self: `dev` keeps it, a VXLAN with where to send (`dst`).
 * `local` is the host's own address, `static` one that does not age, `dynamic` one that does; permanent is `local`.
 */
export type FdbRequest = Readonly<{
  on: 'fdb'
  do: 'add' | 'replace' | 'append' | 'delete'
  dev: IfName
  mac: Mac
  of: 'master' | 'self'
  state?: 'local' | 'static' | 'dynamic'
  sticky?: boolean
  dst?: Ip
  vni?: number
  port?: number
  via?: IfName
  vlan?: number
}>

/** `at`: the file of somebody else's namespace, which is given the name. */
export type NetnsRequest = Readonly<{ on: 'netns' } & ({ do: 'add'; at?: string } | { do: 'delete' })>

/** `ip tuntap`, mode tap: a device whose cable ends at a program; it stays when that ends (persist), and has carrier while one holds it. */
export type TapRequest = Readonly<{ on: 'tap'; do: 'add' | 'delete'; dev: IfName }>

export type SysctlRequest = Readonly<{ on: 'sysctl'; do: 'write'; name: SysctlName; value: string }>

export type Ask =
  | NewLink
  | SetLink
  | DeleteLink
  | SetPort
  | VlanRequest
  | AddressRequest
  | RouteRequest
  | RuleRequest
  | NeighbourRequest
  | FdbRequest
  | TapRequest
  | NetnsRequest
  | SysctlRequest

/** `ns`: whose stack is asked; of a NetnsRequest, the name itself. */
export type Request = Readonly<{ ns: Ns; ask: Ask }>
