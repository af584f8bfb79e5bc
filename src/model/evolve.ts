// What is true now that this has happened? Total: `decide` has made every choice, so nothing can be refused here. What
// cannot be (an address that is taken after all) is a defect, and throws.

import type { IpamError } from '../ipam/error.ts'
import { freshPool } from '../ipam/pool.ts'
import { releaseIp, releasePool, takeIp, takePool } from '../ipam/space.ts'
import type { Ipam } from '../ipam/types.ts'
import { getIn, removeIn, setIn } from '../net/pmap.ts'
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
    now = certain(`pool ${pool}`, takePool(now, freshPool(space, subnet, range)))
    for (const ip of Object.values(aux)) now = certain(`auxiliary address in ${pool}`, takeIp(now, pool, ip))
    if (gateway !== null) now = certain(`gateway in ${pool}`, takeIp(now, pool, gateway))
  }
  return now
}

const attach = (model: Model, id: EndpointId, attachment: Attachment | null): Model => {
  const endpoint: Endpoint | undefined = getIn(model.endpoints, id)
  return endpoint === undefined
    ? model
    : { ...model, endpoints: setIn(model.endpoints, id, { ...endpoint, attachment }) }
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
      const pools = getIn(model.networks, event.id)?.pools ?? []
      const ipam = pools.reduce((now, { pool }) => releasePool(now, pool), model.ipam)
      return { ...model, networks: removeIn(model.networks, event.id), ipam }
    }
    case 'SandboxCreated':
      return { ...model, sandboxes: setIn(model.sandboxes, event.sandbox.id, event.sandbox) }
    case 'SandboxDeleted':
      return { ...model, sandboxes: removeIn(model.sandboxes, event.id) }
    case 'EndpointCreated': {
      const { endpoint } = event
      const ipam = endpoint.addresses.reduce(
        (now, { pool, cidr }) => certain(`address in ${pool}`, takeIp(now, pool, cidr.ip)),
        model.ipam,
      )
      return { ...model, endpoints: setIn(model.endpoints, endpoint.id, endpoint), ipam }
    }
    case 'EndpointDeleted': {
      const addresses = getIn(model.endpoints, event.id)?.addresses ?? []
      const ipam = addresses.reduce((now, { pool, cidr }) => releaseIp(now, pool, cidr.ip), model.ipam)
      return { ...model, endpoints: removeIn(model.endpoints, event.id), ipam }
    }
    case 'Joined':
      return attach(model, event.endpoint, event.attachment)
    case 'Left':
      return attach(model, event.endpoint, null)
  }
}
