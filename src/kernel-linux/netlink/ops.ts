// Every operation as the messages it stands for, as src/kernel/print.ts has it as commands: what is done is the same either way
// (test/kernel-linux/netlink/transport.test.ts). Sysctls and nftables are not rtnetlink's, and namespaces are made by netns.ts.

import type { Errno } from '../../kernel/errno.ts'
import {
  type Address,
  type BridgePort,
  DEFAULT_METRIC6,
  hasOwnMac,
  isStacked,
  type Link,
  PLAIN_MTU,
  type Place,
  type Route,
  type StackedSpec,
} from '../../kernel/object.ts'
import type { KernelOp } from '../../kernel/op.ts'
import { UNFINISHED_ALIAS } from '../../kernel/owned.ts'
import { ROUTE_PROTO } from '../../kernel/print.ts'
import { isIp6 } from '../../net/ip.ts'
import { ZERO_MAC } from '../../net/mac.ts'
import { type IfName, ifName, type Ns } from '../../net/name.ts'
import { E, type Either } from '../../prelude.ts'
import { addAddress, deleteAddress } from './codec/address.ts'
import { setPort } from './codec/bridge-port.ts'
import type { LinkInfo } from './codec/kinds.ts'
import { changeLink, createLink, createLinkTold, deleteLink, type LinkWish } from './codec/link.ts'
import { IPVLAN_FLAGS, IPVLAN_MODES, MACVLAN_MODES } from './codec/modes.ts'
import { addRoute, deleteRoute, type RouteWish, replaceRoute } from './codec/route.ts'
import { isCondemned, UNFINISHED } from './groups.ts'
import type { Request } from './message.ts'
import { IFA_F_NODAD } from './uapi/route.ts'

/** `group` is 0 of what was just made. */
export type Numbered = Readonly<{ index: number; group?: number }>

/** What messages need to know besides the operation: they name devices by number, and namespaces by open files. */
export type Context = Readonly<{
  /** A device that is there; null: there is none. */
  linkOf: (dev: IfName) => Numbered | null
  /** An open file of a namespace; null: there is none. */
  fdOf: (ns: Ns) => number | null
  /** The device that a link of this name is to be on. */
  belowOf: (place: Place, name: IfName) => Either<Unasked, Below>
}>
/**
 * A device; by the number of its namespace if that is not the socket's. `namesake`: beside it is one that is called as the link on it is
 * to be.
 */
export type Below = Readonly<{ index: number; nsid: number | null; namesake: boolean }>

/** What ip(8) finds out before it asks the kernel: a name without a device, a namespace that is not there. */
export type Unasked = Readonly<{ errno: Errno; detail: string }>
type Requests = Either<Unasked, ReadonlyArray<Request>>

export const noDevice = (dev: IfName): Unasked => ({ errno: 'ENODEV', detail: `Cannot find device "${dev}"` })
export const noNamespace = (ns: Ns): Unasked => ({ errno: 'ENOENT', detail: `there is no network namespace ${ns}` })

const withDevice = (context: Context, dev: IfName, f: (index: number) => ReadonlyArray<Request>): Requests => {
  const link = context.linkOf(dev)
  return link === null ? E.left(noDevice(dev)) : E.right(f(link.index))
}

const later = (wish: LinkWish): ReadonlyArray<Request> => (Object.keys(wish).length > 1 ? [changeLink(wish)] : [])
/** A link that is to bear a mark bears one from its first moment on, whenever we are killed. */
const bornOf = (link: Link): LinkWish => (link.alias === null ? {} : { group: UNFINISHED })
const aliasOf = (link: Link): LinkWish => (link.alias === null ? {} : { alias: link.alias, group: 0 })

const flagsOf = ({ isolated, hairpin }: BridgePort): LinkWish =>
  isolated || hairpin ? { linkinfo: { slave: { kind: 'bridge', options: { isolated, hairpin } } } } : {}

