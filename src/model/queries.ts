// What follows from a model without being stored in it: who is on a network, a sandbox's endpoints in order, its way out,
// and the names it can resolve.

import { cidrFamily } from '../net/cidr.ts'
import { type Family, familyOf, type Ip } from '../net/ip.ts'
import { emptyMap, getIn, valuesOf } from '../net/pmap.ts'
import type { Attachment, Endpoint, EndpointId, Exit, Model, Network, NetworkId, Sandbox, SandboxId } from './types.ts'

/** An endpoint that is joined. */
export type JoinedEndpoint = Endpoint & Readonly<{ attachment: Attachment }>
const isJoined = (endpoint: Endpoint): endpoint is JoinedEndpoint => endpoint.attachment !== null

const found = (model: Model, ids: ReadonlyArray<EndpointId>): ReadonlyArray<Endpoint> =>
  ids.map((id) => getIn(model.endpoints, id)).filter((endpoint) => endpoint !== undefined)

/** The endpoints of a network, by name. */
export const endpointsOn = (model: Model, network: NetworkId): ReadonlyArray<Endpoint> =>
  found(model, valuesOf(getIn(model.index.byNetwork, network) ?? emptyMap<EndpointId>()))

export const endpointNamed = (model: Model, network: NetworkId, name: string): EndpointId | undefined =>
  getIn(getIn(model.index.byNetwork, network) ?? emptyMap<EndpointId>(), name)

export const networkNamed = (model: Model, name: string): Network | undefined => {
  const id = getIn(model.index.networkNames, name)
  return id === undefined ? undefined : getIn(model.networks, id)
}

/** The networks that took their configuration from this one. Looks at every network. */
export const borrowersOf = (model: Model, id: NetworkId): ReadonlyArray<Network> =>
  valuesOf(model.networks).filter((network) => network.configFrom === id)

/** How an endpoint leaves its network: as does the pool of its address. */
const exitOf = (network: Network, endpoint: Endpoint, family: Family): Exit | null => {
  const pool = network.pools.find(
    ({ subnet, exit, pool: id }) =>
      exit !== null && cidrFamily(subnet) === family && endpoint.addresses.some((address) => address.pool === id),
  )
  return pool?.exit ?? null
}

const exits = (network: Network, endpoint: Endpoint): number =>
  Number(exitOf(network, endpoint, 4) !== null) + Number(exitOf(network, endpoint, 6) !== null)

type Placed = Readonly<{ endpoint: JoinedEndpoint; network: Network }>

/** libnetwork's order, best first: priority, routed before internal, more families to leave by, name of the network. */
const comparePlaced = (a: Placed, b: Placed): number =>
  b.endpoint.attachment.priority - a.endpoint.attachment.priority ||
  Number(a.network.internal) - Number(b.network.internal) ||
  exits(b.network, b.endpoint) - exits(a.network, a.endpoint) ||
  (a.network.name < b.network.name ? -1 : a.network.name > b.network.name ? 1 : 0) ||
  (a.endpoint.id < b.endpoint.id ? -1 : 1)

/** The endpoints that are joined to a sandbox, by id. */
export const endpointIdsIn = (model: Model, sandbox: SandboxId): ReadonlyArray<EndpointId> =>
  valuesOf(getIn(model.index.bySandbox, sandbox) ?? emptyMap<EndpointId>())

/** The endpoints of a sandbox with their networks, best way out first. A total order: it never flips by itself. */
export const endpointsIn = (model: Model, sandbox: SandboxId): ReadonlyArray<Placed> => {
  const placed: Placed[] = []
  for (const endpoint of found(model, endpointIdsIn(model, sandbox))) {
    if (!isJoined(endpoint)) continue
    const network = getIn(model.networks, endpoint.network)
    if (network !== undefined) placed.push({ endpoint, network })
  }
  return placed.sort(comparePlaced)
}

/** A sandbox's way out for one family: through which endpoint, and how. */
export type WayOut = Readonly<{ endpoint: JoinedEndpoint; network: Network; exit: Exit }>

/** The first endpoint, in order, that is a way out of this family; null when the sandbox has none. */
export const wayOut = (placed: ReadonlyArray<Placed>, family: Family): WayOut | null => {
  for (const { endpoint, network } of placed) {
    const exit = exitOf(network, endpoint, family)
    if (exit !== null) return { endpoint, network, exit }
  }
  return null
}

/** Whether its namespace is there: one that somebody else makes is not, before its key is set. */
export const hasNamespace = ({ external }: Sandbox): boolean => external === null || external.path !== null

/** The names that an endpoint's addresses are found by. The first is the one that its addresses resolve to. */
export const dnsNames = ({ name, aliases }: Endpoint): ReadonlyArray<string> => [name, ...aliases]

/** The joined endpoints on the networks that a sandbox is on: those it can know. */
const known = (model: Model, sandbox: SandboxId): ReadonlyArray<JoinedEndpoint> => {
  const networks = new Set(endpointsIn(model, sandbox).map(({ network }) => network.id))
  return [...networks].flatMap((network) => endpointsOn(model, network).filter(isJoined))
}

/** What the sandbox's containers are told a name means: addresses on shared networks, IPv4 first; names fold case. */
export const resolveName = (model: Model, sandbox: SandboxId, name: string): ReadonlyArray<Ip> => {
  const wanted = name.toLowerCase()
  const addresses = known(model, sandbox)
    .filter((endpoint) => dnsNames(endpoint).some((each) => each.toLowerCase() === wanted))
    .flatMap((endpoint) => endpoint.addresses.map(({ cidr }) => cidr.ip))
  return [...addresses.filter((ip) => familyOf(ip) === 4), ...addresses.filter((ip) => familyOf(ip) === 6)]
}

/** The name that an address resolves to: `<endpoint>.<network>`, or null where no shared network has it. */
export const resolveIp = (model: Model, sandbox: SandboxId, ip: Ip): string | null => {
  const owner = known(model, sandbox).find(({ addresses }) => addresses.some(({ cidr }) => cidr.ip === ip))
  const network = owner === undefined ? undefined : getIn(model.networks, owner.network)
  return owner === undefined || network === undefined ? null : `${owner.name}.${network.name}`
}

const sandboxBy = (model: Model, id: SandboxId | undefined): Sandbox | undefined =>
  id === undefined ? undefined : getIn(model.sandboxes, id)

/** Whose namespace this is; nobody's, of the host's. */
export const sandboxAt = (model: Model, ns: string): Sandbox | undefined =>
  sandboxBy(model, getIn(model.index.namespaces, ns))

export const sandboxOf = (model: Model, container: string): Sandbox | undefined =>
  sandboxBy(model, getIn(model.index.containers, container))
