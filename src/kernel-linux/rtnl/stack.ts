// The whole stacks of namespaces, by dumps: a socket in each, and the numbers by which they know each other where a veth's other
// end is elsewhere. Dumps are one after the other: what changes meanwhile may be told by one and not by the next.
// A kernel since 6.8 brings the carrier of a device up to date when it is asked for that device alone (rtnl_getlink,
// linkwatch_sync_dev); in a dump it tells what linkwatch has found so far, which may be a second old.

import type { KernelError } from '../../kernel/kernel.ts'
import type { Stack } from '../../kernel/rtnl/stack.ts'
import type { Ns } from '../../net/name.ts'
import { E, type Either } from '../../prelude.ts'
import type { Names } from '../names.ts'
import { type AddressMessage, decodeAddress, dumpAddresses } from '../netlink/codec/address.ts'
import { type BridgePortMessage, decodeBridgePort, dumpBridgePorts } from '../netlink/codec/bridge-port.ts'
import { decodeLink, dumpLinks, type LinkMessage } from '../netlink/codec/link.ts'
import { decodeNeigh, dumpFdb, dumpNeighbours, dumpProxies, type NeighMessage } from '../netlink/codec/neigh.ts'
import { decodeNsid, getNsid } from '../netlink/codec/nsid.ts'
import { decodeRoute, dumpRoutes, type RouteMessage } from '../netlink/codec/route.ts'
import { decodeRule, dumpRules, type RuleMessage } from '../netlink/codec/rule.ts'
import { ask, type Decode, dump } from '../netlink/conversation.ts'
import type { Request } from '../netlink/message.ts'
import { closeNetns } from '../netlink/netns.ts'
import type { Socket, Turn } from '../netlink/socket.ts'
import { AF_INET, AF_INET6 } from '../netlink/uapi/netlink.ts'
import { addressFacts, fdbFacts, neighbourFacts, routeFacts, ruleFacts } from './facts.ts'
import { type Conversation, found, inside, type OpenSpace, openByName } from './inside.ts'
import { type DevNames, devNames, linkFacts, vlanFacts } from './link-facts.ts'

/** What the kernel told of one namespace. `nsids`: the numbers by which it knows others. */
export type Told = Readonly<{
  links: ReadonlyArray<LinkMessage>
  addresses: ReadonlyArray<AddressMessage>
  routes: ReadonlyArray<RouteMessage>
  rules: ReadonlyArray<RuleMessage>
  neighbours: ReadonlyArray<NeighMessage>
  fdb: ReadonlyArray<NeighMessage>
  ports: ReadonlyArray<BridgePortMessage>
  nsids: ReadonlyMap<number, Ns>
}>

/** The dumps one after the other; the first failure ends it. */
const all = async <A>(
  socket: Socket,
  requests: ReadonlyArray<Request>,
  decode: Decode<A>,
  turn: Turn,
): Conversation<ReadonlyArray<A>> => {
  const told: A[] = []
  for (const request of requests) {
    const some = await dump(socket, request, decode, turn)()
    if (E.isLeft(some)) return some
    told.push(...some.right)
  }
  return E.right(told)
}

/** The socket's number for a namespace; null: it has none, or the namespace is not there. */
const nsidOf = async (socket: Socket, open: OpenSpace, ns: Ns, turn: Turn): Conversation<number | null> => {
  const fd = open(ns)
  if (E.isLeft(fd)) return E.right(null)
  try {
    const told = await ask(socket, getNsid({ fd: fd.right }), decodeNsid, turn)()
    if (E.isLeft(told)) return told.left.tag === 'Refused' ? E.right(null) : told
    const { nsid = -1 } = told.right
    return E.right(nsid < 0 ? null : nsid)
  } finally {
    closeNetns(fd.right)
  }
}

/** The namespaces that these links tell of, by the socket's numbers for them. */
const nsidsOf = async (
  socket: Socket,
  open: OpenSpace,
  spaces: ReadonlyArray<Ns>,
  links: ReadonlyArray<LinkMessage>,
  turn: Turn,
): Conversation<ReadonlyMap<number, Ns>> => {
  const known = new Map<number, Ns>()
  const wanted = new Set(links.flatMap(({ linkNetnsid }) => linkNetnsid ?? []))
  for (const ns of spaces) {
    if (wanted.size === 0) break
    const nsid = await nsidOf(socket, open, ns, turn)
    if (E.isLeft(nsid)) return nsid
    if (nsid.right !== null && wanted.delete(nsid.right)) known.set(nsid.right, ns)
  }
  return E.right(known)
}

