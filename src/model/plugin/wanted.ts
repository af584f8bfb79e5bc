// What plugins should hold, computed from the model: its networks of a remote driver, the endpoints on them, and the joins of
// those. This is all that plugins are told, so what does not change it is no reason to call one.

import { showCidr } from '../../net/cidr.ts'
import { familyOf } from '../../net/ip.ts'
import { showMac } from '../../net/mac.ts'
import { changesBetween, getIn, valuesOf } from '../../net/pmap.ts'
import type { Transport } from '../../net/port.ts'
import { endpointsHere, isElsewhere, isShared } from '../cluster.ts'
import type { Endpoint, Model, Network } from '../types.ts'
import { type PluginKey, type PluginObject, sameObject } from './ledger.ts'
import type { CreateEndpointCall, CreateNetworkCall, IpamData } from './protocol.ts'
import { isRemote } from './remote.ts'

/** RFC 791, as IANA numbers them. */
const PROTOCOL: Readonly<Record<Transport, number>> = { tcp: 6, udp: 17, sctp: 132 }

const ipamData = ({ pools }: Network, family: 4 | 6): ReadonlyArray<IpamData> =>
  pools
    .filter(({ subnet }) => familyOf(subnet.ip) === family)
    .map(({ pool, subnet, gateway, aux }) => ({
      AddressSpace: pool.slice(0, pool.indexOf('/')),
      Pool: showCidr(subnet),
      Gateway: gateway === null ? '' : showCidr({ ip: gateway, bits: subnet.bits }),
      AuxAddresses: Object.fromEntries(
        Object.entries(aux).map(([name, ip]) => [name, showCidr({ ip, bits: subnet.bits })]),
      ),
    }))

const networkCall = (network: Network): CreateNetworkCall => {
  const [v4, v6] = [ipamData(network, 4), ipamData(network, 6)]
  return {
    Method: 'CreateNetwork',
    NetworkID: network.id,
    Options: {
      'com.docker.network.generic': network.options,
      'com.docker.network.enable_ipv4': v4.length > 0,
      'com.docker.network.enable_ipv6': v6.length > 0,
      'com.docker.network.internal': network.internal,
    },
    IPv4Data: v4,
    IPv6Data: v6,
  }
}

const addressOf = ({ addresses }: Endpoint, family: 4 | 6): string => {
  const found = addresses.find(({ cidr }) => familyOf(cidr.ip) === family)
  return found === undefined ? '' : showCidr(found.cidr)
}

const endpointCall = (endpoint: Endpoint): CreateEndpointCall => ({
  Method: 'CreateEndpoint',
  NetworkID: endpoint.network,
  EndpointID: endpoint.id,
  Interface: {
    Address: addressOf(endpoint, 4),
    AddressIPv6: addressOf(endpoint, 6),
    MacAddress: showMac(endpoint.mac),
  },
  Options: {
    'com.docker.network.endpoint.exposedports': endpoint.exposed.map(({ port, transport }) => ({
      Proto: PROTOCOL[transport],
      Port: port,
    })),
  },
})

/** Where iproute2 keeps namespaces by name; one that somebody else makes is bound there too. */
const sandboxKey = (ns: string): string => `/run/netns/${ns}`

/** What should be there at a key; null: nothing. */
export const wantedAt = (model: Model, key: PluginKey): PluginObject | null => {
  const [networkId = '', endpointId, join] = key.split('/')
  const network = getIn(model.networks, networkId)
  if (network === undefined || !isRemote(network)) return null
  // What other hosts share is no matter of the plugin here, before something of this host is on it.
  if (isShared(model, network) && endpointsHere(model, network.id).length === 0) return null
  const plugin = network.driver
  if (endpointId === undefined) return { plugin, creation: networkCall(network) }
  const endpoint = getIn(model.endpoints, endpointId)
  if (endpoint === undefined || endpoint.network !== networkId || isElsewhere(model, endpoint.id)) return null
  if (join === undefined) return { plugin, creation: endpointCall(endpoint) }
  const sandbox = endpoint.attachment === null ? undefined : getIn(model.sandboxes, endpoint.attachment.sandbox)
  if (sandbox === undefined) return null
  const SandboxKey = sandboxKey(sandbox.ns)
  return { plugin, creation: { Method: 'Join', NetworkID: networkId, EndpointID: endpointId, SandboxKey } }
}

export const joinKey = ({ network, id }: Endpoint): PluginKey => `${network}/${id}/join`
export const endpointKey = ({ network, id }: Endpoint): PluginKey => `${network}/${id}`

/** Everything plugins should hold. */
export const wantedOfPlugins = (model: Model): ReadonlyArray<PluginObject> => {
  const keys = [
    ...valuesOf(model.networks).map(({ id }): PluginKey => id),
    ...valuesOf(model.endpoints).flatMap((endpoint) => [endpointKey(endpoint), joinKey(endpoint)]),
  ]
  return keys.map((key) => wantedAt(model, key)).filter((object) => object !== null)
}

const sameWish = (a: PluginObject | null, b: PluginObject | null): boolean =>
  a === null || b === null ? a === b : sameObject(a, b)

/** The keys at which two versions want something different. Only networks and endpoints that changed are looked at. */
export const wishesBetween = (before: Model, after: Model): ReadonlyArray<PluginKey> => {
  const keys = new Set<PluginKey>()
  for (const { key } of changesBetween(before.networks, after.networks)) keys.add(key)
  for (const { before: was, after: is } of changesBetween(before.endpoints, after.endpoints))
    for (const endpoint of [was, is])
      if (endpoint !== undefined) keys.add(endpoint.network).add(endpointKey(endpoint)).add(joinKey(endpoint))
  return [...keys].filter((key) => !sameWish(wantedAt(before, key), wantedAt(after, key)))
}
