// What a host can be asked to hold, and the key of each thing: what the kernel itself keeps unique. A clash is therefore
// visible here, as one key with two values, and not as EEXIST on the machine.
// Everything is explicit (a MAC, an MTU), so that what we observe can equal what we want.

import { type Cidr, cidrFamily, showCidr } from '../net/cidr.ts'
import { type Family, type Ip, isIp4, showIp } from '../net/ip.ts'
import type { Mac } from '../net/mac.ts'
import type { IfName, Ns } from '../net/name.ts'
import type { SetName } from './firewall/skeleton.ts'
import type { IpvlanFlag, IpvlanMode, MacvlanMode } from './rtnl/kind.ts'
import { type SysctlName, sysctlDevice } from './sysctl.ts'

/** The MTU of an Ethernet device that was given none, in bytes (ETH_DATA_LEN). */
export const PLAIN_MTU = 1500

/** What an IPv6 route has that was given no metric (IP6_RT_PRIO_USER). */
export const DEFAULT_METRIC6 = 1024

/** A device, wherever it is. */
export type Place = Readonly<{ ns: Ns; name: IfName }>

/** What is on another device, which need not be one of ours (a card of the host's). `id`: of the VLAN, 802.1Q. */
export type StackedSpec = Readonly<
  | { type: 'vlan'; below: Place; id: number }
  | { type: 'macvlan'; below: Place; mode: MacvlanMode }
  | { type: 'ipvlan'; below: Place; mode: IpvlanMode; flag: IpvlanFlag }
>

/** What a link is; changing it means another link. A veth names its other end. */
export type LinkSpec =
  | Readonly<{ type: 'loopback' } | { type: 'bridge' } | { type: 'dummy' } | { type: 'veth'; peer: Place }>
  | StackedSpec

export const isStacked = (spec: LinkSpec): spec is StackedSpec => 'below' in spec

/** The device that a link is bound to and cannot be made without: a veth's other end, or what it is on. */
export const boundTo = (spec: LinkSpec): Place | null =>
  spec.type === 'veth' ? spec.peer : isStacked(spec) ? spec.below : null

/** A VLAN, an ipvlan and a passthru macvlan have the MAC of the device below: theirs is zero here, whatever that is. */
export const hasOwnMac = (spec: LinkSpec): boolean =>
  spec.type === 'macvlan' ? spec.mode !== 'passthru' : spec.type !== 'vlan' && spec.type !== 'ipvlan'

/**
 * A network namespace (ip-netns(8)). `at` null: one that is made, and gone when its name is. Otherwise somebody else's, whose file
 * this is: it is given the name, and lives on without it. Of what is observed `at` is null, for the kernel keeps no such note, or NOWHERE.
 */
export type Netns = Readonly<{ kind: 'netns'; ns: Ns; at: string | null }>
/** A name without a namespace: whoever made or deleted it was killed at it. */
export const NOWHERE = ''
/** A network device (ip-link(8)). `mtu` in bytes, 0 for that of the device below; `alias` says whose it is (`cnm:<owner>`), null if nobody's. */
export type Link = Readonly<{
  kind: 'link'
  ns: Ns
  name: IfName
  spec: LinkSpec
  mac: Mac
  mtu: number
  up: boolean
  alias: string | null
}>
/** A link's membership in a bridge, with its port flags (bridge(8)). */
export type BridgePort = Readonly<{
  kind: 'port'
  ns: Ns
  dev: IfName
  bridge: IfName
  isolated: boolean
  hairpin: boolean
}>
/** An interface address; IPv6 ones are added with `nodad`. */
export type Address = Readonly<{ kind: 'address'; ns: Ns; dev: IfName; cidr: Cidr }>
/** A route of the main table; `via` null means on-link. `metric` 0 means the family's default (0, or 1024 for IPv6). */
export type Route = Readonly<{ kind: 'route'; ns: Ns; to: Cidr; via: Ip | null; dev: IfName; metric: number }>
/** A sysctl; it cannot be absent, so deleting it writes `otherwise`. */
export type Sysctl = Readonly<{ kind: 'sysctl'; ns: Ns; name: SysctlName; value: string; otherwise: string }>
/** The firewall table `inet cnm` with the fixed skeleton of this version. */
export type NftTable = Readonly<{ kind: 'nft-table'; ns: Ns; skeleton: number }>
/** An element of one of the skeleton's sets (`value` null) or maps; made by `firewall/elements.ts` only. */
export type NftElement = Readonly<{
  kind: 'nft-element'
  ns: Ns
  set: SetName
  key: ReadonlyArray<string>
  value: ReadonlyArray<string> | null
}>

export type KernelObject = Netns | Link | BridgePort | Address | Route | Sysctl | NftTable | NftElement
export type Kind = KernelObject['kind']
export type ObjectKey = string

/** What begins so is in the namespace, and goes with it. */
export const inNs = (ns: Ns): string => `${ns}/`
/** What begins so is the device, or on it, and goes with it; only routes are kept elsewhere, by their destination. */
export const onDevice = (ns: Ns, dev: string): string => `${ns}/dev/${dev}/`
export const addressesOn = (ns: Ns, dev: IfName): string => `${ns}/dev/${dev}/address/`
export const routesIn = (ns: Ns, family: Family | null): string =>
  family === null ? `${ns}/route/` : `${ns}/route/${family}/`
