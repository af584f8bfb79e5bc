// The kernel would not hold what an owner wants. The owner goes from the model, with what depends on it; the next diff
// takes back what was half done. An owner that is gone already needs nothing.

import { getIn, hasIn } from '../../net/pmap.ts'
import { endpointsHere, isShared } from '../cluster.ts'
import type { KernelRefused } from '../command.ts'
import type { CnmEvent } from '../event.ts'
import { endpointsIn, endpointsOn } from '../queries.ts'
import type { Endpoint, Model, NetworkId } from '../types.ts'

export const left = (endpoint: Endpoint): ReadonlyArray<CnmEvent> =>
  endpoint.attachment === null ? [] : [{ tag: 'Left', endpoint: endpoint.id }]

/** A network and all that is on it. */
export const withoutNetwork = (model: Model, id: NetworkId): ReadonlyArray<CnmEvent> => [
  ...endpointsOn(model, id).flatMap(
    (endpoint): ReadonlyArray<CnmEvent> => [...left(endpoint), { tag: 'EndpointDeleted', id: endpoint.id }],
  ),
  { tag: 'NetworkDeleted', id },
]

/** One that other hosts share goes from none of them; here, nothing is on it any more. */
const refusedNetwork = (model: Model, id: NetworkId): ReadonlyArray<CnmEvent> => {
  const network = getIn(model.networks, id)
  if (network === undefined) return []
  return isShared(model, network) ? endpointsHere(model, id).flatMap(left) : withoutNetwork(model, id)
}

export const kernelRefused = (model: Model, { owner }: KernelRefused): ReadonlyArray<CnmEvent> => {
  switch (owner.of) {
    case 'endpoint': {
      const endpoint = getIn(model.endpoints, owner.id)
      return endpoint === undefined ? [] : left(endpoint)
    }
    case 'sandbox': {
      if (!hasIn(model.sandboxes, owner.id)) return []
      const joined = endpointsIn(model, owner.id).flatMap(({ endpoint }) => left(endpoint))
      return [...joined, { tag: 'SandboxDeleted', id: owner.id }]
    }
    case 'network':
      return refusedNetwork(model, owner.id)
  }
}
