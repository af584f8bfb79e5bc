// The kernel would not hold what an owner wants. The owner goes from the model, with what depends on it; the next diff
// takes back what was half done. An owner that is gone already needs nothing.

import { getIn, hasIn } from '../../net/pmap.ts'
import type { KernelRefused } from '../command.ts'
import type { CnmEvent } from '../event.ts'
import { endpointsIn, endpointsOn } from '../queries.ts'
import type { Endpoint, Model } from '../types.ts'

const left = (endpoint: Endpoint): ReadonlyArray<CnmEvent> =>
  endpoint.attachment === null ? [] : [{ tag: 'Left', endpoint: endpoint.id }]

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
    case 'network': {
      if (!hasIn(model.networks, owner.id)) return []
      const endpoints = endpointsOn(model, owner.id).flatMap(
        (endpoint): ReadonlyArray<CnmEvent> => [...left(endpoint), { tag: 'EndpointDeleted', id: endpoint.id }],
      )
      return [...endpoints, { tag: 'NetworkDeleted', id: owner.id }]
    }
  }
}
