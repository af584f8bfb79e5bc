// Everything the outside may say. Ids, and every random or timed choice, arrive inside. A field that may be left out says
// what that means.

import type { HostFacts } from '../net/host-facts.ts'
import type { Ip, Ip4, Ip6 } from '../net/ip.ts'
import type { Mac } from '../net/mac.ts'
import type { IfName, Ns } from '../net/name.ts'
import type { Port, Transport } from '../net/port.ts'
import type { PluginAnswer } from './plugin/answer.ts'
import type { PluginKey } from './plugin/ledger.ts'
import type {
  DnsSettings,
  EndpointId,
  ExposedPort,
  ExtraHost,
  Link,
  Network,
  NetworkId,
  NetworkScope,
  Peer,
  PoolSpec,
  SandboxId,
  StaticRoute,
  Texts,
} from './types.ts'

export type { PoolSpec } from './types.ts'

/** A port to publish: on the first free one of `hostPorts` (both ends included), null meaning any. */
export type PortRequest = Readonly<{
  hostIp: Ip | null
  hostPorts: Readonly<{ from: Port; to: Port }> | null
  containerPort: Port
  transport: Transport
}>

/**
 * What its host was like when the command came, as far as it matters (question.ts). Absent: nothing is known of it, so nothing is in
 * the way, and what is named is there.
 */
type OnHost = Readonly<{ host?: HostFacts }>

export type CreateNetwork = OnHost &
  Readonly<{
    tag: 'CreateNetwork'
    id: NetworkId
    name: string
    /** Of no meaning for one that is `configOnly`. */
    driver: string
    /** As written by the user; the driver reads them. */
    options: Texts
    internal: boolean
    attachable: boolean
    labels: Texts
    /** A family without a pool is off. Ignored by drivers that need no addresses. */
    pools: ReadonlyArray<PoolSpec>
    /** Absent: the driver's own. */
    scope?: NetworkScope | 'swarm'
    /** Carries the traffic of a cluster's published ports. Absent: no. */
    ingress?: boolean
    /** It only lends its options, pools and labels. Absent: no. */
    configOnly?: boolean
    /** The name of the network to take them from; then it says none itself (one IPv4 pool without wishes is none). */
    configFrom?: string
  }>
/** `force` also takes the ingress network. Absent: no. */
export type DeleteNetwork = Readonly<{ tag: 'DeleteNetwork'; id: NetworkId; force?: boolean }>

/** What a sandbox may be given, and given anew. Absent: nothing. */
export type SandboxOptions = Readonly<{
  domainname?: string
  extraHosts?: ReadonlyArray<ExtraHost>
  dns?: DnsSettings
  exposed?: ReadonlyArray<ExposedPort>
  labels?: Texts
  sysctls?: Texts
}>

export type CreateSandbox = OnHost &
  SandboxOptions &
  Readonly<{
    tag: 'CreateSandbox'
    id: SandboxId
    container: string
    hostname: string
    ns: Ns
    ports: ReadonlyArray<PortRequest>
    /** Somebody else makes the namespace, and `SetKey` tells where it is; nothing is there until then. Absent: we make it. */
    external?: boolean
  }>
/** All options anew, at once; what is absent is gone. The endpoints stay, with their priorities; so do ports asked for again. */
export type RefreshSandbox = OnHost &
  SandboxOptions &
  Readonly<{ tag: 'RefreshSandbox'; id: SandboxId; hostname: string; ports: ReadonlyArray<PortRequest> }>
/** Names the container, and with it all of its endpoints. */
export type RenameSandbox = Readonly<{ tag: 'RenameSandbox'; id: SandboxId; container: string }>
/** Tells where the namespace of a sandbox is: a path such as /proc/17/ns/net. */
export type SetKey = Readonly<{ tag: 'SetKey'; sandbox: SandboxId; path: string }>
/** Takes its endpoints along: a container that is gone has none. */
export type DeleteSandbox = Readonly<{ tag: 'DeleteSandbox'; id: SandboxId }>

export type CreateEndpoint = Readonly<{
  tag: 'CreateEndpoint'
  id: EndpointId
  network: NetworkId
  name: string
  aliases: ReadonlyArray<string>
  ipv4: Ip4 | null
  ipv6: Ip6 | null
  mac: Mac | null
  /** Absent: none. */
  linkLocal?: ReadonlyArray<Ip>
  /** No IPv6 address, whatever the network has. Absent: no. */
  disableIPv6?: boolean
  /** The sandbox's resolver does not answer for it. Absent: no. */
  disableResolution?: boolean
  /** `net.ipv4.conf.IFNAME.log_martians` and its value; the interface's name is put in. Absent: none. */
  sysctls?: Texts
  /** Its name inside, if the join asks for none. Absent: the next `ethN`. */
  ifName?: IfName | null
  /** Absent: none. */
  exposed?: ReadonlyArray<ExposedPort>
}>
/** Other DNS names: the first is the endpoint's name. `aliases` absent: as they are. */
export type RenameEndpoint = Readonly<{
  tag: 'RenameEndpoint'
  id: EndpointId
  name: string
  aliases?: ReadonlyArray<string>
}>
/** `force` also takes one that is joined. */
export type DeleteEndpoint = Readonly<{ tag: 'DeleteEndpoint'; id: EndpointId; force: boolean }>

export type Join = Readonly<{
  tag: 'Join'
  endpoint: EndpointId
  sandbox: SandboxId
  priority: number
  /** Its name inside; null takes the next `ethN`. */
  ifName: IfName | null
  /** Absent: none. */
  routes?: ReadonlyArray<StaticRoute>
  links?: ReadonlyArray<Link>
}>
export type Leave = Readonly<{ tag: 'Leave'; endpoint: EndpointId; sandbox: SandboxId }>

/** Whose objects these are. */
export type Owner = Readonly<
  { of: 'network'; id: NetworkId } | { of: 'endpoint'; id: EndpointId } | { of: 'sandbox'; id: SandboxId }
>

/** News from the kernel: it would not hold what this owner wants. */
export type KernelRefused = Readonly<{ tag: 'KernelRefused'; owner: Owner; operation: string; errno: string }>

/** Why a plugin did not do what it was asked: it said no, said nonsense, could not be heard, or said nothing in time. */
export type PluginFailure = Readonly<
  { kind: 'refused' | 'wrong' | 'unreachable'; why: string } | { kind: 'silent'; afterMs: number }
>

/** News from a plugin, of the call with this number about what is at this key. Of any other call it says nothing. */
export type PluginAnswered = Readonly<{ tag: 'PluginAnswered'; key: PluginKey; number: number; answer: PluginAnswer }>
export type PluginFailed = Readonly<{ tag: 'PluginFailed'; key: PluginKey; number: number; failure: PluginFailure }>

/**
 * News of what other hosts share: what is there, and the ids of what is gone. What is known already, or gone already, is no news; of
 * what is on this host it says nothing.
 */
export type SharedNews = Readonly<{
  tag: 'SharedNews'
  networks: ReadonlyArray<Network>
  peers: ReadonlyArray<Peer>
  gone: Readonly<{ networks: ReadonlyArray<NetworkId>; endpoints: ReadonlyArray<EndpointId> }>
}>

export type Command =
  | CreateNetwork
  | DeleteNetwork
  | CreateSandbox
  | RefreshSandbox
  | RenameSandbox
  | SetKey
  | DeleteSandbox
  | CreateEndpoint
  | RenameEndpoint
  | DeleteEndpoint
  | Join
  | Leave
  | KernelRefused
  | PluginAnswered
  | PluginFailed
  | SharedNews
