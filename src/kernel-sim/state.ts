// Everything a simulated world holds: its namespaces, with what the control plane put there and what traffic left behind.
// All of it is persistent data, so a snapshot is free and a step back is keeping the old value. Only this folder sees it;
// others see `observe` (control.ts) and verdicts (probe.ts).

import type { SetName } from '../kernel/firewall/skeleton.ts'
import type { NftElement } from '../kernel/object.ts'
import type {
  BridgeOptions,
  IpvlanFlag,
  IpvlanMode,
  MacvlanMode,
  PortOptions,
  VlanProtocol,
  VxlanOptions,
} from '../kernel/rtnl/kind.ts'
import type { NeighbourState } from '../kernel/rtnl/request.ts'
import type { OperState, RouteFacts, RuleFacts } from '../kernel/rtnl/stack.ts'
import type { DeviceKey, SysctlName } from '../kernel/sysctl.ts'
import type { Cidr } from '../net/cidr.ts'
import type { Family, Ip, Ip4 } from '../net/ip.ts'
import type { Mac } from '../net/mac.ts'
import type { IfName, Ns } from '../net/name.ts'
import { emptyMap, type PMap } from '../net/pmap.ts'
import type { Port } from '../net/port.ts'
import type { TrackedEntry } from './datapath/netfilter/connection.ts'
import type { Pending } from './datapath/plane.ts'
import type { Held } from './datapath/skb.ts'
import type { SocketsEntry } from './datapath/socket/entry.ts'

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
  | Readonly<{ type: 'loopback' } | { type: 'dummy' } | { type: 'bridge' } | { type: 'veth'; peer: Place }>
  /** A card of the host's, known to the fabric by its number (fabric/). */
  | Readonly<{ type: 'nic'; card: number }>
  | VlanSpec
  | VxlanSpec
  | MacvlanSpec
  | IpvlanSpec

/**
 * `peer`: what it is point to point with, null for none. `scope` as RT_SCOPE_*. `metric`: of its prefix's route, 0 for the
 * kernel's own. `secondary`: IPv4, there was one of its subnet before. `label`: IPv4.
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
}>

/** A bridge's port. `state` as BR_STATE_*. `costSet`: somebody said what it costs. */
export type PortEntry = Readonly<{ bridge: IfName; costSet: boolean } & Required<PortOptions>>

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
 * `<MAC in hexadecimal> <port>`, so the first has the lowest. `since` says when each joined.
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

/** `dead`: its device is down (IPv4, of several hops). */
export type HopEntry = Readonly<{
  via: Ip | null
  dev: IfName | null
  weight: number
  onlink: boolean
  dead: boolean
}>

/**
 * A route of any table. `source` is the address it prefers, if any. `metric` is the kernel's own (IPv6: 1024 where a
 * request says 0). Of equal prefix, TOS and metric the lower `order` is preferred. IPv6 has one route for each of several hops.
 */
export type RouteEntry = Readonly<{
  to: Cidr
  type: RouteFacts['type']
  hops: ReadonlyArray<HopEntry>
  table: number
  tos: number
  metric: number
  proto: number
  scope: number
  source: Ip | null
  mtu: number | null
  order: number
}>

export type RuleEntry = Omit<RuleFacts, 'family'>

/**
 * A neighbour, under `<device> <address>`; `seenMs` is when it last said so (virtual ms). `set`: the state it was put into by
 * hand, null if it was learned. One that failed, or says nothing (`none`), has no MAC.
 */
export type NeighbourEntry = Readonly<{
  ip: Ip
  dev: IfName
  mac: Mac | null
  seenMs: number
  set: NeighbourState | 'none' | null
  asking?: Asking
}>

/**
 * A neighbour that is in doubt (its `set` is then `stale`), or not found yet (`none`): how often it was asked, when its timer is
 * (virtual ms), and the packets that wait, with the devices that they came in by.
 */
export type Asking = Readonly<{
  state: 'incomplete' | 'delay' | 'probe'
  probes: number
  dueMs: number
  waiting: ReadonlyArray<Readonly<{ held: Held; iif: IfName | null }>>
}>

/**
 * What an ICMP error has told of the path to an address by this device and gateway: how much fits, until when that is believed
 * (virtual ms). `locked`: it is less than is asked of any path, so that packets must be cut on their way.
 */
