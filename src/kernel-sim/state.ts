// Everything a simulated world holds: its namespaces, with what the control plane put there and what traffic left behind.
// All of it is persistent data, so a snapshot is free and a step back is keeping the old value. Only this folder sees it;
// others see `observe` (control.ts) and verdicts (datapath/probe.ts).

import type { NeighbourState } from '../kernel/rtnl/request.ts'
import type { RouteFacts, RuleFacts } from '../kernel/rtnl/stack.ts'
import type { SysctlName } from '../kernel/sysctl.ts'
import type { Cidr } from '../net/cidr.ts'
import type { Family, Ip } from '../net/ip.ts'
import type { Mac } from '../net/mac.ts'
import { type IfName, LO, type Ns } from '../net/name.ts'
import { emptyMap, getIn, type PMap } from '../net/pmap.ts'
import type { TrackedEntry } from './datapath/netfilter/connection.ts'
import type { Pending } from './datapath/plane.ts'
import type { Held } from './datapath/skb.ts'
import type { SocketsEntry } from './datapath/socket/entry.ts'
import { type DeviceConf, FRESH_ALL, type LinkEntry, NO_CONF, type Place } from './link-entry.ts'
import type { Ruleset } from './nft/ruleset.ts'
import { NEWEST, type Version } from './version.ts'

/**
 * `direct`: packets go to whom they are for, there being no gateway, or (IPv4) one that was no other host's when the route was made
 * (nhc_scope). `dead`: its device is down, or has lost IPv4 (of several hops). `linkdown`: what is told of its device's carrier, if
 * that is not what the carrier is.
 */
