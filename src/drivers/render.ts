// The fragments of a model, one per owner: a network, a joined endpoint, a sandbox. `renderAll` makes them all;
// `renderChanged` makes only those whose inputs differ between two versions of the model, found by reference.
// Property: applying `renderChanged` step by step equals `renderAll`.

import type { Fragment } from '../kernel/state.ts'
import { hasJoined, isElsewhere, isShared } from '../model/cluster.ts'
import type { Owner } from '../model/command.ts'
import {
  endpointIdsIn,
  endpointsIn,
  endpointsOn,
  hasNamespace,
  type JoinedEndpoint,
  linkedWith,
  type WayOut,
  wayOut,
} from '../model/queries.ts'
import type { Endpoint, EndpointId, Model, Network, NetworkId, Sandbox, SandboxId } from '../model/types.ts'
import { changesBetween, getIn, valuesOf } from '../net/pmap.ts'
import type { EndpointView } from './driver.ts'
import type { Drivers } from './registry.ts'
import { sandboxFragment } from './sandbox.ts'

/** `network/<id>`, `endpoint/<id>` or `sandbox/<id>`. */
export type OwnerKey = string
export const ownerKey = ({ of, id }: Owner): OwnerKey => `${of}/${id}`

/** One owner's objects; empty when it is gone or wants nothing. */
export type OwnerFragment = Readonly<{ owner: Owner; fragment: Fragment }>

/** One that other hosts share is made here only when something of this host is on it. */
const isMadeHere = (model: Model, network: Network): boolean =>
  !isShared(model, network) || hasJoined(model, network.id)

const renderNetwork = (drivers: Drivers, model: Model, network: Network): Fragment =>
  isMadeHere(model, network) ? (drivers.get(network.driver)?.network({ network, config: network.config }) ?? []) : []

type Ways = Readonly<{ 4: WayOut | null; 6: WayOut | null }>

/** A sandbox's ways out; asked for by the sandbox and by each of its endpoints, found once. */
type WaysOf = (sandbox: SandboxId) => Ways

const waysIn = (model: Model): WaysOf => {
  const known = new Map<SandboxId, Ways>()
  return (sandbox) => {
    const ways = known.get(sandbox) ?? waysOut(model, sandbox)
    known.set(sandbox, ways)
    return ways
  }
}

const waysOut = (model: Model, sandbox: SandboxId): Ways => {
  const placed = endpointsIn(model, sandbox)
  return { 4: wayOut(placed, 4), 6: wayOut(placed, 6) }
}

/** Those of an endpoint but a way out, which the sandbox has one of a family of at most (sandbox.ts). */
const staticRoutes = ({ endpoint: { attachment }, sandbox: { ns } }: EndpointView): Fragment =>
  attachment.routes
    .filter(({ to }) => to.bits > 0)
    .map(({ to, via }) => ({ kind: 'route', ns, to, via, dev: attachment.ifName, metric: 0 }))

const renderEndpoint = (drivers: Drivers, model: Model, waysOf: WaysOf, endpoint: JoinedEndpoint): Fragment => {
  const network = getIn(model.networks, endpoint.network)
  const sandbox = getIn(model.sandboxes, endpoint.attachment.sandbox)
  const driver = network === undefined ? undefined : drivers.get(network.driver)
  if (network === undefined || sandbox === undefined || driver === undefined || !hasNamespace(sandbox)) return []
  const ways = waysOf(sandbox.id)
  const publishes = {
    4: ways[4]?.endpoint.id === endpoint.id ? sandbox.ports : [],
    6: ways[6]?.endpoint.id === endpoint.id ? sandbox.ports : [],
  }
  const linked = linkedWith(model, endpoint)
  const view: EndpointView = { network, config: network.config, endpoint, sandbox, publishes, linked }
  return [...driver.endpoint(view), ...staticRoutes(view)]
}

const renderSandbox = (waysOf: WaysOf, sandbox: Sandbox): Fragment => {
  if (!hasNamespace(sandbox)) return []
  const ways = waysOf(sandbox.id)
  return sandboxFragment(sandbox, ways[4], ways[6])
}

const joined = (endpoint: Endpoint | undefined): endpoint is JoinedEndpoint =>
  endpoint !== undefined && endpoint.attachment !== null

