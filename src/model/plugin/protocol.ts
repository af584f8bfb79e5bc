// What is asked of a network plugin, in the words of Docker's NetworkDriver protocol (libnetwork's docs/remote.md): JSON
// fields spelled as on the wire. Three creations, and for each the deletion that takes it back.

import type { Texts } from '../types.ts'

/** Prefixes and addresses are written with their prefix lengths; "" is none. */
export type IpamData = Readonly<{ AddressSpace: string; Pool: string; Gateway: string; AuxAddresses: Texts }>

export type NetworkOptions = Readonly<{
  'com.docker.network.generic': Texts
  'com.docker.network.enable_ipv4': boolean
  'com.docker.network.enable_ipv6': boolean
  'com.docker.network.internal': boolean
}>
/** `Proto` is the number of IANA. */
export type EndpointOptions = Readonly<{
  'com.docker.network.endpoint.exposedports': ReadonlyArray<Readonly<{ Proto: number; Port: number }>>
}>
/** "" is for the plugin to choose; we leave it nothing to choose. */
export type PluginInterface = Readonly<{ Address: string; AddressIPv6: string; MacAddress: string }>

export type CreateNetworkCall = Readonly<{
  Method: 'CreateNetwork'
  NetworkID: string
  Options: NetworkOptions
  IPv4Data: ReadonlyArray<IpamData>
  IPv6Data: ReadonlyArray<IpamData>
}>
export type CreateEndpointCall = Readonly<{
  Method: 'CreateEndpoint'
  NetworkID: string
  EndpointID: string
  Interface: PluginInterface
  Options: EndpointOptions
}>
/** `SandboxKey`: the path of the network namespace. */
export type JoinCall = Readonly<{ Method: 'Join'; NetworkID: string; EndpointID: string; SandboxKey: string }>

export type Creation = CreateNetworkCall | CreateEndpointCall | JoinCall
export type Deletion = Readonly<
  | { Method: 'DeleteNetwork'; NetworkID: string }
  | { Method: 'DeleteEndpoint'; NetworkID: string; EndpointID: string }
  | { Method: 'Leave'; NetworkID: string; EndpointID: string }
>
export type PluginBody = Creation | Deletion
export type PluginMethod = PluginBody['Method']

export const deletionOf = (creation: Creation): Deletion => {
  const { NetworkID } = creation
  switch (creation.Method) {
    case 'CreateNetwork':
      return { Method: 'DeleteNetwork', NetworkID }
    case 'CreateEndpoint':
      return { Method: 'DeleteEndpoint', NetworkID, EndpointID: creation.EndpointID }
    case 'Join':
      return { Method: 'Leave', NetworkID, EndpointID: creation.EndpointID }
  }
}