export type HopEntry = Readonly<{
  via: Ip | null
  dev: IfName | null
  weight: number
  onlink: boolean
  direct: boolean
  dead: boolean
  linkdown: boolean | null
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
 * What ICMP has told of the path to an address by this device and gateway: how much fits (`mtu`), and the `gateway` that is better;
 * and until when that is believed (virtual ms). `locked`: it is less than is asked of any path, so that packets must be cut on their way.
 */
export type PathEntry = Readonly<{
  ip: Ip
  dev: IfName
  via: Ip | null
  mtu: number | null
  gateway: Ip | null
  locked: boolean
  untilMs: number
}>

/** Each way to an address has one of its own, as each hop of a route has (fnhe_hash, rt6i_exception_bucket). */
export const pathKey = ({ ip, dev, via }: Pick<PathEntry, 'ip' | 'dev' | 'via'>): string => `${ip} ${dev} ${via ?? ''}`

/** How much an address may be told: so many ms' worth at `lastMs`, and more since; `redirects`: so often it was redirected of late. */
export type PeerEntry = Readonly<{ ip: Ip; tokensMs: number; lastMs: number; redirects: number }>

/** An address that is answered for; a `permanent` one stays when its device loses its carrier. */
export type ProxyEntry = Readonly<{ ip: Ip; permanent: boolean }>

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
  /** For what keeps the order in which it came: routes, bridge ports, addresses of IPv4. */
  nextOrder: number
  links: PMap<LinkEntry>
  /** The names of the links by their indexes. */
  indexes: PMap<IfName>
  /** The VXLANs that send by this stack, wherever they are, by what they are heard by (control/vxlan.ts). */
  vxlans: PMap<Place>
  /** Of all tables. Keyed so that iteration is deterministic; longest prefix is found by an index derived from this map. */
  routes: PMap<RouteEntry>
  /** The keys of the routes through no device, and of those that prefer a source, by it (of IPv4: in the table main). */
  loose: ReadonlyArray<string>
  sources: PMap<string>
  /** Whether IPv4 has made its table `local` yet; and the tables of IPv6 that were asked for, which stay when they are empty. */
  local4: boolean
  tables6: ReadonlyArray<number>
  /** On how many devices each IPv6 address is (in hexadecimal) that is not link-local. */
  owned6: PMap<number>
  /** The indexes of the devices with tentative addresses, and of some that had, under themselves. */
  tentative: PMap<number>
  /**
   * Policy rules in their order. `customRules`: they are looked at, for of IPv4 one was added or deleted, of IPv6 one was added
   * (net->ipv6.fib6_has_custom_rules); until then a search goes as by the kernel's own.
   */
  rules: Readonly<Record<Family, ReadonlyArray<RuleEntry>>>
  customRules: Readonly<Record<Family, boolean>>
  /** The sysctls of `conf.all` and `conf.default`, and others that were written. */
  confAll: DeviceConf
  confDefault: DeviceConf
  sysctls: Readonly<Partial<Record<SysctlName, string>>>
  /** Its nftables, as they were left by whoever wrote them; null: nobody ever has. */
  firewall: Ruleset | null
  neighbours: PMap<NeighbourEntry>
  /** The addresses that are answered for, under `<device> <address>`. */
  proxies: PMap<ProxyEntry>
  /** As `pathKey` says. */
  paths: PMap<PathEntry>
  /** By their addresses. */
  peers: PMap<PeerEntry>
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
    tentative: space.tentative,
    rules: space.rules,
    customRules: space.customRules,
    confAll: space.confAll,
    confDefault: space.confDefault,
    sysctls: space.sysctls,
    firewall: space.firewall,
    neighbours: space.neighbours,
    proxies: space.proxies,
    paths: space.paths,
    peers: space.peers,
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
 * `host`: its name on a fabric, where no two machines draw the same MACs; '' of a machine alone.
 * `nowMs` is virtual time; it moves only when asked to. `random`: the state of the generator that packets draw from
 * (datapath/random.ts). `pending`: what is still to happen, in order. `tentative`: the namespaces with such addresses. `lacks`: what
 * this machine's kernel is built without; `linux`: its version.
 */
export type World = Readonly<{
  host: string
  nowMs: number
  random: number
  pending: ReadonlyArray<Pending>
  namespaces: PMap<NsEntry>
  tentative: PMap<Ns>
  lacks: ReadonlySet<Lacking>
  linux: Version
}>

export const EMPTY_WORLD: World = {
  host: '',
  nowMs: 0,
  random: 1,
  pending: [],
  namespaces: emptyMap(),
  tentative: emptyMap(),
  lacks: new Set(),
  linux: NEWEST,
}
/** A machine with nothing on it yet, whose kernel is built without some things. */
export const worldWithout = (...lacks: ReadonlyArray<Lacking>): World => ({ ...EMPTY_WORLD, lacks: new Set(lacks) })

/** A world with other namespaces; see `linkWith`. */
export const worldWith = (world: World, namespaces: World['namespaces'], tentative = world.tentative): World => ({
  host: world.host,
  nowMs: world.nowMs,
  random: world.random,
  pending: world.pending,
  namespaces,
  tentative,
  lacks: world.lacks,
  linux: world.linux,
})

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

/** The rules that a search goes by. */
export const rulesInForce = ({ rules, customRules }: Pick<NsEntry, 'rules' | 'customRules'>, family: Family) =>
  customRules[family] ? rules[family] : KERNEL_RULES[family]

const LOOPBACK_INDEX = '1'
/** The name of the loopback device, which may be another than `lo`: it is known by its index. */
export const loopbackName = ({ indexes }: Pick<NsEntry, 'indexes'>): IfName => getIn(indexes, LOOPBACK_INDEX) ?? LO

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
  tentative: emptyMap(),
  rules: KERNEL_RULES,
  customRules: { 4: false, 6: false },
  confAll: FRESH_ALL,
  confDefault: NO_CONF,
  sysctls: {},
  firewall: null,
  neighbours: emptyMap(),
  proxies: emptyMap(),
  paths: emptyMap(),
  peers: emptyMap(),
  nextPort: 32768,
  tallies: emptyMap(),
  tracked: null,
  sockets: null,
})
