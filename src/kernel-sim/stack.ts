// What the network stack of a namespace holds, as Linux tells it (kernel/rtnl/stack.ts): what was asked for, and what the kernel
// made of it by itself. Source: rtnl_fill_ifinfo, inet_fill_ifaddr, fib_dump_info, rt6_fill_node, fib_nl_fill_rule.

import type {
  AddressFacts,
  HopFacts,
  KindFacts,
  LinkFacts,
  NeighbourFacts,
  RouteFacts,
  RuleFacts,
  Stack,
  VlanFacts,
} from '../kernel/rtnl/stack.ts'
import { compareCidr } from '../net/cidr.ts'
import { compareIp, type Family, familyOf, isIp4, isUnspecified } from '../net/ip.ts'
import type { IfName, Ns } from '../net/name.ts'
import { entriesOf, getIn, valuesOf } from '../net/pmap.ts'
import { hasCarrier } from './control/carrier.ts'
import { NEW_BRIDGE } from './control/link-facts.ts'
import { isTentative, type LinkEntry, type Place, type VxlanSpec } from './link-entry.ts'
import { factsOfFdb } from './stack-fdb.ts'
import { isNameless, type NsEntry, type RouteEntry, type World } from './state.ts'

const byKey = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** RTPROT_KERNEL. */
const KERNEL = 2

/** A namespace without a name is out of sight. */
const peerOf = ({ ns, name }: Place): Extract<KindFacts, { kind: 'veth' }>['peer'] =>
  isNameless(ns) ? null : { ns, name }

/** An address of zeros is none. */
const vxlanOf = ({ type: kind, net: _, family: __, via: ___, remote, local, ...rest }: VxlanSpec): KindFacts => ({
  kind,
  ...rest,
  ...(remote === undefined || isUnspecified(remote) ? {} : { remote }),
  ...(local === undefined || isUnspecified(local) ? {} : { local }),
})

const kindOf = ({ spec, bridge }: LinkEntry): KindFacts => {
  switch (spec.type) {
    case 'loopback':
    case 'dummy':
    case 'tap':
      return { kind: spec.type }
    case 'nic':
      // Without a kind, as the cards of a machine are.
      return { kind: 'other', name: '' }
    case 'veth':
      return { kind: 'veth', peer: peerOf(spec.peer) }
    case 'bridge':
      return { kind: 'bridge', ...(bridge ?? NEW_BRIDGE) }
    case 'vlan':
      return { kind: 'vlan', id: spec.id, protocol: spec.protocol }
    case 'vxlan':
      return vxlanOf(spec)
    case 'macvlan':
      return { kind: 'macvlan', mode: spec.mode }
    case 'ipvlan':
      return { kind: 'ipvlan', mode: spec.mode, flag: spec.flag }
  }
}

const kindOn = (world: World, { ns, name }: Place): LinkEntry | undefined => {
  const space = getIn(world.namespaces, ns)
  return space === undefined ? undefined : getIn(space.links, name)
}

/** Learns, or is flooded to (BR_AUTO_MASK). */
const isAuto = ({ port }: LinkEntry): boolean => port !== null && (port.learning || port.flood)

/** A bridge listens to all that a port hears; not if it filters VLANs, and no other port could send there what it does not know. */
const isWatched = (world: World, ns: Ns, link: LinkEntry): boolean => {
  if (link.port === null) return false
  const bridge = kindOn(world, { ns, name: link.port.bridge })
  const chooses = link.spec.type === 'macvlan' || link.spec.type === 'vlan'
  if (bridge?.bridge?.vlanFiltering !== true || !chooses || promiscuityOf(world, ns, bridge) > 0) return true
  const autos = [...entriesOf(bridge.ports)].filter(([name]) => {
    // Cast: the keys of a bridge's ports are their names.
    const port = kindOn(world, { ns, name: name as IfName })
    return port !== undefined && isAuto(port)
  })
  return autos.length > 1 || (autos.length === 1 && !isAuto(link))
}

