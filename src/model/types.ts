// The nouns of the Container Network Model (libnetwork's design): a network joins endpoints, an endpoint belongs to one
// network and at most one sandbox, a sandbox is a network namespace with the endpoints of one container.
// Only facts that were decided are stored; counts, free lists, names and gateways are computed (queries.ts).

import type { AddressSet } from '../ipam/address-set.ts'
import type { Ipam, PoolId } from '../ipam/types.ts'
import type { Cidr } from '../net/cidr.ts'
import type { Family, Ip, Ip4, Ip6 } from '../net/ip.ts'
import type { Mac } from '../net/mac.ts'
import type { IfName, Ns } from '../net/name.ts'
import type { PMap } from '../net/pmap.ts'
import type { Port, Transport } from '../net/port.ts'
import type { Brand } from '../prelude.ts'
import type { Ledger } from './plugin/ledger.ts'

/** 64 hexadecimal digits, given by whoever makes the object. */
export type NetworkId = string & Brand<'NetworkId'>
export type EndpointId = string & Brand<'EndpointId'>
export type SandboxId = string & Brand<'SandboxId'>

const ID = /^[0-9a-f]{64}$/
export const isId = (value: unknown): boolean => typeof value === 'string' && ID.test(value)

/** Casts: these are where ids are made. Throw on anything but 64 hexadecimal digits. */
const checked = (text: string): string => {
  if (!ID.test(text)) throw new Error(`"${text}" is not an id`)
  return text
}
export const networkId = (text: string): NetworkId => checked(text) as NetworkId
export const endpointId = (text: string): EndpointId => checked(text) as EndpointId
export const sandboxId = (text: string): SandboxId => checked(text) as SandboxId

/** A driver's own options as it understood them. Only the driver that made it reads it; but see plugin/remote.ts. */
export type DriverConfig = Readonly<Record<string, string | number | boolean | null>>

export type Texts = Readonly<Record<string, string>>

/** One pool to ask for: `subnet` null takes one from the defaults, and so does 0.0.0.0/N or ::/N, of that size. */
export type PoolSpec = Readonly<{
  family: Family
  subnet: Cidr | null
  range: Cidr | null
  gateway: Ip | null
  aux: Readonly<Record<string, Ip>>
}>

/**
 * How containers leave by a network, in one family: by a next hop, or straight by its device. `nothing`: we know of no way, but the
 * network claims to be one (a router on its wire announces itself), so no other network is.
 */
export type Exit = Readonly<{ by: 'gateway'; via: Ip } | { by: 'device' } | { by: 'nothing' }>

export type NetworkPool = Readonly<{
  pool: PoolId
  subnet: Cidr
  /** Where automatic addresses come from; the subnet itself if not narrowed. */
  range: Cidr
  gateway: Ip | null
  /** Null: nobody leaves by it. */
  exit: Exit | null
  /** Addresses kept for others, by name. */
  aux: Readonly<Record<string, Ip>>
}>

/** Where a network exists: on this host, or on all of a cluster. `swarm` can be asked for and is refused: there is none. */
export type NetworkScope = 'local' | 'global'

export type Network = Readonly<{
  id: NetworkId
  name: string
  driver: string
  scope: NetworkScope
  /** As asked for, beside what came of it (`config`, `pools`): a restart never takes the one for the other. */
  options: Texts
  asked: ReadonlyArray<PoolSpec>
  config: DriverConfig
  /** Not routed: nothing enters or leaves. */
  internal: boolean
  attachable: boolean
  ingress: boolean
  /** Only lends `options`, `asked` and `labels` to others: it has no driver (`null`), no pools and no endpoints. */
  configOnly: boolean
  /** The network that lent them, or null. */
  configFrom: NetworkId | null
  labels: Texts
  /** IPv4 first. Empty for drivers that need no addresses. */
  pools: ReadonlyArray<NetworkPool>
}>

export type EndpointAddress = Readonly<{ pool: PoolId; cidr: Cidr }>

/** A destination behind the network; `via` null: on the link itself. To 0.0.0.0/0 or ::/0 it makes its endpoint a way out. */
export type StaticRoute = Readonly<{ to: Cidr; via: Ip | null }>

/**
 * An endpoint of the network, by its name there, whose exposed ports are reached although the network keeps its containers apart.
 * `alias`: what only this sandbox calls it, or null.
 */
export type Link = Readonly<{ to: string; alias: string | null }>

/** `priority` orders the endpoints of a sandbox; `ifName` is the endpoint's name inside. */
export type Attachment = Readonly<{
  sandbox: SandboxId
  priority: number
  ifName: IfName
  routes: ReadonlyArray<StaticRoute>
  links: ReadonlyArray<Link>
}>