export const elementsIn = (ns: Ns): string => `${ns}/nft/`

export const netnsKey = (ns: Ns): ObjectKey => `${ns}/netns`
export const linkKey = (ns: Ns, name: string): ObjectKey => `${ns}/dev/${name}/link`
export const portKey = (ns: Ns, dev: IfName): ObjectKey => `${ns}/dev/${dev}/port`
export const tableKey = (ns: Ns): ObjectKey => `${ns}/nft`

/** An address as far as its key goes. */
export const addressText = (cidr: Cidr): string => (isIp4(cidr.ip) ? showCidr(cidr) : showIp(cidr.ip))

/**
 * The key of an object. IPv4 holds an address once per (device, address, prefix), IPv6 once per (device, address);
 * a route is unique by destination and metric; a port by its device.
 */
export const keyOf = (object: KernelObject): ObjectKey => {
  const { ns } = object
  switch (object.kind) {
    case 'netns':
      return netnsKey(ns)
    case 'link':
      return linkKey(ns, object.name)
    case 'port':
      return portKey(ns, object.dev)
    case 'address':
      return `${ns}/dev/${object.dev}/address/${addressText(object.cidr)}`
    case 'route':
      return `${ns}/route/${cidrFamily(object.to)}/${showCidr(object.to)}/${object.metric}`
    case 'sysctl':
      return sysctlKey(ns, object.name)
    case 'nft-table':
      return tableKey(ns)
    case 'nft-element':
      return `${ns}/nft/${object.set}/${object.key.join(' . ')}`
  }
}

const sysctlKey = (ns: Ns, name: SysctlName): ObjectKey => {
  const dev = sysctlDevice(name)
  return dev === null ? `${ns}/sysctl/${name}` : `${ns}/dev/${dev}/sysctl/${name}`
}

/** The keys without which an object cannot be there, as far as they are objects: its namespace, its device, its table. */
export const parentsOf = (object: KernelObject): ReadonlyArray<ObjectKey> => {
  const home = netnsKey(object.ns)
  switch (object.kind) {
    case 'netns':
      return []
    case 'link': {
      const other = boundTo(object.spec)
      return other === null ? [home] : [home, netnsKey(other.ns), linkKey(other.ns, other.name)]
    }
    case 'port':
      return [home, linkKey(object.ns, object.dev), linkKey(object.ns, object.bridge)]
    case 'address':
    case 'route':
      return [home, linkKey(object.ns, object.dev)]
    case 'sysctl': {
      const dev = sysctlDevice(object.name)
      return dev === null ? [home] : [home, linkKey(object.ns, dev)]
    }
    case 'nft-table':
      return [home]
    case 'nft-element':
      return [home, tableKey(object.ns)]
  }
}

const samePlace = (a: Place | null, b: Place | null): boolean => a?.ns === b?.ns && a?.name === b?.name

const sameSpec = (a: LinkSpec, b: LinkSpec): boolean => {
  if (a.type !== b.type || !samePlace(boundTo(a), boundTo(b))) return false
  switch (a.type) {
    case 'vlan':
      return b.type === 'vlan' && a.id === b.id
    case 'macvlan':
      return b.type === 'macvlan' && a.mode === b.mode
    case 'ipvlan':
      return b.type === 'ipvlan' && a.mode === b.mode && a.flag === b.flag
    default:
      return true
  }
}

const sameMtu = (a: number, b: number): boolean => a === b || a === 0 || b === 0

const sameTexts = (a: ReadonlyArray<string> | null, b: ReadonlyArray<string> | null): boolean =>
  a === null || b === null ? a === b : a.join(' . ') === b.join(' . ')

/** Whether two objects of one key hold the same. A sysctl's `otherwise` is our note, not the kernel's state. */
export const sameObject = (a: KernelObject, b: KernelObject): boolean => {
  if (a === b) return true
  switch (a.kind) {
    case 'netns':
      return b.kind === 'netns' && a.at === b.at
    case 'link':
      return (
        b.kind === 'link' &&
        sameSpec(a.spec, b.spec) &&
        a.mac === b.mac &&
        sameMtu(a.mtu, b.mtu) &&
        a.up === b.up &&
        a.alias === b.alias
      )
    case 'port':
      return b.kind === 'port' && a.bridge === b.bridge && a.isolated === b.isolated && a.hairpin === b.hairpin
    case 'address':
      return b.kind === 'address' && a.cidr.bits === b.cidr.bits
    case 'route':
      return b.kind === 'route' && a.via === b.via && a.dev === b.dev
    case 'sysctl':
      return b.kind === 'sysctl' && a.value === b.value
    case 'nft-table':
      return b.kind === 'nft-table' && a.skeleton === b.skeleton
    case 'nft-element':
      return b.kind === 'nft-element' && sameTexts(a.value, b.value)
  }
}

/** Whether the kernel can turn `a` into `b`; otherwise it is deleted and made anew. */
export const changeable = (a: KernelObject, b: KernelObject): boolean => {
  switch (a.kind) {
    case 'link':
      return b.kind === 'link' && sameSpec(a.spec, b.spec)
    case 'port':
    case 'route':
    case 'sysctl':
      return true
    case 'netns':
    case 'address':
    case 'nft-table':
    case 'nft-element':
      return false
  }
}
