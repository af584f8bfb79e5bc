// How to find things in a model without looking at all of them. Derived: each function follows one fact that `evolve` knows.
// Invariant: what is found here is in the model, and nothing else is (invariants.ts).

import { showIp } from '../net/ip.ts'
import { HOST } from '../net/name.ts'
import { emptyMap, getIn, hasIn, type PMap, removeIn, setIn, sizeOfMap, valuesOf } from '../net/pmap.ts'
import type {
  Attachment,
  Endpoint,
  EndpointId,
  Index,
  Model,
  Network,
  NetworkId,
  NetworkScope,
  PortBinding,
  PortHolder,
  Sandbox,
} from './types.ts'

export const EMPTY_INDEX: Index = {
  networkNames: emptyMap(),
  containers: emptyMap(),
  namespaces: emptyMap(),
  byNetwork: emptyMap(),
  bySandbox: emptyMap(),
  byLink: emptyMap(),
  byPort: emptyMap(),
}

type Groups<V> = PMap<PMap<V>>

const grouped = <V>(groups: Groups<V>, group: string, key: string, value: V): Groups<V> =>
  setIn(groups, group, setIn(getIn(groups, group) ?? emptyMap(), key, value))

/** Without an entry; a group that is empty goes. */
const ungrouped = <V>(groups: Groups<V>, group: string, key: string): Groups<V> => {
  const rest = removeIn<V>(getIn(groups, group) ?? emptyMap(), key)
  return sizeOfMap(rest) === 0 ? removeIn(groups, group) : setIn(groups, group, rest)
}

// Field by field on the way of a join: a spread would cost more than the rest.
const withSandboxes = (
  { networkNames, containers, namespaces, byNetwork, byPort }: Index,
  bySandbox: Index['bySandbox'],
  byLink: Index['byLink'],
): Index => ({ networkNames, containers, namespaces, byNetwork, bySandbox, byLink, byPort })

const scopedName = (scope: NetworkScope, name: string): string => `${scope}/${name}`

/** The local network of this name, else the shared one. */
export const networkCalled = ({ networkNames }: Index, name: string): NetworkId | undefined =>
  getIn(networkNames, scopedName('local', name)) ?? getIn(networkNames, scopedName('global', name))

export const indexNetwork = (index: Index, { id, scope, name }: Network): Index => ({
  ...index,
  networkNames: setIn(index.networkNames, scopedName(scope, name), id),
})

export const forgetNetwork = (index: Index, { scope, name }: Network): Index => ({
  ...index,
  networkNames: removeIn(index.networkNames, scopedName(scope, name)),
})

export const indexEndpoint = (index: Index, { id, network, name }: Endpoint): Index => ({
  ...index,
  byNetwork: grouped(index.byNetwork, network, name, id),
})

export const forgetEndpoint = (index: Index, { network, name }: Endpoint): Index => ({
  ...index,
  byNetwork: ungrouped<EndpointId>(index.byNetwork, network, name),
})

const linkGroup = (network: NetworkId, name: string): string => `${network}/${name}`

/** The endpoints of a network that link to this name there. */
export const linkersTo = ({ byLink }: Index, network: NetworkId, name: string): ReadonlyArray<EndpointId> =>
  byLink.root === null ? [] : valuesOf(getIn(byLink, linkGroup(network, name)) ?? emptyMap<EndpointId>())

export const indexJoin = (index: Index, { id, network }: Endpoint, { sandbox, links }: Attachment): Index =>
  withSandboxes(
    index,
    grouped(index.bySandbox, sandbox, id, id),
    links.reduce((now, { to }) => grouped(now, linkGroup(network, to), id, id), index.byLink),
  )

export const forgetJoin = (index: Index, { id, network }: Endpoint, { sandbox, links }: Attachment): Index =>
  withSandboxes(
    index,
    ungrouped<EndpointId>(index.bySandbox, sandbox, id),
    links.reduce((now, { to }) => ungrouped<EndpointId>(now, linkGroup(network, to), id), index.byLink),
  )

type HostPort = Readonly<Pick<PortBinding, 'transport' | 'hostPort'>>
const groupOf = ({ transport, hostPort }: HostPort): string => `${transport}/${hostPort}`
const keyIn = ({ id }: Sandbox, { hostIp }: PortBinding): string => `${id}/${hostIp === null ? '' : showIp(hostIp)}`

/** Who publishes this port of the host, on whatever address. */
export const holdersOf = (index: Index, hostPort: HostPort): PMap<PortHolder> =>
  getIn(index.byPort, groupOf(hostPort)) ?? emptyMap()

export const indexSandbox = (index: Index, sandbox: Sandbox): Index => {
  const { id, container, ns, ports } = sandbox
  return {
    ...index,
    containers: setIn(index.containers, container, id),
    namespaces: ns === HOST ? index.namespaces : setIn(index.namespaces, ns, id),
    byPort: ports.reduce<Index['byPort']>(
      (now, binding) => grouped(now, groupOf(binding), keyIn(sandbox, binding), { sandbox: id, binding }),
      index.byPort,
    ),
  }
}

export const forgetSandbox = (index: Index, sandbox: Sandbox): Index => ({
  ...index,
  containers: removeIn(index.containers, sandbox.container),
  namespaces: removeIn(index.namespaces, sandbox.ns),
  byPort: sandbox.ports.reduce<Index['byPort']>(
    (now, binding) => ungrouped<PortHolder>(now, groupOf(binding), keyIn(sandbox, binding)),
    index.byPort,
  ),
})

/** The index of these objects, made from nothing. An endpoint elsewhere is in no sandbox of ours. */
export const indexOf = ({
  networks,
  endpoints,
  sandboxes,
  cluster: { elsewhere },
}: Readonly<Pick<Model, 'networks' | 'endpoints' | 'sandboxes' | 'cluster'>>): Index => {
  const named = valuesOf(networks).reduce(indexNetwork, EMPTY_INDEX)
  const housed = valuesOf(sandboxes).reduce(indexSandbox, named)
  return valuesOf(endpoints).reduce((index, endpoint) => {
    const found = indexEndpoint(index, endpoint)
    const { id, attachment } = endpoint
    return attachment === null || hasIn(elsewhere, id) ? found : indexJoin(found, endpoint, attachment)
  }, housed)
}