const infoOf = (spec: StackedSpec): LinkInfo => {
  switch (spec.type) {
    case 'vlan':
      return { kind: 'vlan', options: { id: spec.id } }
    case 'macvlan':
      return { kind: 'macvlan', options: { mode: MACVLAN_MODES[spec.mode] } }
    case 'ipvlan':
      return { kind: 'ipvlan', options: { mode: IPVLAN_MODES[spec.mode], flags: IPVLAN_FLAGS[spec.flag] } }
  }
}

const createdStacked = (link: Link, spec: StackedSpec, context: Context): Requests => {
  const { name, mac, mtu, up } = link
  const found = context.belowOf(spec.below, name)
  if (E.isLeft(found)) return found
  const below = found.right
  const made = {
    ...bornOf(link),
    ...(hasOwnMac(spec) ? { mac } : {}),
    ...(mtu === 0 ? {} : { mtu }),
    link: below.index,
    ...(below.nsid === null ? {} : { linkNetnsid: below.nsid }),
    linkinfo: { info: infoOf(spec) },
  }
  // Before Linux 6.15 it is made beside the device below, under its own name, and goes down on its way here.
  const after = { ...aliasOf(link), ...(up && below.nsid !== null ? { up } : {}) }
  if (!below.namesake) return E.right([createLinkTold({ name, up, ...made }), ...later({ name, ...after })])
  const passing = passingNumber()
  return E.right([
    createLinkTold({ name: passingName(passing), index: passing, ...made }),
    changeLink({ index: passing, name, ...after }),
  ])
}

/** Chosen by us, so that it can be named before it is there; the kernel counts from 1 and never comes here. */
const passingNumber = (): number => 2 ** 29 + Math.floor(Math.random() * 2 ** 28)
const PASSING = /^cnm[23][0-9a-f]{7}$/
/** Of a link that comes by where its own name is taken. */
const passingName = (index: number): IfName => ifName(`cnm${index.toString(16)}`)
export const isPassing = (name: string | undefined): boolean => name !== undefined && PASSING.test(name)

/** `port`: what a veth is to become at once; its bridge is there. */
const createdLink = (link: Link, context: Context, port: BridgePort | null): Requests => {
  const { ns, name, mac, mtu, up, spec } = link
  if (isStacked(spec)) return createdStacked(link, spec, context)
  const own = { name, mac, up, ...bornOf(link) }
  switch (spec.type) {
    case 'loopback':
      return E.right([createLink({ name, linkinfo: { info: { kind: 'other', name: 'loopback' } } })])
    case 'dummy':
      return E.right([
        createLink({ ...own, mtu, linkinfo: { info: { kind: 'dummy' } } }),
        ...later({ name, ...aliasOf(link) }),
      ])
    case 'bridge':
      return E.right([
        createLink({ ...own, linkinfo: { info: { kind: 'bridge', options: {} } } }),
        ...later({ name, ...aliasOf(link) }),
        // Given by a message of its own, a bridge keeps its MTU; last, for it may be refused (print.ts).
        ...(mtu === PLAIN_MTU ? [] : [changeLink({ name, mtu })]),
      ])
    case 'veth': {
      const { peer } = spec
      const fd = peer.ns === ns ? undefined : context.fdOf(peer.ns)
      if (fd === null) return E.left(noNamespace(peer.ns))
      const end = { name: peer.name, ...(fd === undefined ? {} : { netNsFd: fd }) }
      const master = port === null ? null : context.linkOf(port.bridge)
      return E.right([
        createLinkTold({
          ...own,
          mtu,
          ...(master === null ? {} : { master: master.index }),
          linkinfo: { info: { kind: 'veth', peer: end } },
        }),
        ...later({ name, ...aliasOf(link), ...(port === null || master === null ? {} : flagsOf(port)) }),
      ])
    }
  }
}