/**
 * Its bridge listens to all that a port hears; a device that cannot choose to all for the sake of one, and a device for those on it: a
 * passthru macvlan that is up, another that listens to all, and a VLAN that does, be it up or not.
 */
const promiscuityOf = (world: World, ns: Ns, link: LinkEntry): number => {
  const forOthers = link.above.filter((place) => {
    const on = kindOn(world, place)
    if (on === undefined) return false
    const { spec, up } = on
    if (spec.type === 'macvlan' && spec.mode === 'passthru') return up
    return (spec.type === 'vlan' || (spec.type === 'macvlan' && up)) && promiscuityOf(world, place.ns, on) > 0
  })
  return Number(isWatched(world, ns, link)) + Number(link.filter.promisc) + forOthers.length
}

/** Of those with a queue of their own (net.core.default_qdisc). */
const QDISCS: Readonly<Partial<Record<LinkEntry['spec']['type'], string>>> = { tap: 'pfifo_fast' }

const factsOfLink = (world: World, ns: Ns, link: LinkEntry): LinkFacts => {
  const { port } = link
  const options = port === null ? null : (({ bridge: _, costSet: __, ...rest }) => rest)(port)
  return {
    index: link.index,
    name: link.name,
    kind: kindOf(link),
    below: link.below?.ns === ns ? link.below.name : null,
    far: link.below === null || link.below.ns === ns || link.spec.type === 'vxlan' ? null : link.below,
    mac: link.mac,
    mtu: link.mtu,
    up: link.up,
    carrier: hasCarrier(link),
    operstate: link.up ? link.oper : 'down',
    promiscuity: promiscuityOf(world, ns, link),
    qdisc: link.started ? (QDISCS[link.spec.type] ?? 'noqueue') : 'noop',
    master: port?.bridge ?? null,
    alias: link.alias,
    group: link.group,
    txqlen: link.txqlen,
    addrGenMode: link.addrGen,
    port: options,
  }
}

const factsOfAddresses = ({ name, addresses }: LinkEntry, family: Family): ReadonlyArray<AddressFacts> =>
  addresses
    .filter(({ cidr }) => familyOf(cidr.ip) === family)
    .map((address) => ({
      dev: name,
      cidr: address.cidr,
      peer: address.peer,
      broadcast: address.broadcast,
      scope: address.scope,
      label: address.label,
      metric: address.metric || null,
      flags: [
        ...(address.secondary ? ['secondary'] : []),
        ...(address.nodad ? ['nodad'] : []),
        ...(address.dad === 'failed' ? ['dadfailed'] : []),
        ...(isTentative(address) ? ['tentative'] : []),
        'permanent',
        ...(address.noprefixroute ? ['noprefixroute'] : []),
      ],
    }))

/** IPv4 tells of dead hops; both families of those without carrier, but for routes to ourselves. */
const hopFlags = (space: NsEntry, route: RouteEntry, at: number): ReadonlyArray<string> => {
  const one = route.hops[at]
  const link = one?.dev == null ? undefined : getIn(space.links, one.dev)
  const isOwn = isIp4(route.to.ip) ? route.scope >= 254 : route.type === 'local' || route.type === 'anycast'
  const flags: string[] = []
  if (one?.dead === true) flags.push('dead')
  if (one?.onlink === true) flags.push('onlink')
  const hasNone = link !== undefined && !isOwn && link.spec.type !== 'loopback' && !hasCarrier(link)
  if (one?.linkdown ?? hasNone) flags.push('linkdown')
  return flags
}

const factsOfRoute = (space: NsEntry, route: RouteEntry): RouteFacts => ({
  to: route.to,
  type: route.type,
  hops: route.hops.map(
    ({ via, dev, weight }, at): HopFacts => ({ via, dev, weight, flags: hopFlags(space, route, at) }),
  ),
  metric: route.metric,
  table: route.table,
  proto: route.proto,
  scope: route.scope,
  tos: route.tos,
  src: route.source,
  mtu: route.mtu,
  pref: isIp4(route.to.ip) ? null : 0,
})

