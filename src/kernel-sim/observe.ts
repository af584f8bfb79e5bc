// What a world holds, as kernel objects: what was asked for, without what the kernel adds by itself (kernel/normalise.ts,
// connected routes).

import type { Scope } from '../kernel/kernel.ts'
import { kernelMade } from '../kernel/normalise.ts'
import { type Address, DEFAULT_METRIC6, type KernelObject, type Route } from '../kernel/object.ts'
import { type KernelState, stateOf } from '../kernel/state.ts'
import { sysctlDevice } from '../kernel/sysctl.ts'
import { isIp4 } from '../net/ip.ts'
import type { Ns } from '../net/name.ts'
import { emptyMap, getIn, valuesOf } from '../net/pmap.ts'
import { draftOf, spaceOf } from './control/draft.ts'
import { readSysctl, sysctlDefault } from './control/sysctl.ts'
import { isNameless, type LinkEntry, type NsEntry, type RouteEntry, type World } from './state.ts'

const ofLink = (ns: Ns, link: LinkEntry): ReadonlyArray<KernelObject> => {
  const { name, spec, mac, mtu, up, alias, port } = link
  const addresses = link.addresses
    .map(({ cidr }): Address => ({ kind: 'address', ns, dev: name, cidr }))
    .filter((address) => !kernelMade(address, mac))
  return [
    { kind: 'link', ns, name, spec, mac, mtu, up, alias },
    ...(port === null ? [] : [{ kind: 'port', ns, dev: name, ...port } as const]),
    ...addresses,
  ]
}

/** The default metric of a family is observed as 0, as it is asked for. */
const ofRoute = (ns: Ns, { to, via, dev, metric }: RouteEntry): Route => {
  const plain = !isIp4(to.ip) && metric === DEFAULT_METRIC6
  return { kind: 'route', ns, to, via, dev, metric: plain ? 0 : metric }
}

const ofFirewall = ({ ns, firewall }: NsEntry): ReadonlyArray<KernelObject> =>
  firewall === null
    ? []
    : [{ kind: 'nft-table', ns, skeleton: firewall.skeleton }, ...Object.values(firewall.sets).flatMap(valuesOf)]

/** Of a veth whose other end is in a namespace without a name nobody can say what it is, so it is not shown, nor what is on it. */
const isShown = (link: LinkEntry | undefined): boolean =>
  link === undefined || link.spec.type !== 'veth' || !isNameless(link.spec.peer.ns)

const ofNs = (space: NsEntry, hasFirewall: boolean): ReadonlyArray<KernelObject> => {
  const { ns } = space
  const routes = valuesOf(space.routes).filter(
    ({ origin, dev }) => origin === 'user' && isShown(getIn(space.links, dev)),
  )
  return [
    { kind: 'netns', ns, at: null },
    ...valuesOf(space.links)
      .filter(isShown)
      .flatMap((link) => ofLink(ns, link)),
    ...routes.map((route) => ofRoute(ns, route)),
    ...(hasFirewall ? ofFirewall(space) : []),
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
      return space === undefined ? [] : ofNs(space, firewalls.has(ns))
    }),
    ...ofSysctls(world, scope),
  ])
}