/** A port that a container says it listens on; it is published only if a sandbox says so. */
export type ExposedPort = Readonly<{ port: Port; transport: Transport }>

/** What was asked for at creation; null takes what there is. */
export type EndpointWishes = Readonly<{ ipv4: Ip4 | null; ipv6: Ip6 | null; mac: Mac | null; ifName: IfName | null }>

export type Endpoint = Readonly<{
  id: EndpointId
  network: NetworkId
  /** Its first DNS name, which its addresses resolve to; `aliases` are the others. */
  name: string
  aliases: ReadonlyArray<string>
  asked: EndpointWishes
  mac: Mac
  addresses: ReadonlyArray<EndpointAddress>
  /** Addresses of 169.254.0.0/16 and fe80::/10 that no pool knows. */
  linkLocal: ReadonlyArray<Ip>
  /** Whether the sandbox's resolver answers for this endpoint. */
  resolution: boolean
  /** Values by name, with IFNAME where the interface's name belongs. */
  sysctls: Texts
  exposed: ReadonlyArray<ExposedPort>
  attachment: Attachment | null
}>

/** One published port. `hostIp` null: every address of the host, of both families. */
export type PortBinding = Readonly<{ hostIp: Ip | null; hostPort: Port; containerPort: Port; transport: Transport }>

/** The resolver's settings inside. Empty lists mean the host's. */
export type DnsSettings = Readonly<{
  servers: ReadonlyArray<Ip>
  search: ReadonlyArray<string>
  options: ReadonlyArray<string>
}>

export type ExtraHost = Readonly<{ name: string; ip: Ip }>

export type Sandbox = Readonly<{
  id: SandboxId
  /** The container's name, for people. */
  container: string
  hostname: string
  domainname: string
  /** The name of its network namespace; the host's own for a container that shares it. */
  ns: Ns
  /** Of a namespace that somebody else makes: where it is, null until it is told (SetKey). Null: we make it. */
  external: Readonly<{ path: string | null }> | null
  extraHosts: ReadonlyArray<ExtraHost>
  dns: DnsSettings
  exposed: ReadonlyArray<ExposedPort>
  labels: Texts
  /** Network settings of its namespace, as sysctl(8) writes them: `net.core.somaxconn`; none of one interface. */
  sysctls: Texts
  ports: ReadonlyArray<PortBinding>
}>

/** A published port and whose it is. */
export type PortHolder = Readonly<{ sandbox: SandboxId; binding: PortBinding }>

export type Model = Readonly<{
  networks: PMap<Network>
  endpoints: PMap<Endpoint>
  sandboxes: PMap<Sandbox>
  /** What plugins were asked for, and hold. */
  ledger: Ledger
  /** Derived from the above by `evolve`; never stored. */
  ipam: Ipam
  index: Index
  cluster: Cluster
}>

/** The name of a host among those that share a store. */
export type HostId = string & Brand<'HostId'>

/** This host among others, with which it shares networks of global scope; cluster.ts. */
export type Cluster = Readonly<{
  /** Null: it shares with nobody, and global scope is as local. */
  host: HostId | null
  /** The endpoints that are on other hosts, each with its host. */
  elsewhere: PMap<HostId>
  /** Derived: the endpoints of shared networks that are on this host, by network, then by id. */
  here: PMap<PMap<EndpointId>>
  /** Derived: those of them that are joined. */
  joined: PMap<PMap<EndpointId>>
  /** Derived: the addresses of those, by subnet. */
  held: PMap<AddressSet>
}>

/** An endpoint of another host. */
export type Peer = Readonly<{ host: HostId; endpoint: Endpoint }>

/** Derived too: how to find things without looking at all of them. */
export type Index = Readonly<{
  /** Networks by scope and name: a shared one comes from elsewhere, whatever the local ones are called. */
  networkNames: PMap<NetworkId>
  /** Sandboxes by the container's name, and by namespace (but the host's, which is shared). */
  containers: PMap<SandboxId>
  namespaces: PMap<SandboxId>
  /** The endpoints of each network by name, and of each sandbox by id. */
  byNetwork: PMap<PMap<EndpointId>>
  bySandbox: PMap<PMap<EndpointId>>
  /** Who links: by the network and the name that is linked to, then by id. */
  byLink: PMap<PMap<EndpointId>>
  /** Who publishes: by protocol and port of the host, then by sandbox and address. */
  byPort: PMap<PMap<PortHolder>>
}>
