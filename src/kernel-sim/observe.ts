// What a world holds, as kernel objects: what was asked for, without what the kernel adds by itself (kernel/normalise.ts,
// connected routes).

import type { Scope } from '../kernel/kernel.ts'
import { kernelMade } from '../kernel/normalise.ts'
import {
  type Address,
  DEFAULT_METRIC6,
  hasOwnMac,
  type KernelObject,
  type LinkSpec,
  type Route,
} from '../kernel/object.ts'
import { type KernelState, stateOf } from '../kernel/state.ts'
import { sysctlDevice } from '../kernel/sysctl.ts'
import { isIp4 } from '../net/ip.ts'
import { ZERO_MAC } from '../net/mac.ts'
import type { Ns } from '../net/name.ts'
import { emptyMap, getIn, valuesOf } from '../net/pmap.ts'
import { draftOf, spaceOf } from './control/draft.ts'
import { readSysctl, sysctlDefault } from './control/sysctl.ts'
import { firewallObjects } from './firewall-objects.ts'
import type { LinkEntry } from './link-entry.ts'
import { interfacesOf } from './rulesets.ts'
import { isNameless, type NsEntry, type RouteEntry, TABLES, type World } from './state.ts'

/** Null: of a kind that no operation makes, or bound to a device in a namespace without a name, of which nobody can say what it is. */
const specOf = ({ spec, below }: LinkEntry): LinkSpec | null => {
  const on = below === null || isNameless(below.ns) ? null : below
  switch (spec.type) {
    case 'loopback':
    case 'bridge':
    case 'dummy':
      return { type: spec.type }
    case 'veth':
      return isNameless(spec.peer.ns) ? null : { type: 'veth', peer: spec.peer }
    case 'vlan':
      return on === null || spec.protocol !== '802.1Q' ? null : { type: 'vlan', below: on, id: spec.id }
    case 'macvlan':
      return on === null ? null : { type: 'macvlan', below: on, mode: spec.mode }
    case 'ipvlan':
      return on === null ? null : { type: 'ipvlan', below: on, mode: spec.mode, flag: spec.flag }
    default:
      return null
  }
}

const ofLink = (ns: Ns, link: LinkEntry): ReadonlyArray<KernelObject> => {
  const { name, mtu, up, alias, port } = link
  const spec = specOf(link)
  if (spec === null) return []
  const mac = hasOwnMac(spec) ? link.mac : ZERO_MAC
  const addresses = link.addresses
    .map(({ cidr }): Address => ({ kind: 'address', ns, dev: name, cidr }))
    .filter((address) => !kernelMade(address, link.mac, spec.type))
  return [
    { kind: 'link', ns, name, spec, mac, mtu, up, alias },
    ...(port === null
      ? []
      : [
          { kind: 'port', ns, dev: name, bridge: port.bridge, isolated: port.isolated, hairpin: port.hairpin } as const,
        ]),
    ...addresses,
  ]
}

/** The protocol of what the kernel adds by itself (RTPROT_KERNEL). */
const KERNEL = 2

/** A route that an operation can make: unicast, of the main table, by one hop. The default metric of a family is observed as 0. */
const ofRoute = (space: NsEntry, { to, type, hops, table, metric, proto }: RouteEntry): ReadonlyArray<Route> => {
  const [first, second] = hops
  if (proto === KERNEL || table !== TABLES.main || type !== 'unicast') return []
  if (first === undefined || first.dev === null || second !== undefined) return []
  const { dev, via } = first
  if (!isShown(getIn(space.links, dev))) return []
  const plain = !isIp4(to.ip) && metric === DEFAULT_METRIC6
  return [{ kind: 'route', ns: space.ns, to, via, dev, metric: plain ? 0 : metric }]
}

const ofFirewall = (space: NsEntry, nowMs: number): ReadonlyArray<KernelObject> =>
  space.firewall === null ? [] : firewallObjects(space.ns, space.firewall, nowMs, interfacesOf(space))

/** What is not shown has nothing on it that is. */
const isShown = (link: LinkEntry | undefined): boolean => link === undefined || specOf(link) !== null

const ofNs = (space: NsEntry, hasFirewall: boolean, nowMs: number): ReadonlyArray<KernelObject> => {
  const { ns } = space
  return [
    { kind: 'netns', ns, at: null },
    ...valuesOf(space.links).flatMap((link) => ofLink(ns, link)),
    ...valuesOf(space.routes).flatMap((route) => ofRoute(space, route)),
    ...(hasFirewall ? ofFirewall(space, nowMs) : []),
  ]
}

const ofSysctls = (world: World, scope: Scope): ReadonlyArray<KernelObject> => {
  const draft = draftOf(world)
  return scope.sysctls.flatMap(({ ns, name }) => {
    const space = spaceOf(draft, ns)
    const device = getIn(space?.now.links ?? emptyMap<LinkEntry>(), sysctlDevice(name) ?? '')
    const value = space === null || !isShown(device) ? null : readSysctl(space, name)
    return value === null ? [] : [{ kind: 'sysctl', ns, name, value, otherwise: sysctlDefault(name) ?? value } as const]
  })
}

/** The objects of the namespaces in `scope` that exist, and the sysctls in it; those never written have their defaults. */
export const observe = (world: World, scope: Scope): KernelState => {
  const firewalls = new Set(scope.firewalls ?? scope.namespaces)
  return stateOf([
    ...scope.namespaces.flatMap((ns) => {
      const space = getIn(world.namespaces, ns)
      return space === undefined ? [] : ofNs(space, firewalls.has(ns), world.nowMs)
    }),
    ...ofSysctls(world, scope),
  ])
}