const isSibling = (a: RouteEntry, b: RouteEntry): boolean =>
  !isIp4(a.to.ip) &&
  a.table === b.table &&
  a.metric === b.metric &&
  compareCidr(a.to, b.to) === 0 &&
  a.hops[0]?.via !== null &&
  b.hops[0]?.via !== null

/** Only of several hops it is told how much each weighs. */
const withoutWeight = (route: RouteFacts): RouteFacts => {
  const [only, second] = route.hops
  return only === undefined || second !== undefined || only.weight === 1
    ? route
    : { ...route, hops: [{ ...only, weight: 1 }] }
}

/** IPv6's siblings are told as one route of several hops. */
const factsOfRoutes = (space: NsEntry): ReadonlyArray<RouteFacts> => {
  const told: RouteFacts[] = []
  let first: RouteEntry | null = null
  for (const route of valuesOf(space.routes)) {
    const facts = factsOfRoute(space, route)
    const last = told.at(-1)
    if (first !== null && last !== undefined && isSibling(first, route))
      told[told.length - 1] = { ...last, hops: [...last.hops, ...facts.hops] }
    else {
      first = route
      told.push(facts)
    }
  }
  return told.map(withoutWeight)
}

/** The kernel makes its own routes of IPv6 at a moment of its own: they are told by device, behind others of their metric. */
const ownDevice = ({ to, proto, hops }: RouteFacts): string =>
  !isIp4(to.ip) && proto === KERNEL ? (hops[0]?.dev ?? '') : ''
const metric6 = ({ to, metric }: RouteFacts): number => (isIp4(to.ip) ? 0 : metric)

const byRouteKey = (a: RouteFacts, b: RouteFacts): number =>
  a.table - b.table || compareCidr(a.to, b.to) || metric6(a) - metric6(b) || byKey(ownDevice(a), ownDevice(b))

const factsOfRules = ({ rules }: NsEntry): ReadonlyArray<RuleFacts> =>
  ([4, 6] as const).flatMap((family) => rules[family].map((rule): RuleFacts => ({ family, ...rule })))

const factsOfNeighbours = ({ neighbours, proxies }: NsEntry): ReadonlyArray<NeighbourFacts> => {
  const told = valuesOf(neighbours).map(
    ({ dev, ip, mac, set, asking }): NeighbourFacts => ({
      dev,
      ip,
      mac,
      state: (asking?.state ?? set ?? 'reachable').toUpperCase(),
      proxy: false,
      router: false,
    }),
  )
  const answered = [...entriesOf(proxies)].map(
    ([key, { ip }]): NeighbourFacts => ({
      // Cast: a key begins with the name of its device.
      dev: key.slice(0, key.indexOf(' ')) as IfName,
      ip,
      mac: null,
      state: 'NONE',
      proxy: true,
      router: false,
    }),
  )
  return [...told, ...answered].sort(
    (a, b) => byKey(a.dev, b.dev) || compareIp(a.ip, b.ip) || Number(a.proxy) - Number(b.proxy),
  )
}

const factsOfVlans = ({ name, vlans }: LinkEntry): ReadonlyArray<VlanFacts> =>
  [...vlans.untagged].map(([id, untagged]) => ({ dev: name, id, pvid: id === vlans.pvid, untagged }))

/** All that a namespace's stack holds; null if there is no such namespace. Time does not pass in it: carrier is at once where it is. */
export const stackOf = (world: World, ns: Ns): Stack | null => {
  const space = getIn(world.namespaces, ns)
  if (space === undefined) return null
  const links = [...valuesOf(space.links)].sort((a, b) => a.index - b.index)
  return {
    links: links.map((link) => factsOfLink(world, ns, link)),
    addresses: ([4, 6] as const).flatMap((family) => links.flatMap((link) => factsOfAddresses(link, family))),
    routes: [...factsOfRoutes(space)].sort(byRouteKey),
    rules: factsOfRules(space),
    neighbours: factsOfNeighbours(space),
    fdb: factsOfFdb(space, links),
    vlans: links.flatMap(factsOfVlans).sort((a, b) => byKey(a.dev, b.dev) || a.id - b.id),
  }
}
