// Everything a simulated world holds: its namespaces, with what the control plane put there and what traffic left behind.
// All of it is persistent data, so a snapshot is free and a step back is keeping the old value. Only this folder sees it;
// others see `observe` (control.ts) and verdicts (probe.ts).

import type { SetName } from '../kernel/firewall/skeleton.ts'
import type { LinkSpec, NftElement } from '../kernel/object.ts'
import type { DeviceKey, SysctlName } from '../kernel/sysctl.ts'
import type { Cidr } from '../net/cidr.ts'
import type { Family, Ip } from '../net/ip.ts'
import type { Mac } from '../net/mac.ts'
import type { IfName, Ns } from '../net/name.ts'
import { emptyMap, type PMap } from '../net/pmap.ts'
import type { Port } from '../net/port.ts'

/** Who put an entry there: the kernel by itself, or an operation. */
export type Origin = 'kernel' | 'user'

export type AddressEntry = Readonly<{ cidr: Cidr; origin: Origin }>

/** What was written below `net.ipv4.conf` and `net.ipv6.conf`; the rest has the kernel's defaults (control/sysctl.ts). */
export type DeviceConf = Readonly<Record<Family, Readonly<Partial<Record<DeviceKey, string>>>>>

export const NO_CONF: DeviceConf = { 4: {}, 6: {} }

/**
 * `addresses` in the order they were added: the first of a subnet is its primary. `ports` are a bridge's: when each joined,
 * by its name (a lower number is earlier). `routes` are the keys of those through this device. `mtuSet`: a bridge's MTU was changed by hand, so it no
 * longer follows its ports. `ready6`: IPv6 is running on it (IF_READY in the kernel): up, with carrier since. `conf`:
 * its sysctls. `pinned4`: those of IPv4 that no longer follow `default`.
 */
export type LinkEntry = Readonly<{
  index: number
  name: IfName
  spec: LinkSpec
  mac: Mac
  mtu: number
  up: boolean
  alias: string | null
  port: Readonly<{ bridge: IfName; isolated: boolean; hairpin: boolean }> | null
  ports: PMap<number>
  addresses: ReadonlyArray<AddressEntry>
  routes: ReadonlyArray<string>
  mtuSet: boolean
  ready6: boolean
  conf: DeviceConf
  pinned4: ReadonlyArray<DeviceKey> | 'all'
  /** For a bridge: where each learned MAC (in decimal) was last seen, and when (virtual ms). */
  fdb: PMap<FdbEntry>
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
    port: link.port,
    ports: link.ports,
    addresses: link.addresses,
    routes: link.routes,
    mtuSet: link.mtuSet,
    ready6: link.ready6,
    conf: link.conf,
    pinned4: link.pinned4,
    fdb: link.fdb,
  }
  return Object.assign(copy, to)
}

export type FdbEntry = Readonly<{ mac: Mac; dev: IfName; seenMs: number }>

/**
 * A route of the main table; connected routes have origin `kernel`. `source` is the address it prefers, if any. `metric`
 * is the kernel's own (IPv6: 1024 where an operation says 0). Of equal prefix and metric the lower `order` is preferred.
 */
export type RouteEntry = Readonly<{
  to: Cidr
  via: Ip | null
  dev: IfName
  metric: number
  origin: Origin
  source: Ip | null
  order: number
}>

/** A learned neighbour, under `<device> <address>`; `seenMs` is when it last said so (virtual ms). */
export type NeighbourEntry = Readonly<{ ip: Ip; dev: IfName; mac: Mac; seenMs: number }>

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

/** What passed a device since it was made. `length.ts` has the lengths; nothing goes wrong on a device, or is lost when it arrives. */
export type Tally = Readonly<{
  rxPackets: number
  rxBytes: number
  txPackets: number
  txBytes: number
  txDropped: number
}>

/** `at`: where it was adopted from; null for one that was made. */
export type NsEntry = Readonly<{
  ns: Ns
  at: string | null
  nextIndex: number
  /** For what keeps the order in which it came: routes, bridge ports. */
  nextOrder: number
  links: PMap<LinkEntry>
  /** Keyed so that iteration is deterministic; longest prefix is found by an index derived from this map. */
  routes: PMap<RouteEntry>
  /** The sysctls of `conf.all` and `conf.default`, and others that were written. */
  confAll: DeviceConf
  confDefault: DeviceConf
  sysctls: Readonly<Partial<Record<SysctlName, string>>>
  firewall: FirewallEntry | null
  neighbours: PMap<NeighbourEntry>
  /** Both tuples of every connection, by their text, to the connection's id. */
  tuples: PMap<number>
  connections: PMap<Connection>
  nextConnection: number
  listeners: PMap<Listener>
  /** The source port (or echo id) of the next probe from here: a new conversation has one that was not used lately. */
  nextPort: number
  /** By the name of the device; those that nothing has passed yet have none. */
  tallies: PMap<Tally>
}>

/** A namespace with some of it changed; see `linkWith`. */
export const nsWith = (space: NsEntry, to: Partial<NsEntry>): NsEntry => {
  const copy: NsEntry = {
    ns: space.ns,
    at: space.at,
    nextIndex: space.nextIndex,
    nextOrder: space.nextOrder,
    links: space.links,
    routes: space.routes,
    confAll: space.confAll,
    confDefault: space.confDefault,
    sysctls: space.sysctls,
    firewall: space.firewall,
    neighbours: space.neighbours,
    tuples: space.tuples,
    connections: space.connections,
    nextConnection: space.nextConnection,
    listeners: space.listeners,
    nextPort: space.nextPort,
    tallies: space.tallies,
  }
  return Object.assign(copy, to)
}

/** Begins no name (net/name.ts). */
const NAMELESS = '@'
/** What an adopted namespace is known by while it has no name. A cast: nobody can ask for it. */
export const namelessAt = (at: string): Ns => (NAMELESS + at) as Ns
export const isNameless = (ns: Ns): boolean => ns.startsWith(NAMELESS)

/** `nowMs` is virtual time; it moves only when asked to. */
export type World = Readonly<{ nowMs: number; namespaces: PMap<NsEntry> }>

export const EMPTY_WORLD: World = { nowMs: 0, namespaces: emptyMap() }

/** A namespace without links; `control.ts` gives it its loopback. */
export const emptyNs = (ns: Ns): NsEntry => ({
  ns,
  at: null,
  nextIndex: 1,
  nextOrder: 1,
  links: emptyMap(),
  routes: emptyMap(),
  confAll: NO_CONF,
  confDefault: NO_CONF,
  sysctls: {},
  firewall: null,
  neighbours: emptyMap(),
  tuples: emptyMap(),
  connections: emptyMap(),
  nextConnection: 1,
  listeners: emptyMap(),
  nextPort: 32768,
  tallies: emptyMap(),
})