const renderThose = (
  drivers: Drivers,
  model: Model,
  networks: Iterable<NetworkId>,
  sandboxes: Iterable<SandboxId>,
  endpoints: Iterable<EndpointId>,
): ReadonlyArray<OwnerFragment> => {
  const waysOf = waysIn(model)
  const rendered: OwnerFragment[] = []
  for (const id of networks) {
    const network = getIn(model.networks, id)
    rendered.push({
      owner: { of: 'network', id },
      fragment: network === undefined ? [] : renderNetwork(drivers, model, network),
    })
  }
  for (const id of sandboxes) {
    const sandbox = getIn(model.sandboxes, id)
    rendered.push({
      owner: { of: 'sandbox', id },
      fragment: sandbox === undefined ? [] : renderSandbox(waysOf, sandbox),
    })
  }
  for (const id of endpoints) {
    const endpoint = getIn(model.endpoints, id)
    const fragment = joined(endpoint) ? renderEndpoint(drivers, model, waysOf, endpoint) : []
    rendered.push({ owner: { of: 'endpoint', id }, fragment })
  }
  return rendered
}

export const renderAll = (drivers: Drivers, model: Model): ReadonlyArray<OwnerFragment> =>
  renderThose(
    drivers,
    model,
    valuesOf(model.networks).map(({ id }) => id),
    valuesOf(model.sandboxes).map(({ id }) => id),
    valuesOf(model.endpoints).map(({ id }) => id),
  )

type Touched = Readonly<{ networks: Set<NetworkId>; sandboxes: Set<SandboxId>; endpoints: Set<EndpointId> }>

/**
 * Whose inputs changed. A fragment reads its own object and: a shared network's whether an endpoint of this host is joined to it; an
 * endpoint's its network, its sandbox and the sandbox's other
 * endpoints (which of them is the way out), and those that it is linked with, with their sandboxes; a sandbox's its endpoints and
 * their networks.
 */
const touched = (before: Model, after: Model): Touched => {
  const networks = new Set<NetworkId>()
  const sandboxes = new Set<SandboxId>()
  const endpoints = new Set<EndpointId>()
  const touchSandbox = (id: SandboxId): void => {
    if (sandboxes.has(id)) return
    sandboxes.add(id)
    for (const endpoint of endpointIdsIn(after, id)) endpoints.add(endpoint)
  }
  const touchEndpoint = (endpoint: Endpoint | undefined): void => {
    if (endpoint === undefined) return
    if (isElsewhere(before, endpoint.id) || isElsewhere(after, endpoint.id)) return
    endpoints.add(endpoint.id)
    if (endpoint.attachment === null) return
    touchSandbox(endpoint.attachment.sandbox)
    const network = getIn(after.networks, endpoint.network)
    if (network !== undefined && isShared(after, network)) networks.add(network.id)
  }
  // Casts: the keys of these maps are the ids of their values.
  for (const { key } of changesBetween(before.networks, after.networks)) {
    networks.add(key as NetworkId)
    for (const endpoint of endpointsOn(after, key as NetworkId)) touchEndpoint(endpoint)
  }
  for (const { key } of changesBetween(before.sandboxes, after.sandboxes)) touchSandbox(key as SandboxId)
  for (const change of changesBetween(before.endpoints, after.endpoints)) {
    touchEndpoint(change.before)
    touchEndpoint(change.after)
  }
  for (const id of linkedBetween(before, after, endpoints)) endpoints.add(id)
  return { networks, sandboxes, endpoints }
}

/** Whom these endpoints were or are linked with. */
const linkedBetween = (before: Model, after: Model, ids: Iterable<EndpointId>): ReadonlyArray<EndpointId> =>
  [before, after]
    .filter(({ index }) => index.byLink.root !== null)
    .flatMap((model) =>
      [...ids].flatMap((id) => {
        const endpoint = getIn(model.endpoints, id)
        return joined(endpoint) ? linkedWith(model, endpoint).map(({ peer }) => peer.id) : []
      }),
    )

/** The fragments that may differ between two versions, as they are in the later one. */
export const renderChanged = (drivers: Drivers, before: Model, after: Model): ReadonlyArray<OwnerFragment> => {
  const { networks, sandboxes, endpoints } = touched(before, after)
  return renderThose(drivers, after, networks, sandboxes, endpoints)
}
