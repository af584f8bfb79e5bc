// What goes by itself when something goes, as Linux does it. Shared by `diff` (which must not delete twice, and must
// rebuild what a rebuild destroys) and by the simulated kernel (which does it).
// Sources: net/core/dev.c (unregister), net/ipv4/fib_frontend.c and fib_semantics.c, net/ipv6/addrconf.c and route.c.

import { isIp4 } from '../net/ip.ts'
import { ZERO_MAC } from '../net/mac.ts'
import { type IfName, LO, type Ns } from '../net/name.ts'
import { entriesUnder, getIn, keysUnder } from '../net/pmap.ts'
import {
  type Address,
  addressesOn,
  elementsIn,
  inNs,
  isStacked,
  type KernelObject,
  keyOf,
  type Link,
  linkKey,
  type ObjectKey,
  onDevice,
  PLAIN_MTU,
  routesIn,
  type Sysctl,
} from './object.ts'
import type { KernelOp } from './op.ts'
import type { KernelState } from './state.ts'

const routesOf = (state: KernelState, ns: Ns, dev: IfName, family: 4 | 6 | null): ReadonlyArray<ObjectKey> => {
  const keys: ObjectKey[] = []
  for (const [key, object] of entriesUnder(state, routesIn(ns, family)))
    if (object.kind === 'route' && object.dev === dev) keys.push(key)
  return keys
}

/** Looks at all devices: bridges are few. */
const portsOf = (state: KernelState, { ns, name, spec }: Link): ReadonlyArray<ObjectKey> => {
  if (spec.type !== 'bridge') return []
  return entriesUnder(state, inNs(ns)).flatMap(([key, object]) =>
    object.kind === 'port' && object.bridge === name ? [key] : [],
  )
}

const onLink = (state: KernelState, link: Link): ReadonlyArray<ObjectKey> => [
  ...keysUnder(state, onDevice(link.ns, link.name)),
  ...routesOf(state, link.ns, link.name, null),
  ...portsOf(state, link),
]

/** Whether a link may have others on it: nobody puts any on what is in a sandbox, or leads into one. Looks at all devices of all namespaces. */
const carries = ({ spec }: Link): boolean => spec.type === 'bridge' || spec.type === 'dummy' || spec.type === 'vlan'

/** The links on a link, with what is on them; wherever they are. */
const above = (state: KernelState, { ns, name }: Link): ReadonlyArray<ObjectKey> =>
  entriesUnder(state, '').flatMap(([, object]) =>
    object.kind === 'link' && isStacked(object.spec) && object.spec.below.ns === ns && object.spec.below.name === name
      ? withLink(state, object)
      : [],
  )

/** What goes with a link. */
const withLink = (state: KernelState, link: Link): ReadonlyArray<ObjectKey> => {
  const own = carries(link) ? [...onLink(state, link), ...above(state, link)] : onLink(state, link)
  if (link.spec.type !== 'veth') return own
  const peer = getIn(state, linkKey(link.spec.peer.ns, link.spec.peer.name))
  return peer?.kind === 'link' ? [...own, ...onLink(state, peer)] : own
}

/** With a namespace that lives on without its name, all this goes out of sight: `observe` shows no end of a veth alone. */
const inNetns = (state: KernelState, ns: Ns): ReadonlyArray<ObjectKey> => {
  const keys: ObjectKey[] = []
  for (const [key, object] of entriesUnder(state, inNs(ns))) {
    keys.push(key)
    if (object.kind !== 'link') continue
    if (carries(object)) keys.push(...above(state, object))
    if (object.spec.type !== 'veth' || object.spec.peer.ns === ns) continue
    const peer = getIn(state, linkKey(object.spec.peer.ns, object.spec.peer.name))
    if (peer?.kind === 'link') keys.push(...onLink(state, peer))
  }
  return keys
}

/** Below this MTU a link carries no IPv6 (RFC 8200 section 5); Linux drops the family's state with it. */
export const MIN_MTU6 = 1280

const addresses6 = (state: KernelState, link: Link): ReadonlyArray<ObjectKey> => {
  const keys: ObjectKey[] = []
  for (const [key, object] of entriesUnder(state, addressesOn(link.ns, link.name)))
    if (object.kind === 'address' && !isIp4(object.cidr.ip)) keys.push(key)
  return keys
}