export type PathMtuEntry = Readonly<{
  ip: Ip
  dev: IfName
  via: Ip | null
  mtu: number
  locked: boolean
  untilMs: number
}>

/** An address that is answered for; a `permanent` one stays when its device loses its carrier. */
export type ProxyEntry = Readonly<{ ip: Ip; permanent: boolean }>

/**
 * The firewall table of a namespace: elements of each set by their key text (`key.join(' . ')`). `intervals` finds the
 * prefixes of the sets that may not overlap, highest first.
 */
export type FirewallEntry = Readonly<{
  skeleton: number
  sets: Readonly<Partial<Record<SetName, PMap<NftElement>>>>
  intervals: PMap<Cidr>
}>

/** One direction of a conversation, as conntrack sees it; an echo's `id` serves as both ports. */
export type Tuple = Readonly<{ proto: 'icmp' | 'tcp' | 'udp'; src: Ip; dst: Ip; sport: number; dport: number }>

export type Connection = Readonly<{
  id: number
  original: Tuple
  /** What an answer looks like; differs from the mirrored original where addresses were translated. */
  reply: Tuple
  /** Whether an answer has been seen. */
  assured: boolean
  dnat: boolean
  snat: boolean
  seenMs: number
}>

export type Listener = Readonly<{ proto: 'tcp' | 'udp'; port: Port }>

/** What passed a device since it was made, what it lost, and what it could not send. */
export type Tally = Readonly<{
  rxPackets: number
  rxBytes: number
  rxDropped: number
  txPackets: number
  txBytes: number
  txDropped: number
  txErrors: number
}>
export const NO_TALLY: Tally = {
  rxPackets: 0,
  rxBytes: 0,
  rxDropped: 0,
  txPackets: 0,
  txBytes: 0,
  txDropped: 0,
  txErrors: 0,
}

/** `at`: where it was adopted from; null for one that was made. */
export type NsEntry = Readonly<{
  ns: Ns
  at: string | null
  nextIndex: number
  /** For what keeps the order in which it came: routes, bridge ports. */
  nextOrder: number
  links: PMap<LinkEntry>
  /** The names of the links by their indexes. */
  indexes: PMap<IfName>
  /** The VXLANs that send by this stack, wherever they are, by what they are heard by (control/vxlan.ts). */
  vxlans: PMap<Place>
  /** Of all tables. Keyed so that iteration is deterministic; longest prefix is found by an index derived from this map. */
  routes: PMap<RouteEntry>
  /** The keys of the routes through no device, and of IPv4's that prefer a source, by it. */
  loose: ReadonlyArray<string>
  sources: PMap<string>
  /** Whether IPv4 has made its table `local` yet; and the tables of IPv6 that were asked for, which stay when they are empty. */
  local4: boolean
  tables6: ReadonlyArray<number>
  /** On how many devices each IPv6 address is (in hexadecimal) that is not link-local. */
  owned6: PMap<number>
  /** Policy rules in their order. `customRules`: there was once another one of IPv4 than those of the kernel. */
  rules: Readonly<Record<Family, ReadonlyArray<RuleEntry>>>
  customRules: boolean
  /** The sysctls of `conf.all` and `conf.default`, and others that were written. */
  confAll: DeviceConf
  confDefault: DeviceConf
  sysctls: Readonly<Partial<Record<SysctlName, string>>>
  firewall: FirewallEntry | null
  neighbours: PMap<NeighbourEntry>
  /** The addresses that are answered for, under `<device> <address>`. */
  proxies: PMap<ProxyEntry>
  /** By the address in decimal. */
  pathMtus: PMap<PathMtuEntry>
  /** Both tuples of every connection, by their text, to the connection's id. */
  tuples: PMap<number>
  connections: PMap<Connection>
  nextConnection: number
  listeners: PMap<Listener>
  /** The source port (or echo id) of the next probe from here: a new conversation has one that was not used lately. */
  nextPort: number
  /** By the name of the device; those that nothing has passed yet have none. */
  tallies: PMap<Tally>
  /** Of the data path: its conversations and its sockets. */
  tracked: TrackedEntry | null
  sockets: SocketsEntry | null
}>

