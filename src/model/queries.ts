// What follows from a model without being stored in it: who is on a network, a sandbox's endpoints in order, its way out,
// and the names it can resolve.

import { type Family, familyOf, type Ip } from '../net/ip.ts'
import { emptyMap, getIn, valuesOf } from '../net/pmap.ts'
import type { Attachment, Endpoint, EndpointId, Model, Network, NetworkId, Sandbox, SandboxId } from './types.ts'

/** An endpoint that is joined. */
export type JoinedEndpoint = Endpoint & Readonly<{ attachment: Attachment }>
const isJoined = (endpoint: Endpoint): endpoint is JoinedEndpoint => endpoint.attachment !== null

const found = (model: Model, ids: ReadonlyArray<EndpointId>): ReadonlyArray<Endpoint> =>
  ids.map((id) => getIn(model.endpoints, id)).filter((endpoint) => endpoint !== undefined)

/** The endpoints of a network, by name. */
export const endpointsOn = (model: Model, network: NetworkId): ReadonlyArray<Endpoint> =>
  found(model, valuesOf(getIn(model.byNetwork, network) ?? emptyMap<EndpointId>()))

export const endpointNamed = (model: Model, network: NetworkId, name: string): EndpointId | undefined =>
  getIn(getIn(model.byNetwork, network) ?? emptyMap<EndpointId>(), name)

export const networkNamed = (model: Model, name: string): Network | undefined =>
  valuesOf(model.networks).find((network) => network.name === name)

const gatewayOf = (network: Network, endpoint: Endpoint, family: Family): Ip | null => {
  if (network.internal) return null
  const pool = network.pools.find(
    ({ gateway, pool: id }) =>
      gateway !== null && familyOf(gateway) === family && endpoint.addresses.some((address) => address.pool === id),
  )
  return pool?.gateway ?? null
}

const gateways = (network: Network, endpoint: Endpoint): number =>
  Number(gatewayOf(network, endpoint, 4) !== null) + Number(gatewayOf(network, endpoint, 6) !== null)

type Placed = Readonly<{ endpoint: JoinedEndpoint; network: Network }>

/** libnetwork's order, best first: priority, routed before internal, more gateways, name of the network. */
const comparePlaced = (a: Placed, b: Placed): number =>
  b.endpoint.attachment.priority - a.endpoint.attachment.priority ||
  Number(a.network.internal) - Number(b.network.internal) ||
  gateways(b.network, b.endpoint) - gateways(a.network, a.endpoint) ||
  (a.network.name < b.network.name ? -1 : a.network.name > b.network.name ? 1 : 0) ||
  (a.endpoint.id < b.endpoint.id ? -1 : 1)

/** The endpoints of a sandbox with their networks, best way out first. A total order: it never flips by itself. */
export const endpointsIn = (model: Model, sandbox: SandboxId): ReadonlyArray<Placed> => {
  const placed: Placed[] = []
  for (const endpoint of found(model, valuesOf(getIn(model.bySandbox, sandbox) ?? emptyMap<EndpointId>()))) {
    if (!isJoined(endpoint)) continue
    const network = getIn(model.networks, endpoint.network)
    if (network !== undefined) placed.push({ endpoint, network })
  }
  return placed.sort(comparePlaced)
}

/** A sandbox's way out for one family: through which endpoint, to which next hop. */
export type WayOut = Readonly<{ endpoint: JoinedEndpoint; network: Network; via: Ip }>

/** The first endpoint, in order, that has a gateway of this family; null when the sandbox has no way out. */
export const wayOut = (placed: ReadonlyArray<Placed>, family: Family): WayOut | null => {
  for (const { endpoint, network } of placed) {
    const via = gatewayOf(network, endpoint, family)
    if (via !== null) return { endpoint, network, via }
  }
  return null
}

/** What the sandbox's containers are told a name means: addresses on shared networks, IPv4 first; names fold case. */
export const resolveName = (model: Model, sandbox: SandboxId, name: string): ReadonlyArray<Ip> => {
  const wanted = name.toLowerCase()
  const addresses: Ip[] = []
  const networks = new Set(endpointsIn(model, sandbox).map(({ network }) => network.id))
  for (const network of networks) {
    for (const endpoint of endpointsOn(model, network)) {
      if (!isJoined(endpoint)) continue
      const known = [endpoint.name, ...endpoint.aliases].some((each) => each.toLowerCase() === wanted)
      if (known) addresses.push(...endpoint.addresses.map(({ cidr }) => cidr.ip))
    }
  }
  return [...addresses.filter((ip) => familyOf(ip) === 4), ...addresses.filter((ip) => familyOf(ip) === 6)]
}

export const sandboxAt = (model: Model, ns: string): Sandbox | undefined =>
  valuesOf(model.sandboxes).find((sandbox) => sandbox.ns === ns)
