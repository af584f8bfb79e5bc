// What a host of a cluster knows beside its own: which endpoints are elsewhere, and which of the shared ones are here, with their
// addresses. Networks of global scope are shared, by name, subnet and endpoint; sandboxes, and all else, are of one host.
// Invariant: of the endpoints of shared networks, those in `here` are those that are not in `elsewhere` (invariants.ts).

import { emptySet, release, take } from '../ipam/address-set.ts'
import { wholeId } from '../ipam/pool-id.ts'
import { hostBits, placeOf } from '../ipam/subnet.ts'
import { firstOf } from '../net/cidr.ts'
import { emptyMap, getIn, hasIn, type PMap, removeIn, setIn, sizeOfMap, valuesOf } from '../net/pmap.ts'
import { E, type Either } from '../prelude.ts'
import type { Cluster, Endpoint, EndpointAddress, EndpointId, HostId, Model, Network, NetworkId } from './types.ts'

const HOST_ID = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/

/** Left: what a host's name is made of. */
export const parseHostId = (text: string): Either<string, HostId> =>
  HOST_ID.test(text)
    ? E.right(text as HostId) // A cast: this is where they are made.
    : E.left(
        'a host is named with 1 to 64 letters, digits, dots, dashes and underscores, beginning and ending with a letter or digit',
      )

/** Whether other hosts know it. */
export const isShared = ({ cluster }: Pick<Model, 'cluster'>, { scope }: Pick<Network, 'scope'>): boolean =>
  cluster.host !== null && scope === 'global'

export const isElsewhere = ({ cluster }: Pick<Model, 'cluster'>, id: EndpointId): boolean =>
  hasIn(cluster.elsewhere, id)

/** Whether something on this host is joined to a shared network. */
export const hasJoined = ({ cluster }: Model, network: NetworkId): boolean => hasIn(cluster.joined, network)

/** The endpoints of a network that are on this host. */
export const endpointsHere = (model: Model, network: NetworkId): ReadonlyArray<Endpoint> => {
  const found = getIn(model.networks, network)
  const group = found !== undefined && isShared(model, found) ? model.cluster.here : model.index.byNetwork
  return valuesOf(getIn(group, network) ?? emptyMap<EndpointId>())
    .map((id) => getIn(model.endpoints, id))
    .filter((endpoint) => endpoint !== undefined)
}

type Held = Cluster['held']

const withHeld =
  (yes: boolean) =>
  (held: Held, { pool, cidr: { ip, bits } }: EndpointAddress): Held => {
    const key = wholeId(pool)
    const subnet = { ip: firstOf({ ip, bits }), bits }
    const before = getIn(held, key) ?? emptySet(hostBits(subnet))
    const after = (yes ? take : release)(before, placeOf(subnet, ip))
    return after.count === 0 ? removeIn(held, key) : setIn(held, key, after)
  }

type Groups = Cluster['here']

const grouped = (groups: Groups, { network, id }: Endpoint, yes: boolean): Groups => {
  const group: PMap<EndpointId> = getIn(groups, network) ?? emptyMap()
  const next = yes ? setIn(group, id, id) : removeIn<EndpointId>(group, id)
  return sizeOfMap(next) === 0 ? removeIn(groups, network) : setIn(groups, network, next)
}

/** With an endpoint of a shared network that is on this host; or, `yes` false, without it. */
export const counting = (cluster: Cluster, endpoint: Endpoint, yes: boolean): Cluster => ({
  ...cluster,
  here: grouped(cluster.here, endpoint, yes),
  joined: grouped(cluster.joined, endpoint, yes && endpoint.attachment !== null),
  held: endpoint.addresses.reduce(withHeld(yes), cluster.held),
})

/** With an endpoint of a shared network joined on this host; or, `yes` false, without. */
export const joining = (cluster: Cluster, endpoint: Endpoint, yes: boolean): Cluster => ({
  ...cluster,
  joined: grouped(cluster.joined, endpoint, yes),
})

export const placing = (cluster: Cluster, id: EndpointId, host: HostId | null): Cluster => ({
  ...cluster,
  elsewhere: host === null ? removeIn(cluster.elsewhere, id) : setIn(cluster.elsewhere, id, host),
})

/** What is derived of it, made from nothing. */
export const clusterOf = ({
  networks,
  endpoints,
  cluster,
}: Pick<Model, 'networks' | 'endpoints' | 'cluster'>): Cluster => {
  const bare: Cluster = { ...cluster, here: emptyMap(), joined: emptyMap(), held: emptyMap() }
  return valuesOf(endpoints).reduce((now, endpoint) => {
    const network = getIn(networks, endpoint.network)
    const isOurs = network !== undefined && isShared({ cluster }, network) && !hasIn(cluster.elsewhere, endpoint.id)
    return isOurs ? counting(now, endpoint, true) : now
  }, bare)
}