/** The state to look at; asked for only where an operation takes anything along, for it may be costly to have. */
type Look = () => KernelState

/** A link that goes down loses its routes and its IPv6 addresses (keep_addr_on_down is off), and keeps its IPv4 ones. */
const withChange = (look: Look, from: Link, to: Link): ReadonlyArray<ObjectKey> => {
  if (from.up && !to.up) return [...routesOf(look(), to.ns, to.name, null), ...addresses6(look(), to)]
  if (from.mtu >= MIN_MTU6 && to.mtu < MIN_MTU6 && to.mtu !== 0)
    return [...routesOf(look(), to.ns, to.name, 6), ...addresses6(look(), to)]
  return []
}

/**
 * The IPv4 routes of a device go with its last IPv4 address; IPv6 keeps them. Not here: two addresses of one subnet on
 * one device (primary and secondary), which no driver asks for.
 */
const withAddress = (state: KernelState, address: Address): ReadonlyArray<ObjectKey> => {
  const own = keyOf(address)
  if (!isIp4(address.cidr.ip)) return [own]
  const others: Address[] = []
  for (const [key, object] of entriesUnder(state, addressesOn(address.ns, address.dev)))
    if (object.kind === 'address' && isIp4(object.cidr.ip) && key !== own) others.push(object)
  return others.length > 0 ? [own] : [own, ...routesOf(state, address.ns, address.dev, 4)]
}

const DISABLED6 = /^net\.ipv6\.conf\.([^.]+)\.disable_ipv6$/

/** A device on which IPv6 is switched off loses its IPv6 routes and addresses. */
const withSysctl = (look: Look, { ns, name, value }: Sysctl): ReadonlyArray<ObjectKey> => {
  const dev = value === '0' ? undefined : DISABLED6.exec(name)?.[1]?.replaceAll('/', '.')
  const link = dev === undefined ? undefined : getIn(look(), linkKey(ns, dev))
  return link?.kind === 'link' ? [...routesOf(look(), ns, link.name, 6), ...addresses6(look(), link)] : []
}

/** As `cascade`, of a state that is looked at only if need be. */
export const cascadeIn = (look: Look, op: KernelOp): ReadonlyArray<ObjectKey> => {
  const { object } = op
  if (op.verb !== 'delete' && object.kind === 'sysctl') return withSysctl(look, object)
  if (op.verb === 'create') return []
  if (op.verb === 'change') {
    return op.from.kind === 'link' && object.kind === 'link' ? withChange(look, op.from, object) : []
  }
  switch (object.kind) {
    case 'netns':
      return inNetns(look(), object.ns)
    case 'link':
      return withLink(look(), object)
    case 'address':
      return withAddress(look(), object)
    case 'nft-table':
      return [keyOf(object), ...keysUnder(look(), elementsIn(object.ns))]
    case 'port':
    case 'route':
    case 'sysctl':
    case 'nft-element':
      return [keyOf(object)]
  }
}

/** The keys that are gone once `op` has been applied to `state`; for a delete its own key included. */
export const cascade = (state: KernelState, op: KernelOp): ReadonlyArray<ObjectKey> => cascadeIn(() => state, op)

/** A fresh namespace's loopback device: there, and down. */
export const freshLoopback = (ns: Ns): Link => ({
  kind: 'link',
  ns,
  name: LO,
  spec: { type: 'loopback' },
  mac: ZERO_MAC,
  mtu: 65536,
  up: false,
  alias: null,
})

/**
 * What else is there once `op` has been applied: a namespace's loopback (that of an adopted one may be up, and not alone), the
 * other end of a veth (down, its own MAC).
 */
export const born = (op: KernelOp): ReadonlyArray<KernelObject> => {
  if (op.verb !== 'create') return []
  const { object } = op
  if (object.kind === 'netns') return [freshLoopback(object.ns)]
  if (object.kind !== 'link' || object.spec.type !== 'veth') return []
  const { peer } = object.spec
  return [
    {
      ...object,
      ns: peer.ns,
      name: peer.name,
      spec: { type: 'veth', peer: { ns: object.ns, name: object.name } },
      mac: ZERO_MAC,
      mtu: PLAIN_MTU,
      up: false,
      alias: null,
    },
  ]
}
