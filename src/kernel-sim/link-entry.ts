// A link as a simulated world holds it: its kind, its settings, what sits on it, and what bridges, VXLANs and VLANs keep with it.
// Persistent data, as all of state.ts.

import type {
  BridgeOptions,
  IpvlanFlag,
  IpvlanMode,
  MacvlanMode,
  PortOptions,
  VlanProtocol,
  VxlanOptions,
} from '../kernel/rtnl/kind.ts'
import type { OperState } from '../kernel/rtnl/stack.ts'
import type { DeviceKey } from '../kernel/sysctl.ts'
import type { Cidr } from '../net/cidr.ts'
import type { Family, Ip, Ip4 } from '../net/ip.ts'
import type { Mac } from '../net/mac.ts'
import type { IfName, Ns } from '../net/name.ts'
import { emptyMap, type PMap } from '../net/pmap.ts'

/** A device, wherever it is. */
export type Place = Readonly<{ ns: Ns; name: IfName }>

/**
 * `net`: by whose stack it sends, wherever it is. `family`: of the addresses outside. `via`: the index of the device below as it
 * was last told, 0 for none.
 */
export type VxlanSpec = Readonly<
  { type: 'vxlan'; net: Ns; family: Family; via: number } & Pick<VxlanOptions, 'vni' | 'remote' | 'local'> &
    Required<Omit<VxlanOptions, 'dev' | 'vni' | 'remote' | 'local'>>
>

/**
 * `restore`: of a passthru one, the MAC that the device below gets back. `lowerMac`: of the device below, as a VLAN has last seen
 * it. Mode and flag are those of all ipvlans on a device; `id` tells them apart, `next` is the one after the last.
 */
export type MacvlanSpec = Readonly<{ type: 'macvlan'; mode: MacvlanMode; restore: Mac | null }>
export type VlanSpec = Readonly<{ type: 'vlan'; id: number; protocol: VlanProtocol; lowerMac: Mac }>
export type IpvlanSpec = Readonly<{ type: 'ipvlan'; mode: IpvlanMode; flag: IpvlanFlag; id: number; next: number }>

/** What a link is. `below` (LinkEntry) says on which device. */
export type Spec =
  | Readonly<
      { type: 'loopback' } | { type: 'dummy' } | { type: 'tap' } | { type: 'bridge' } | { type: 'veth'; peer: Place }
    >
  /** A card of the host's, known to the fabric by its number (fabric/). */
  | Readonly<{ type: 'nic'; card: number }>
  | VlanSpec
  | VxlanSpec
  | MacvlanSpec
  | IpvlanSpec

/** What is being asked about: `left` solicitations are to be sent, at `dueMs` (virtual ms; null: not drawn yet) something happens. */
export type Asked = Readonly<{ left: number; dueMs: number | null; nonce: number }>
/**
 * Duplicate address detection (inet6_ifaddr's state). `over`: it is in use, as all of IPv4 are; before that it is tentative: it waits for
 * IPv6 to run on its device (`waiting`), is asked about, was found to be `unique` or `taken` by packets, which the control plane has
 * not seen yet (control/dad.ts), or has `failed`.
 */
export type Detection = 'over' | 'waiting' | 'unique' | 'taken' | 'failed' | Asked

/**
 * `peer`: what it is point to point with, null for none. `scope` as RT_SCOPE_*. `metric`: of its prefix's route, 0 for the
 * kernel's own. `secondary`: IPv4, there was one of its subnet before. `label`: IPv4. `order`: IPv4, higher the later it came; 0 of IPv6.
 */
export type AddressEntry = Readonly<{
  cidr: Cidr
  peer: Ip | null
  broadcast: Ip4 | null
  scope: number
  label: string | null
  metric: number
  secondary: boolean
  noprefixroute: boolean
  nodad: boolean
  dad: Detection
  order: number
}>

export const isTentative = ({ dad }: AddressEntry): boolean => dad !== 'over'

/** A bridge's port. `state` as BR_STATE_*. `costSet`: somebody said what it costs. */
export type PortEntry = Readonly<{ bridge: IfName; costSet: boolean } & Required<PortOptions>>

/** A port with some of it changed; see `linkWith`. */
export const portWith = (port: PortEntry, to: Partial<PortEntry>): PortEntry => {
  const copy: PortEntry = {
    bridge: port.bridge,
    costSet: port.costSet,
    state: port.state,
    priority: port.priority,
    cost: port.cost,
    hairpin: port.hairpin,
    guard: port.guard,
    rootBlock: port.rootBlock,
    fastLeave: port.fastLeave,
    learning: port.learning,
    flood: port.flood,
    mcastFlood: port.mcastFlood,
    bcastFlood: port.bcastFlood,
    neighSuppress: port.neighSuppress,
    isolated: port.isolated,
    locked: port.locked,
  }
  return Object.assign(copy, to)
}

/**
 * What a bridge knows of a MAC. `vlan` 0: whatever the VLAN. `dev`: the port, null for the bridge itself. `local`: frames for it are
 * the host's; `static` does not age, `dynamic` does since `seenMs` (virtual ms). `byUser`: somebody put it in. `sticky`: it is not
 * learned behind another port.
 */
export type FdbEntry = Readonly<{
  mac: Mac
  vlan: number
  dev: IfName | null
  state: 'local' | 'static' | 'dynamic'
  byUser: boolean
  sticky: boolean
  seenMs: number
}>

