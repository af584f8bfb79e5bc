// The empty model, and look-ups that answer with an error that names what is missing.

import { freshIpam } from '../ipam/space.ts'
import type { Ipam } from '../ipam/types.ts'
import { emptyMap, getIn } from '../net/pmap.ts'
import { E, type Either } from '../prelude.ts'
import type { CnmError } from './error.ts'
import { EMPTY_INDEX } from './index.ts'
import { EMPTY_LEDGER } from './plugin/ledger.ts'
import type { Endpoint, EndpointId, Model, Network, NetworkId, Sandbox, SandboxId } from './types.ts'

export const freshModel = (ipam: Ipam = freshIpam()): Model => ({
  networks: emptyMap(),
  endpoints: emptyMap(),
  sandboxes: emptyMap(),
  ledger: EMPTY_LEDGER,
  ipam,
  index: EMPTY_INDEX,
})

/** A refusal whose tag stays literal. */
export const fail = (error: CnmError): Either<CnmError, never> => E.left(error)

export const findNetwork = (model: Model, id: NetworkId): Either<CnmError, Network> => {
  const found = getIn(model.networks, id)
  return found === undefined ? fail({ tag: 'NotFound', what: 'network', id }) : E.right(found)
}

export const findEndpoint = (model: Model, id: EndpointId): Either<CnmError, Endpoint> => {
  const found = getIn(model.endpoints, id)
  return found === undefined ? fail({ tag: 'NotFound', what: 'endpoint', id }) : E.right(found)
}

export const findSandbox = (model: Model, id: SandboxId): Either<CnmError, Sandbox> => {
  const found = getIn(model.sandboxes, id)
  return found === undefined ? fail({ tag: 'NotFound', what: 'sandbox', id }) : E.right(found)
}
