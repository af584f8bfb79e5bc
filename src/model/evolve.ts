// What is true now that this has happened? Total: `decide` has made every choice, so nothing can be refused here. What
// cannot be (an address that is taken after all) is a defect, and throws.

import type { IpamError } from '../ipam/error.ts'
import { poolOf } from '../ipam/pool-id.ts'
import { releaseIp, releasePool, takeIp, takePool } from '../ipam/space.ts'
import type { Ipam } from '../ipam/types.ts'
import { getIn, removeIn, setIn } from '../net/pmap.ts'
import { E, type Either } from '../prelude.ts'
import { counting, isElsewhere, isShared, joining, placing } from './cluster.ts'
import type { CnmEvent } from './event.ts'
import {
  forgetEndpoint,
  forgetJoin,
  forgetNetwork,
  forgetSandbox,
  indexEndpoint,
  indexJoin,
  indexNetwork,
  indexSandbox,
} from './index.ts'
import { closed, noted } from './plugin/ledger.ts'
import type {
  Attachment,
  Cluster,
  Endpoint,
  EndpointId,
  HostId,
  Model,
  Network,
  NetworkId,
  Sandbox,
  SandboxId,
} from './types.ts'

const certain = (what: string, result: Either<IpamError, Ipam>): Ipam => {
  if (E.isLeft(result)) throw new Error(`evolve: ${what}: ${result.left.tag}`)
  return result.right
}

const withPools = (ipam: Ipam, network: Network): Ipam => {
  let now = ipam
  for (const { pool, subnet, range, gateway, aux } of network.pools) {
    const space = pool.startsWith('GlobalDefault/') ? 'GlobalDefault' : 'LocalDefault'
    now = certain(`pool ${pool}`, takePool(now, poolOf(space, subnet, range)))
    for (const ip of Object.values(aux)) now = certain(`auxiliary address in ${pool}`, takeIp(now, pool, ip))
    if (gateway !== null) now = certain(`gateway in ${pool}`, takeIp(now, pool, gateway))
  }
  return now
}

/** The gateway's and the auxiliary addresses go first: another network may go on using the subnet. */
const withoutPools = (ipam: Ipam, network: Network): Ipam => {
  let now = ipam
  for (const { pool, gateway, aux } of network.pools) {
    for (const ip of [...Object.values(aux), ...(gateway === null ? [] : [gateway])])
      now = certain(`own address of ${pool}`, releaseIp(now, pool, ip))
    now = certain(`pool ${pool}`, releasePool(now, pool))
  }
  return now
}

// Field by field where a join passes: a copy of a copy made by `...` costs V8 more than all the rest.
const withJoins = (
  { networks, sandboxes, ledger, ipam }: Model,
  endpoints: Model['endpoints'],
  index: Model['index'],
  cluster: Cluster,
): Model => ({ networks, endpoints, sandboxes, ledger, ipam, index, cluster })

const attached = (endpoint: Endpoint, attachment: Attachment | null): Endpoint => ({
  id: endpoint.id,
  network: endpoint.network,
  name: endpoint.name,
  aliases: endpoint.aliases,
  asked: endpoint.asked,
  mac: endpoint.mac,
  addresses: endpoint.addresses,
  linkLocal: endpoint.linkLocal,
  resolution: endpoint.resolution,
  sysctls: endpoint.sysctls,
  exposed: endpoint.exposed,
  attachment,
})

const isKnownToOthers = (model: Model, { network: id }: Endpoint): boolean => {
  const network = model.cluster.host === null ? undefined : getIn(model.networks, id)
  return network !== undefined && isShared(model, network)
}

/** The cluster with an endpoint joined or not, if others know it. */
const clusterJoined = (model: Model, endpoint: Endpoint, yes: boolean): Cluster =>
  isKnownToOthers(model, endpoint) ? joining(model.cluster, endpoint, yes) : model.cluster

const joined = (model: Model, id: EndpointId, attachment: Attachment): Model => {
  const endpoint = getIn(model.endpoints, id)
  if (endpoint === undefined) return model
  return withJoins(
    model,
    setIn(model.endpoints, id, attached(endpoint, attachment)),
    indexJoin(model.index, endpoint, attachment),
    clusterJoined(model, endpoint, true),
  )
}

const left = (model: Model, id: EndpointId): Model => {
  const endpoint = getIn(model.endpoints, id)
  if (endpoint === undefined || endpoint.attachment === null) return model
  return withJoins(
    model,
    setIn(model.endpoints, id, attached(endpoint, null)),
    forgetJoin(model.index, endpoint, endpoint.attachment),
    clusterJoined(model, endpoint, false),
  )
}