const isBridge = ({ linkinfo }: LinkMessage): boolean => linkinfo?.info?.kind === 'bridge'

const LINKS = [dumpLinks()]
const ADDRESSES = [dumpAddresses()]
const ROUTES = [dumpRoutes()]
const RULES = [dumpRules(AF_INET), dumpRules(AF_INET6)]
const NEIGHBOURS = [dumpNeighbours(), dumpProxies()]
const FDB = [dumpFdb()]
/** Without a bridge there are none. */
const PORTS = [dumpBridgePorts()]

/** Everything that the namespace of a socket tells; `spaces`: where the other ends of its devices may be. */
export const hear =
  (open: OpenSpace, spaces: ReadonlyArray<Ns>, turn: Turn = 'aside') =>
  async (socket: Socket): Conversation<Told> => {
    const links = await all(socket, LINKS, decodeLink, turn)
    if (E.isLeft(links)) return links
    const addresses = await all(socket, ADDRESSES, decodeAddress, turn)
    if (E.isLeft(addresses)) return addresses
    const routes = await all(socket, ROUTES, decodeRoute, turn)
    if (E.isLeft(routes)) return routes
    const rules = await all(socket, RULES, decodeRule, turn)
    if (E.isLeft(rules)) return rules
    const neighbours = await all(socket, NEIGHBOURS, decodeNeigh, turn)
    if (E.isLeft(neighbours)) return neighbours
    const fdb = await all(socket, FDB, decodeNeigh, turn)
    if (E.isLeft(fdb)) return fdb
    const ports = await all(socket, links.right.some(isBridge) ? PORTS : [], decodeBridgePort, turn)
    if (E.isLeft(ports)) return ports
    const nsids = await nsidsOf(socket, open, spaces, links.right, turn)
    if (E.isLeft(nsids)) return nsids
    return E.right({
      links: links.right,
      addresses: addresses.right,
      routes: routes.right,
      rules: rules.right,
      neighbours: neighbours.right,
      fdb: fdb.right,
      ports: ports.right,
      nsids: nsids.right,
    })
  }

const stackOf = (ns: Ns, of: Told, everywhere: ReadonlyMap<Ns, DevNames>): Stack => {
  const names = everywhere.get(ns) ?? new Map()
  return {
    links: linkFacts(of.links, names, (nsid, index) => {
      const there = nsid === null ? ns : of.nsids.get(nsid)
      const name = there === undefined ? undefined : everywhere.get(there)?.get(index)
      return there === undefined || name === undefined ? null : { ns: there, name }
    }),
    addresses: addressFacts(of.addresses, names),
    routes: routeFacts(of.routes, names),
    rules: ruleFacts(of.rules),
    neighbours: neighbourFacts(of.neighbours, names),
    fdb: fdbFacts(of.fdb, names),
    vlans: vlanFacts(of.ports, names),
  }
}

export type Stacks = ReadonlyMap<Ns, Stack>

/** What was told of namespaces, as their stacks; a veth's other end is in sight if it is in one of them. */
export const stacksFrom = (heard: ReadonlyMap<Ns, Told>): Stacks => {
  const everywhere = new Map([...heard].map(([ns, { links }]) => [ns, devNames(links)] as const))
  return new Map([...heard].map(([ns, of]) => [ns, stackOf(ns, of, everywhere)] as const))
}

/** The stacks of those namespaces that are there. Left: the kernel could not be asked. */
export const stacksOf = async (names: Names, spaces: ReadonlyArray<Ns>): Promise<Either<KernelError, Stacks>> => {
  const heard = new Map<Ns, Told>()
  for (const ns of spaces) {
    const result = found<Told | null>(await inside(names, ns, hear(openByName(names), spaces)), () => null)
    if (E.isLeft(result)) return result
    if (result.right !== null) heard.set(ns, result.right)
  }
  return E.right(stacksFrom(heard))
}
