// Which static routes and links may an endpoint join with? Sources: libnetwork's JoinInfo.AddStaticRoute; the kernel keeps one route
// to a destination (net/ipv4/fib_trie.c), so a second one is refused here, in either order of joining.

import { type Cidr, cidrFamily, contains, covers, isNetwork, networkOf, sameCidr } from '../../net/cidr.ts'
import { type Ip, isLinkLocal, isMulticast } from '../../net/ip.ts'
import type { CnmError } from '../error.ts'
import { endpointNamed, type Placed } from '../queries.ts'
import type { Endpoint, EndpointId, Link, Model, Network, StaticRoute } from '../types.ts'

type Why = Extract<CnmError, { tag: 'BadRoute' }>['why']

const addressesOf = ({ addresses }: Endpoint, to: Cidr): ReadonlyArray<Cidr> =>
  addresses.map(({ cidr }) => cidr).filter((cidr) => cidrFamily(cidr) === cidrFamily(to))

const isNextHop = (own: Cidr, via: Ip): boolean => via !== own.ip && (contains(own, via) || isLinkLocal(via))

const flawOf = (endpoint: Endpoint, { to, via }: StaticRoute): Why | null => {
  if (!isNetwork(to) || (to.bits > 0 && isMulticast(to.ip))) return 'destination'
  if (via !== null && cidrFamily({ ip: via, bits: 0 }) !== cidrFamily(to)) return 'family'
  const own = addressesOf(endpoint, to)
  if (own.length === 0) return 'no address'
  return via === null || own.some((each) => isNextHop(each, via)) ? null : 'next hop'
}

const subnetsOf = ({ addresses }: Endpoint): ReadonlyArray<Cidr> => addresses.map(({ cidr }) => networkOf(cidr))

/** A way out is one of several, and the sandbox chooses; any other destination has one route. */
const isWayOut = ({ to }: StaticRoute): boolean => to.bits === 0

/** Whether a sandbox gets to a destination by this endpoint already. */
const leadsTo =
  (to: Cidr) =>
  ({ endpoint }: Placed): boolean =>
    subnetsOf(endpoint).some((subnet) => covers(subnet, to)) ||
    endpoint.attachment.routes.some((route) => !isWayOut(route) && sameCidr(route.to, to))

export const checkRoutes = (
  endpoint: Endpoint,
  network: Network,
  placed: ReadonlyArray<Placed>,
  routes: ReadonlyArray<StaticRoute>,
): CnmError | null => {
  for (const [i, route] of routes.entries()) {
    const { to, via } = route
    const why = flawOf(endpoint, route)
    if (why !== null) return { tag: 'BadRoute', endpoint: endpoint.name, to, via, why }
    const isHere =
      subnetsOf(endpoint).some((subnet) => covers(subnet, to)) ||
      routes.slice(0, i).some((other) => sameCidr(other.to, to))
    const by = isHere ? network : isWayOut(route) ? undefined : placed.find(leadsTo(to))?.network
    if (by !== undefined) return { tag: 'RouteTaken', endpoint: endpoint.name, to, network: by.name }
  }
  const subnets = subnetsOf(endpoint)
  for (const other of placed)
    for (const route of other.endpoint.attachment.routes)
      if (!isWayOut(route) && subnets.some((subnet) => covers(subnet, route.to)))
        return { tag: 'RouteTaken', endpoint: endpoint.name, to: route.to, network: other.network.name }
  return null
}

/** A sandbox that is on a network twice links there by one of its endpoints, for it needs one way to whom it links to. */
export const checkLinks = (
  model: Model,
  endpoint: Endpoint,
  network: Network,
  placed: ReadonlyArray<Placed>,
  links: ReadonlyArray<Link>,
): CnmError | null => {
  const beside = placed.filter((other) => other.network.id === network.id)
  for (const { to } of links) {
    const target: EndpointId | undefined = endpointNamed(model, network.id, to)
    if (target === undefined || target === endpoint.id)
      return { tag: 'NoSuchLink', endpoint: endpoint.name, to, network: network.name }
    if (beside.some((other) => other.endpoint.attachment.links.some((link) => link.to === to)))
      return { tag: 'LinkTwice', endpoint: endpoint.name, to, network: network.name }
  }
  return null
}