/** A namespace with some of it changed; see `linkWith`. */
export const nsWith = (space: NsEntry, to: Partial<NsEntry>): NsEntry => {
  const copy: NsEntry = {
    ns: space.ns,
    at: space.at,
    nextIndex: space.nextIndex,
    nextOrder: space.nextOrder,
    links: space.links,
    indexes: space.indexes,
    vxlans: space.vxlans,
    routes: space.routes,
    loose: space.loose,
    sources: space.sources,
    local4: space.local4,
    tables6: space.tables6,
    owned6: space.owned6,
    rules: space.rules,
    customRules: space.customRules,
    confAll: space.confAll,
    confDefault: space.confDefault,
    sysctls: space.sysctls,
    firewall: space.firewall,
    neighbours: space.neighbours,
    proxies: space.proxies,
    pathMtus: space.pathMtus,
    tuples: space.tuples,
    connections: space.connections,
    nextConnection: space.nextConnection,
    listeners: space.listeners,
    nextPort: space.nextPort,
    tallies: space.tallies,
    tracked: space.tracked,
    sockets: space.sockets,
  }
  return Object.assign(copy, to)
}

/** Begins no name (net/name.ts). */
const NAMELESS = '@'
/** What an adopted namespace is known by while it has no name. A cast: nobody can ask for it. */
export const namelessAt = (at: string): Ns => (NAMELESS + at) as Ns
export const isNameless = (ns: Ns): boolean => ns.startsWith(NAMELESS)

/** What a kernel may be built without. */
export type Lacking = 'dummy' | 'vlan' | 'vxlan' | 'macvlan' | 'ipvlan' | 'vlan-filtering'

/**
 * `nowMs` is virtual time; it moves only when asked to. `random`: the state of the generator that packets draw from
 * (datapath/random.ts). `pending`: what is still to happen, in order. `lacks`: what this machine's kernel is built without.
 */
export type World = Readonly<{
  nowMs: number
  random: number
  pending: ReadonlyArray<Pending>
  namespaces: PMap<NsEntry>
  lacks: ReadonlySet<Lacking>
}>

export const EMPTY_WORLD: World = { nowMs: 0, random: 1, pending: [], namespaces: emptyMap(), lacks: new Set() }
/** A machine with nothing on it yet, whose kernel is built without some things. */
export const worldWithout = (...lacks: ReadonlyArray<Lacking>): World => ({ ...EMPTY_WORLD, lacks: new Set(lacks) })

/** The numbers of the tables that have names (ip-route(8)). */
export const TABLES = { default: 253, main: 254, local: 255 } as const

const kernelRule = (priority: number, lookup: number): RuleEntry => ({
  priority,
  not: false,
  from: null,
  to: null,
  iif: null,
  oif: null,
  mark: null,
  suppressPrefixLength: null,
  action: { lookup },
  proto: 2,
})
/** What every namespace begins with (fib_default_rules_init, fib6_rules_net_init). */
const KERNEL_RULES: NsEntry['rules'] = {
  4: [kernelRule(0, TABLES.local), kernelRule(32766, TABLES.main), kernelRule(32767, TABLES.default)],
  6: [kernelRule(0, TABLES.local), kernelRule(32766, TABLES.main)],
}

/** A namespace without links; `control.ts` gives it its loopback. */
export const emptyNs = (ns: Ns): NsEntry => ({
  ns,
  at: null,
  nextIndex: 1,
  nextOrder: 1,
  links: emptyMap(),
  indexes: emptyMap(),
  vxlans: emptyMap(),
  routes: emptyMap(),
  loose: [],
  sources: emptyMap(),
  local4: false,
  tables6: [TABLES.main, TABLES.local],
  owned6: emptyMap(),
  rules: KERNEL_RULES,
  customRules: false,
  confAll: NO_CONF,
  confDefault: NO_CONF,
  sysctls: {},
  firewall: null,
  neighbours: emptyMap(),
  proxies: emptyMap(),
  pathMtus: emptyMap(),
  tuples: emptyMap(),
  connections: emptyMap(),
  nextConnection: 1,
  listeners: emptyMap(),
  nextPort: 32768,
  tallies: emptyMap(),
  tracked: null,
  sockets: null,
})
