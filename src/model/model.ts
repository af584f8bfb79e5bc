// The empty model, and look-ups that answer with an error that names what is missing.

import { freshIpam } from '../ipam/space.ts'
import type { Ipam } from '../ipam/types.ts'
import { emptyMap, getIn } from '../net/pmap.ts'
import { E, type Either } from '../prelude.ts'
import type { CnmError } from './error.ts'
import { EMPTY_INDEX } from './index.ts'
import { EMPTY_LEDGER } from './plugin/ledger.ts'
import type { Endpoint, EndpointId, HostId, Model, Network, NetworkId, Sandbox, SandboxId } from './types.ts'

/** `host`: which it is among those that share a store; null: it shares with nobody. */
export const freshModel = (host: HostId | null = null, ipam: Ipam = freshIpam()): Model => ({
  networks: emptyMap(),
  endpoints: emptyMap(),
  sandboxes: emptyMap(),
  ledger: EMPTY_LEDGER,
  ipam,
  index: EMPTY_INDEX,
  cluster: { host, elsewhere: emptyMap(), here: emptyMap(), joined: emptyMap(), held: emptyMap() },
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

/** One that this host may do something with. */
export const findEndpointHere = (model: Model, id: EndpointId): Either<CnmError, Endpoint> => {
  const found = findEndpoint(model, id)
  const host = getIn(model.cluster.elsewhere, id)
  return E.isLeft(found) || host === undefined ? found : fail({ tag: 'OnOtherHost', endpoint: found.right.name, host })
}

export const findSandbox = (model: Model, id: SandboxId): Either<CnmError, Sandbox> => {
  const found = getIn(model.sandboxes, id)
  return found === undefined ? fail({ tag: 'NotFound', what: 'sandbox', id }) : E.right(found)
}
