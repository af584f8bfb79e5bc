// The nouns of the Container Network Model (libnetwork's design): a network joins endpoints, an endpoint belongs to one
// network and at most one sandbox, a sandbox is a network namespace with the endpoints of one container.
// Only facts that were decided are stored; counts, free lists, names and gateways are computed (queries.ts).

import type { Ipam, PoolId } from '../ipam/types.ts'
import type { Cidr } from '../net/cidr.ts'
import type { Ip } from '../net/ip.ts'
import type { Mac } from '../net/mac.ts'
import type { IfName, Ns } from '../net/name.ts'
import type { PMap } from '../net/pmap.ts'
import type { Port, Transport } from '../net/port.ts'
import type { Brand } from '../prelude.ts'

/** 64 hexadecimal digits, given by whoever makes the object. */
export type NetworkId = string & Brand<'NetworkId'>
export type EndpointId = string & Brand<'EndpointId'>
export type SandboxId = string & Brand<'SandboxId'>

const ID = /^[0-9a-f]{64}$/
/** Casts: these are where ids are made. Throw on anything but 64 hexadecimal digits. */
const checked = (text: string): string => {
  if (!ID.test(text)) throw new Error(`"${text}" is not an id`)
  return text
}
export const networkId = (text: string): NetworkId => checked(text) as NetworkId
export const endpointId = (text: string): EndpointId => checked(text) as EndpointId
export const sandboxId = (text: string): SandboxId => checked(text) as SandboxId

/** A driver's own options as it understood them. Only the driver that made it reads it. */
export type DriverConfig = Readonly<Record<string, string | number | boolean | null>>

export type NetworkPool = Readonly<{
  pool: PoolId
  subnet: Cidr
  /** Where automatic addresses come from; the subnet itself if not narrowed. */
  range: Cidr
  gateway: Ip | null
  /** Addresses kept for others, by name. */
  aux: Readonly<Record<string, Ip>>
}>

export type Network = Readonly<{
  id: NetworkId
  name: string
  driver: string
  config: DriverConfig
  /** Not routed: nothing enters or leaves. */
  internal: boolean
  attachable: boolean
  labels: Readonly<Record<string, string>>
  /** IPv4 first. Empty for drivers that need no addresses. */
  pools: ReadonlyArray<NetworkPool>
}>

export type EndpointAddress = Readonly<{ pool: PoolId; cidr: Cidr }>

/** `priority` orders the endpoints of a sandbox; `ifName` is the endpoint's name inside. */
export type Attachment = Readonly<{ sandbox: SandboxId; priority: number; ifName: IfName }>

export type Endpoint = Readonly<{
  id: EndpointId
  network: NetworkId
  name: string
  aliases: ReadonlyArray<string>
  mac: Mac
  addresses: ReadonlyArray<EndpointAddress>
  attachment: Attachment | null
}>

/** One published port. `hostIp` null: every address of the host, of both families. */
export type PortBinding = Readonly<{ hostIp: Ip | null; hostPort: Port; containerPort: Port; transport: Transport }>

export type Sandbox = Readonly<{
  id: SandboxId
  /** The container's name, for people. */
  container: string
  hostname: string
  /** Its network namespace; the host's own for a container that shares it. */
  ns: Ns
  ports: ReadonlyArray<PortBinding>
}>

export type Model = Readonly<{
  networks: PMap<Network>
  endpoints: PMap<Endpoint>
  sandboxes: PMap<Sandbox>
  /** Derived from the above by `evolve`; never stored. */
  ipam: Ipam
  /** Derived too: the endpoints of each network by name, and of each sandbox by id. */
  byNetwork: PMap<PMap<EndpointId>>
  bySandbox: PMap<PMap<EndpointId>>
}>
