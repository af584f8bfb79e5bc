// What follows from a model without being stored in it: who is on a network, a sandbox's endpoints in order, its way out,
// and the names it can resolve.

import { cidrFamily } from '../net/cidr.ts'
import { type Family, familyOf, type Ip } from '../net/ip.ts'
import { emptyMap, getIn, valuesOf } from '../net/pmap.ts'
import { linkersTo, networkCalled } from './index.ts'
import type {
  Attachment,
  Endpoint,
  EndpointId,
  Exit,
  ExposedPort,
  Model,
  Network,
  NetworkId,
  Sandbox,
  SandboxId,
} from './types.ts'

/** An endpoint that is joined. */
export type JoinedEndpoint = Endpoint & Readonly<{ attachment: Attachment }>
const isJoined = (endpoint: Endpoint): endpoint is JoinedEndpoint => endpoint.attachment !== null

const NOBODY: ReadonlyArray<never> = []

const found = (model: Model, ids: ReadonlyArray<EndpointId>): ReadonlyArray<Endpoint> =>
  ids.map((id) => getIn(model.endpoints, id)).filter((endpoint) => endpoint !== undefined)

/** The endpoints of a network, by name. */
export const endpointsOn = (model: Model, network: NetworkId): ReadonlyArray<Endpoint> =>
  found(model, valuesOf(getIn(model.index.byNetwork, network) ?? emptyMap<EndpointId>()))

export const endpointNamed = (model: Model, network: NetworkId, name: string): EndpointId | undefined =>
  getIn(getIn(model.index.byNetwork, network) ?? emptyMap<EndpointId>(), name)

export const networkNamed = (model: Model, name: string): Network | undefined => {
  const id = networkCalled(model.index, name)
  return id === undefined ? undefined : getIn(model.networks, id)
}

/** The networks that took their configuration from this one. Looks at every network. */
export const borrowersOf = (model: Model, id: NetworkId): ReadonlyArray<Network> =>
  valuesOf(model.networks).filter((network) => network.configFrom === id)

/** A route of its own by which everything leaves. */
const ownExit = ({ attachment }: Endpoint, family: Family): Exit | undefined => {
  const route = attachment?.routes.find(({ to }) => to.bits === 0 && cidrFamily(to) === family)
  if (route === undefined) return undefined
  return route.via === null ? { by: 'device' } : { by: 'gateway', via: route.via }
}

/** How an endpoint leaves its network: by a route of its own, else as does the pool of its address. */
const exitOf = (network: Network, endpoint: Endpoint, family: Family): Exit | null => {
  const own = ownExit(endpoint, family)
  if (own !== undefined) return own
  const pool = network.pools.find(
    ({ subnet, exit, pool: id }) =>
      exit !== null && cidrFamily(subnet) === family && endpoint.addresses.some((address) => address.pool === id),
  )
  return pool?.exit ?? null
}

const exits = (network: Network, endpoint: Endpoint): number =>
  Number(exitOf(network, endpoint, 4) !== null) + Number(exitOf(network, endpoint, 6) !== null)

export type Placed = Readonly<{ endpoint: JoinedEndpoint; network: Network }>

/** A network that sandboxes are on which no other leads out of (decide/gateway.ts). */
export const GATEWAY_NETWORK = 'cnm_gwbridge'

/**
 * libnetwork's order, best first: priority, the gateway network last, routed before internal, more families to leave by, name of the
 * network.
 */
const comparePlaced = (a: Placed, b: Placed): number =>
  b.endpoint.attachment.priority - a.endpoint.attachment.priority ||
  Number(a.network.name === GATEWAY_NETWORK) - Number(b.network.name === GATEWAY_NETWORK) ||
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

/** An endpoint that this one may speak to, or that may speak to it, by a link; `opens`: the ports of it that are open to this one. */
export type Linked = Readonly<{ peer: JoinedEndpoint; opens: ReadonlyArray<ExposedPort> }>

/** What whoever links to an endpoint may reach: what it or its container says that it listens on, or publishes. */
const opensOf = (model: Model, { exposed, attachment }: JoinedEndpoint): ReadonlyArray<ExposedPort> => {
  const sandbox = getIn(model.sandboxes, attachment.sandbox)
  const published = (sandbox?.ports ?? []).map(({ containerPort: port, transport }) => ({ port, transport }))
  const all = [...exposed, ...(sandbox?.exposed ?? []), ...published]
  return [...new Map(all.map((each) => [`${each.port}/${each.transport}`, each])).values()]
}

/** The joined endpoints of other sandboxes that this one links to, then those that link to it. */
export const linkedWith = (model: Model, endpoint: JoinedEndpoint): ReadonlyArray<Linked> => {
  const { id, network, name, attachment } = endpoint
  const from = linkersTo(model.index, network, name)
  if (attachment.links.length === 0 && from.length === 0) return NOBODY
  const to = attachment.links.map((link) => endpointNamed(model, network, link.to)).filter((each) => each !== undefined)
  return found(model, [...new Set([...to, ...from])])
    .filter(isJoined)
    .filter((peer) => peer.id !== id && peer.attachment.sandbox !== attachment.sandbox)
    .map((peer) => ({ peer, opens: to.includes(peer.id) ? opensOf(model, peer) : [] }))
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

/** The endpoints that a sandbox's links call so. */
const aliased = (model: Model, sandbox: SandboxId, wanted: string): ReadonlyArray<Endpoint> =>
  endpointsIn(model, sandbox).flatMap(({ endpoint: { attachment }, network }) =>
    found(
      model,
      attachment.links
        .filter(({ alias }) => alias?.toLowerCase() === wanted)
        .flatMap(({ to }) => endpointNamed(model, network.id, to) ?? []),
    ).filter(isJoined),
  )

/**
 * What the sandbox's containers are told a name means: who is linked to under this name, and who has it on a shared network; IPv4
 * first. Names fold case.
 */
export const resolveName = (model: Model, sandbox: SandboxId, name: string): ReadonlyArray<Ip> => {
  const wanted = name.toLowerCase()
  const named = known(model, sandbox).filter((endpoint) =>
    dnsNames(endpoint).some((each) => each.toLowerCase() === wanted),
  )
  const endpoints = new Set([...aliased(model, sandbox, wanted), ...named])
  const addresses = [...endpoints].flatMap((endpoint) => endpoint.addresses.map(({ cidr }) => cidr.ip))
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