/** The cluster with an endpoint of this host, if others know it; or without it. */
const clusterWith = (model: Model, endpoint: Endpoint, yes: boolean): Cluster =>
  isKnownToOthers(model, endpoint) ? counting(model.cluster, endpoint, yes) : model.cluster

/** `host` null: this one. */
const endpointCreated = (model: Model, endpoint: Endpoint, host: HostId | null = null): Model => {
  const { id, addresses, attachment } = endpoint
  const index = indexEndpoint(model.index, endpoint)
  return {
    ...model,
    endpoints: setIn(model.endpoints, id, endpoint),
    ipam: addresses.reduce(
      (now, { pool, cidr }) => certain(`address in ${pool}`, takeIp(now, pool, cidr.ip)),
      model.ipam,
    ),
    index: attachment === null || host !== null ? index : indexJoin(index, endpoint, attachment),
    cluster: host === null ? clusterWith(model, endpoint, true) : placing(model.cluster, id, host),
  }
}

const endpointRenamed = (model: Model, event: Extract<CnmEvent, { tag: 'EndpointRenamed' }>): Model => {
  const before = getIn(model.endpoints, event.id)
  if (before === undefined) return model
  const after = { ...before, name: event.name, aliases: event.aliases }
  return {
    ...model,
    endpoints: setIn(model.endpoints, event.id, after),
    index: indexEndpoint(forgetEndpoint(model.index, before), after),
  }
}

const endpointDeleted = (model: Model, id: EndpointId): Model => {
  const endpoint = getIn(model.endpoints, id)
  if (endpoint === undefined) return model
  const away = left(model, id)
  return {
    ...away,
    endpoints: removeIn(model.endpoints, id),
    ipam: endpoint.addresses.reduce(
      (now, { pool, cidr }) => certain(`address in ${pool}`, releaseIp(now, pool, cidr.ip)),
      model.ipam,
    ),
    index: forgetEndpoint(away.index, endpoint),
    cluster: isElsewhere(model, id) ? placing(model.cluster, id, null) : clusterWith(model, endpoint, false),
  }
}

/** A sandbox in the place of what was there under its id, if anything was. */
const sandboxIs = (model: Model, sandbox: Sandbox): Model => {
  const before = getIn(model.sandboxes, sandbox.id)
  return {
    ...model,
    sandboxes: setIn(model.sandboxes, sandbox.id, sandbox),
    index: indexSandbox(before === undefined ? model.index : forgetSandbox(model.index, before), sandbox),
  }
}

const sandboxDeleted = (model: Model, id: SandboxId): Model => {
  const sandbox = getIn(model.sandboxes, id)
  if (sandbox === undefined) return model
  return { ...model, sandboxes: removeIn(model.sandboxes, id), index: forgetSandbox(model.index, sandbox) }
}

const networkCreated = (model: Model, network: Network): Model => ({
  ...model,
  networks: setIn(model.networks, network.id, network),
  ipam: withPools(model.ipam, network),
  index: indexNetwork(model.index, network),
})

const networkDeleted = (model: Model, id: NetworkId): Model => {
  const network = getIn(model.networks, id)
  if (network === undefined) return model
  return {
    ...model,
    networks: removeIn(model.networks, id),
    ipam: withoutPools(model.ipam, network),
    index: forgetNetwork(model.index, network),
  }
}

export const evolve = (model: Model, event: CnmEvent): Model => {
  switch (event.tag) {
    case 'NetworkCreated':
      return networkCreated(model, event.network)
    case 'NetworkDeleted':
      return networkDeleted(model, event.id)
    case 'SandboxCreated':
    case 'SandboxChanged':
      return sandboxIs(model, event.sandbox)
    case 'SandboxDeleted':
      return sandboxDeleted(model, event.id)
    case 'EndpointCreated':
      return endpointCreated(model, event.endpoint)
    case 'EndpointRenamed':
      return endpointRenamed(model, event)
    case 'EndpointDeleted':
      return endpointDeleted(model, event.id)
    case 'Joined':
      return joined(model, event.endpoint, event.attachment)
    case 'Left':
      return left(model, event.endpoint)
    case 'PeerIs':
      return endpointCreated(endpointDeleted(model, event.peer.endpoint.id), event.peer.endpoint, event.peer.host)
    case 'PeerGone':
      return endpointDeleted(model, event.id)
    case 'CallNoted':
      return { ...model, ledger: noted(model.ledger, event.call) }
    case 'CallClosed':
      return { ...model, ledger: closed(model.ledger, event.key) }
    case 'CallsCounted':
      return { ...model, ledger: { ...model.ledger, last: event.last } }
  }
}