const changedLink = (from: Link, to: Link): ReadonlyArray<Request> =>
  later({
    name: to.name,
    ...(from.mac !== to.mac && to.mac !== ZERO_MAC ? { mac: to.mac } : {}),
    ...(from.mtu === to.mtu || to.mtu === 0 ? {} : { mtu: to.mtu }),
    ...(from.up === to.up ? {} : { up: to.up }),
    ...(from.alias === to.alias
      ? {}
      : { alias: to.alias ?? '', ...(from.alias === UNFINISHED_ALIAS ? { group: 0 } : {}) }),
  })

/** What was cut off when it was condemned comes back by leaving its bridge first; one that has not may be moved at once. */
const revived = (link: Numbered): ReadonlyArray<Request> =>
  isCondemned(link.group) ? [changeLink({ index: link.index, master: 0, group: 0 })] : []

const port = (from: BridgePort | null, to: BridgePort, context: Context): Requests => {
  const was = from !== null && from.bridge === to.bridge ? from : null
  const { isolated, hairpin } = to
  const flags = (was?.isolated ?? false) === isolated && (was?.hairpin ?? false) === hairpin
  const link = context.linkOf(to.dev)
  const master = context.linkOf(to.bridge)
  if (was === null && master === null) return E.left(noDevice(to.bridge))
  if (link === null) return E.left(noDevice(to.dev))
  const { index } = link
  return E.right([
    ...(was === null && master !== null ? [...revived(link), changeLink({ index, master: master.index })] : []),
    ...(flags ? [] : [setPort(index, { isolated, hairpin })]),
  ])
}

const address = (verb: 'create' | 'delete', { dev, cidr }: Address, context: Context): Requests =>
  withDevice(context, dev, (index) =>
    verb === 'delete'
      ? [deleteAddress({ index, cidr })]
      : [addAddress({ index, cidr, ...(isIp6(cidr.ip) ? { flags: IFA_F_NODAD } : {}) })],
  )

/** The kernel would take a route of IPv4 by way of IPv6 (RTA_VIA); ours have one family, as those of `ip route ... via`. */
const OTHER_FAMILY: Unasked = { errno: 'EINVAL', detail: 'the gateway is of another family than the destination' }

const route = (make: (wish: RouteWish) => Request, { dev, to, via, metric }: Route, context: Context): Requests =>
  via !== null && isIp6(via) !== isIp6(to.ip)
    ? E.left(OTHER_FAMILY)
    : withDevice(context, dev, (oif) => [
        make({
          to,
          oif,
          protocol: ROUTE_PROTO,
          ...(via === null ? {} : { via }),
          ...(metric === 0 ? {} : { metric }),
        }),
      ])

/** Without a metric the kernel takes the lowest there is, which for IPv6 may be another route than the one of the default. */
const exact = (object: Route): Route =>
  object.metric === 0 && isIp6(object.to.ip) ? { ...object, metric: DEFAULT_METRIC6 } : object

/**
 * The messages of an operation on a link, a port, an address or a route, for a socket in the object's namespace; none for other
 * objects. With `along`, which a veth is to become, its creation does that too. Left: what it needs is not there, so it is refused without asking.
 */
export const planOf = (op: KernelOp, context: Context, along: BridgePort | null = null): Requests => {
  const { object, verb } = op
  switch (object.kind) {
    case 'netns':
    case 'sysctl':
    case 'nft-table':
    case 'nft-element':
      return E.right([])
    case 'link':
      if (verb === 'create') return createdLink(object, context, along)
      if (verb === 'delete') return E.right([deleteLink({ name: object.name })])
      return E.right(op.from.kind === 'link' ? changedLink(op.from, object) : [])
    case 'port':
      if (verb === 'delete') return E.right([changeLink({ name: object.dev, master: 0 })])
      return port(verb === 'change' && op.from.kind === 'port' ? op.from : null, object, context)
    case 'address':
      return verb === 'change' ? E.right([]) : address(verb, object, context)
    case 'route':
      if (verb === 'delete') return route(deleteRoute, exact(object), context)
      return route(verb === 'create' ? addRoute : replaceRoute, object, context)
  }
}
