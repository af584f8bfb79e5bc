// What other hosts say: their endpoints, and networks that come and go. News is of what is so already, so nothing of it is refused; what
// is known changes nothing. It may be behind what this host has written itself. In an order in which no name, no address and no subnet is taken before it is free.

import { getPool } from '../../ipam/space.ts'
import { isTaken } from '../../ipam/subnet.ts'
import { getIn, hasIn } from '../../net/pmap.ts'
import { isElsewhere } from '../cluster.ts'
import { encode } from '../codec.ts'
import type { SharedNews } from '../command.ts'
import type { CnmEvent } from '../event.ts'
import { evolve } from '../evolve.ts'
import { endpointNamed } from '../queries.ts'
import type { EndpointId, Model, NetworkId, Peer } from '../types.ts'
import { withoutNetwork } from './refusal.ts'

type Events = ReadonlyArray<CnmEvent>

const same = (a: unknown, b: unknown): boolean => a === b || encode(a) === encode(b)

const isKnown = (model: Model, { host, endpoint }: Peer): boolean => {
  const known = getIn(model.endpoints, endpoint.id)
  return known !== undefined && getIn(model.cluster.elsewhere, endpoint.id) === host && same(known, endpoint)
}

const peersGone = (ids: Iterable<EndpointId>): Events => [...new Set(ids)].map((id) => ({ tag: 'PeerGone', id }))

/**
 * News from before what this host has written since: its name or an address of it is ours, which the store gave us when nobody had it. So it
 * has gone or changed, and that is still to be heard.
 */
const isPast = (model: Model, { endpoint: { id, network, name, addresses } }: Peer): boolean => {
  if (hasIn(model.endpoints, id)) return false
  if (endpointNamed(model, network, name) !== undefined) return true
  return addresses.some(({ pool, cidr }) => {
    const subnet = getPool(model.ipam, pool)?.subnet
    return subnet !== undefined && isTaken(subnet, cidr.ip)
  })
}

/** An endpoint of ours that others say is gone, or elsewhere, was taken from us: that is for the engine to find out. */
export const sharedNews = (model: Model, { networks, peers, gone }: SharedNews): Events => {
  const fresh = peers.filter((peer) => !isKnown(model, peer))
  const changed = networks.filter((network) => !same(getIn(model.networks, network.id), network))
  const first = peersGone(
    [...gone.endpoints, ...fresh.map(({ endpoint }) => endpoint.id)].filter((id) => isElsewhere(model, id)),
  )
  const without = first.reduce(evolve, model)
  const dropped = new Set<NetworkId>([...gone.networks, ...changed.map(({ id }) => id)])
  return [
    ...first,
    // What is on a network goes before it does; if something of ours seems to be there, it is not there any more.
    ...[...dropped].filter((id) => hasIn(model.networks, id)).flatMap((id) => withoutNetwork(without, id)),
    ...changed.map((network): CnmEvent => ({ tag: 'NetworkCreated', network })),
    ...fresh.filter((peer) => !isPast(without, peer)).map((peer): CnmEvent => ({ tag: 'PeerIs', peer })),
  ]
}