/**
 * A bridge's FDB, by `fdbKey`. `ofPort`: the keys of a port's entries, under `<port> <key>`. `macs`: the ports, under
 * `<MAC> <port>` in their order, so the first has the lowest. `since` says when each joined.
 */
export type Fdb = Readonly<{
  entries: PMap<FdbEntry>
  ofPort: PMap<string>
  macs: PMap<Readonly<{ mac: Mac; port: IfName; since: number }>>
}>
export const NO_FDB: Fdb = { entries: emptyMap(), ofPort: emptyMap(), macs: emptyMap() }

/** Where a VXLAN sends: `via` is a device by its index, 0 for any. */
export type RemoteEntry = Readonly<{ ip: Ip; port: number; vni: number; via: number }>
/** What a VXLAN knows of a MAC (zero: what it knows nothing of), which may be in several places. */
export type RemotesEntry = Readonly<{
  mac: Mac
  state: 'local' | 'static' | 'dynamic'
  sticky: boolean
  remotes: ReadonlyArray<RemoteEntry>
  seenMs: number
}>

/**
 * The MACs that a device hears beside its own, and how often each was asked for. `promisc`: it hears all for their sake. `passed`:
 * those that it has asked of the device below.
 */
export type FilterEntry = Readonly<{
  macs: PMap<Readonly<{ mac: Mac; times: number }>>
  promisc: boolean
  passed: ReadonlyArray<Mac>
}>
export const NO_FILTER: FilterEntry = { macs: emptyMap(), promisc: false, passed: [] }

/** The VLANs of a port, or of a bridge itself, by number: whether each leaves untagged. `pvid`: what comes untagged is of this; 0: none. */
export type VlanTable = Readonly<{ pvid: number; untagged: ReadonlyMap<number, boolean> }>
export const NO_VLANS: VlanTable = { pvid: 0, untagged: new Map() }

/** What was written below `net.ipv4.conf` and `net.ipv6.conf`; the rest has the kernel's defaults (control/sysctl.ts). */
export type DeviceConf = Readonly<Record<Family, Readonly<Partial<Record<DeviceKey, string>>>>>

export const NO_CONF: DeviceConf = { 4: {}, 6: {} }
/** `conf.all` of a fresh namespace; the rest of it is as `default`. */
export const FRESH_ALL: DeviceConf = { 4: {}, 6: { accept_dad: '0' } }

/**
 * `addresses`: IPv4's before IPv6's, each family in the kernel's order. `ports` are a bridge's: when each joined, by its
 * name (a lower number is earlier); `live`, how many of them forward. `routes` are the keys of those through this device, in
 * all tables. `mtuSet`: a bridge's MTU was changed by hand, so it no longer follows its ports; `macSet`, the same of its
 * MAC. `lower`: the driver says that there is carrier (netif_carrier_ok). `oper`: as linkwatch last found it; it is shown
 * of a device that is up. `ready6`: IPv6 is running on it (IF_READY in the kernel): up, with carrier since. `started`: it was up in this
 * namespace (dev_activate). `conf`: its sysctls. `pinned4`: those of IPv4 that no longer follow `default`. `below` is the device it is on, `above` those on it, in the
 * order in which they came. `fdb` is a bridge's, `remotes` a VXLAN's, by MAC (in decimal). `vlans`: of a bridge or a port.
 */
export type LinkEntry = Readonly<{
  index: number
  name: IfName
  spec: Spec
  mac: Mac
  mtu: number
  up: boolean
  alias: string | null
  group: number
  txqlen: number
  addrGen: number
  lower: boolean
  oper: OperState
  port: PortEntry | null
  bridge: Required<BridgeOptions> | null
  ports: PMap<number>
  live: number
  below: Place | null
  above: ReadonlyArray<Place>
  addresses: ReadonlyArray<AddressEntry>
  routes: ReadonlyArray<string>
  mtuSet: boolean
  macSet: boolean
  ready6: boolean
  started: boolean
  conf: DeviceConf
  pinned4: ReadonlyArray<DeviceKey> | 'all'
  fdb: Fdb
  remotes: PMap<RemotesEntry>
  filter: FilterEntry
  vlans: VlanTable
}>

/**
 * A link with some of it changed. Field by field: V8 is ten times slower at copying by `...` what was itself made by `...`,
 * and reads what is always of one shape faster.
 */
export const linkWith = (link: LinkEntry, to: Partial<LinkEntry>): LinkEntry => {
  const copy: LinkEntry = {
    index: link.index,
    name: link.name,
    spec: link.spec,
    mac: link.mac,
    mtu: link.mtu,
    up: link.up,
    alias: link.alias,
    group: link.group,
    txqlen: link.txqlen,
    addrGen: link.addrGen,
    lower: link.lower,
    oper: link.oper,
    port: link.port,
    bridge: link.bridge,
    ports: link.ports,
    live: link.live,
    below: link.below,
    above: link.above,
    addresses: link.addresses,
    routes: link.routes,
    mtuSet: link.mtuSet,
    macSet: link.macSet,
    ready6: link.ready6,
    started: link.started,
    conf: link.conf,
    pinned4: link.pinned4,
    fdb: link.fdb,
    remotes: link.remotes,
    filter: link.filter,
    vlans: link.vlans,
  }
  return Object.assign(copy, to)
}
