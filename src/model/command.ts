// Everything the outside may say. Ids, and every random or timed choice, arrive inside.

import type { Cidr } from '../net/cidr.ts'
import type { Family, Ip, Ip4, Ip6 } from '../net/ip.ts'
import type { Mac } from '../net/mac.ts'
import type { IfName, Ns } from '../net/name.ts'
import type { Port, Transport } from '../net/port.ts'
import type { EndpointId, NetworkId, SandboxId } from './types.ts'

/** One pool to ask for: `subnet` null takes one from the defaults. */
export type PoolSpec = Readonly<{
  family: Family
  subnet: Cidr | null
  range: Cidr | null
  gateway: Ip | null
  aux: Readonly<Record<string, Ip>>
}>

/** A port to publish: on the first free one of `hostPorts` (both ends included), null meaning any. */
export type PortRequest = Readonly<{
  hostIp: Ip | null
  hostPorts: Readonly<{ from: Port; to: Port }> | null
  containerPort: Port
  transport: Transport
}>

export type CreateNetwork = Readonly<{
  tag: 'CreateNetwork'
  id: NetworkId
  name: string
  driver: string
  /** As written by the user; the driver reads them. */
  options: Readonly<Record<string, string>>
  internal: boolean
  attachable: boolean
  labels: Readonly<Record<string, string>>
  /** At most one of each family; a family without one is off. Ignored by drivers that need no addresses. */
  pools: ReadonlyArray<PoolSpec>
}>
export type DeleteNetwork = Readonly<{ tag: 'DeleteNetwork'; id: NetworkId }>

export type CreateSandbox = Readonly<{
  tag: 'CreateSandbox'
  id: SandboxId
  container: string
  hostname: string
  ns: Ns
  ports: ReadonlyArray<PortRequest>
}>
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
}>
export type Leave = Readonly<{ tag: 'Leave'; endpoint: EndpointId; sandbox: SandboxId }>

/** Whose objects these are. */
export type Owner = Readonly<
  { of: 'network'; id: NetworkId } | { of: 'endpoint'; id: EndpointId } | { of: 'sandbox'; id: SandboxId }
>

/** News from the kernel: it would not hold what this owner wants. */
export type KernelRefused = Readonly<{ tag: 'KernelRefused'; owner: Owner; operation: string; errno: string }>

export type Command =
  | CreateNetwork
  | DeleteNetwork
  | CreateSandbox
  | DeleteSandbox
  | CreateEndpoint
  | DeleteEndpoint
  | Join
  | Leave
  | KernelRefused
