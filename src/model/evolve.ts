// What is true now that this has happened? Total: `decide` has made every choice, so nothing can be refused here. What
// cannot be (an address that is taken after all) is a defect, and throws.

import type { IpamError } from '../ipam/error.ts'
import { poolOf } from '../ipam/pool-id.ts'
import { releaseIp, releasePool, takeIp, takePool } from '../ipam/space.ts'
import type { Ipam } from '../ipam/types.ts'
import { emptyMap, getIn, type PMap, removeIn, setIn, sizeOfMap } from '../net/pmap.ts'
import { E, type Either } from '../prelude.ts'
import type { CnmEvent } from './event.ts'
import type { Attachment, Endpoint, EndpointId, Model, Network } from './types.ts'

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

type Index = PMap<PMap<EndpointId>>

const indexed = (index: Index, group: string, key: string, id: EndpointId): Index =>
  setIn(index, group, setIn(getIn(index, group) ?? emptyMap(), key, id))

const unindexed = (index: Index, group: string, key: string): Index => {
  const rest = removeIn(getIn(index, group) ?? emptyMap<EndpointId>(), key)
  return sizeOfMap(rest) === 0 ? removeIn(index, group) : setIn(index, group, rest)
}

const joined = (model: Model, id: EndpointId, attachment: Attachment): Model => {
  const endpoint = getIn(model.endpoints, id)
  if (endpoint === undefined) return model
  return {
    ...model,
    endpoints: setIn(model.endpoints, id, { ...endpoint, attachment }),
    bySandbox: indexed(model.bySandbox, attachment.sandbox, id, id),
  }
}

const left = (model: Model, id: EndpointId): Model => {
  const endpoint = getIn(model.endpoints, id)
  if (endpoint === undefined || endpoint.attachment === null) return model
  return {
    ...model,
    endpoints: setIn(model.endpoints, id, { ...endpoint, attachment: null }),
    bySandbox: unindexed(model.bySandbox, endpoint.attachment.sandbox, id),
  }
}

const endpointCreated = (model: Model, endpoint: Endpoint): Model => {
  const { id, network, name, addresses, attachment } = endpoint
  return {
    ...model,
    endpoints: setIn(model.endpoints, id, endpoint),
    ipam: addresses.reduce(
      (now, { pool, cidr }) => certain(`address in ${pool}`, takeIp(now, pool, cidr.ip)),
      model.ipam,
    ),
    byNetwork: indexed(model.byNetwork, network, name, id),
    bySandbox: attachment === null ? model.bySandbox : indexed(model.bySandbox, attachment.sandbox, id, id),
  }
}

const endpointDeleted = (model: Model, id: EndpointId): Model => {
  const endpoint = getIn(model.endpoints, id)
  if (endpoint === undefined) return model
  return {
    ...left(model, id),
    endpoints: removeIn(model.endpoints, id),
    ipam: endpoint.addresses.reduce(
      (now, { pool, cidr }) => certain(`address in ${pool}`, releaseIp(now, pool, cidr.ip)),
      model.ipam,
    ),
    byNetwork: unindexed(model.byNetwork, endpoint.network, endpoint.name),
  }
}

export const evolve = (model: Model, event: CnmEvent): Model => {
  switch (event.tag) {
    case 'NetworkCreated': {
      const { network } = event
      return {
        ...model,
        networks: setIn(model.networks, network.id, network),
        ipam: withPools(model.ipam, network),
      }
    }
    case 'NetworkDeleted': {
      const network = getIn(model.networks, event.id)
      if (network === undefined) return model
      return { ...model, networks: removeIn(model.networks, event.id), ipam: withoutPools(model.ipam, network) }
    }
    case 'SandboxCreated':
      return { ...model, sandboxes: setIn(model.sandboxes, event.sandbox.id, event.sandbox) }
    case 'SandboxDeleted':
      return { ...model, sandboxes: removeIn(model.sandboxes, event.id) }
    case 'EndpointCreated':
      return endpointCreated(model, event.endpoint)
    case 'EndpointDeleted':
      return endpointDeleted(model, event.id)
    case 'Joined':
      return joined(model, event.endpoint, event.attachment)
    case 'Left':
      return left(model, event.endpoint)
  }
}
