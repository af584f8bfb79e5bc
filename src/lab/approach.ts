// How one would try to reach a place: the probes to send, in order, and what it means if one arrives. A container is
// reached by the addresses its name resolves to on shared networks, else by every address it has; a published port from
// the host by 127.0.0.1, from outside by the host's address.

import type { Probe } from '../kernel/kernel.ts'
import { endpointsIn, hasNamespace, wayOut } from '../model/queries.ts'
import type { Model, PortBinding } from '../model/types.ts'
import { type Family, familyOf, type Ip, ip, isLoopback, isUnspecified, showIp } from '../net/ip.ts'
import { HOST, type Ns } from '../net/name.ts'
import type { Port, Transport } from '../net/port.ts'
import { addressesOf, type Container, type Place, placeName, placeNs } from './place.ts'
import { HOST_ADDRESS, INTERNET, INTERNET_ADDRESS } from './world.ts'

/** What is tried: an echo, or a conversation with a port. */
export type Kind = Readonly<{ proto: 'icmp' } | { proto: Transport; port: Port }>
export type Question = Readonly<{ from: Place; to: Place; kind: Kind }>

/** One probe, and why it arrives if it does. */
export type Attempt = Readonly<{ probe: Probe; because: string }>
/** `attempts` are tried until one arrives; without any, `cannot` says why there is nothing to try. */
export type Approach = Readonly<{ attempts: ReadonlyArray<Attempt>; cannot: string }>

/** `served`: the port to listen on inside, where it is another than the one that is asked for. */
type Target = Readonly<{ to: Ip; served: Port | null; because: string }>

const LOOPBACK: Readonly<Record<Family, Ip>> = { 4: ip('127.0.0.1'), 6: ip('::1') }

/** The probe for a target; `listener` is in the namespace that is meant, on the port that is served there. */
export const probeOf = (
  ns: Ns,
  kind: Kind,
  to: Ip,
  listener: Readonly<{ ns: Ns; port: Port }> | null,
): Probe | null => {
  if (kind.proto === 'icmp') return { proto: 'icmp', ns, to }
  if (kind.proto === 'sctp') return null
  return { proto: kind.proto, ns, to, port: kind.port, listener }
}

const direct = (from: Place, to: Container, model: Model): ReadonlyArray<Target> => {
  const theirs = addressesOf(model, to.sandbox)
  if (from.tag !== 'container')
    return theirs.map(({ ip: address, network }) => ({
      to: address,
      served: null,
      because:
        from.tag === 'host' ? `the host is on network "${network}"` : `network "${network}" is open to the outside`,
    }))
  const ours = new Set(addressesOf(model, from.sandbox).map(({ network }) => network))
  const shared = theirs.filter(({ network }) => ours.has(network))
  return (shared.length > 0 ? shared : theirs).map(({ ip: address, network }) => ({
    to: address,
    served: null,
    because: ours.has(network) ? `both are on network "${network}"` : `the host routes to network "${network}"`,
  }))
}

const families = (model: Model, to: Container): ReadonlyArray<Family> => {
  const found = new Set(addressesOf(model, to.sandbox).map((located) => familyOf(located.ip)))
  return ([4, 6] as const).filter((family) => found.has(family))
}

/** The host's address by which a binding is reached from `from`, or null if it is not offered there. */
const doorOf = (from: Place, binding: PortBinding, family: Family): Ip | null => {
  const { hostIp } = binding
  if (hostIp === null || isUnspecified(hostIp)) {
    if (hostIp !== null && familyOf(hostIp) !== family) return null
    return from.tag === 'host' && family === 4 ? LOOPBACK[4] : HOST_ADDRESS[family]
  }
  if (familyOf(hostIp) !== family) return null
  return from.tag === 'host' ? hostIp : isLoopback(hostIp) ? null : hostIp
}

/** The bindings of a container that are asked for by this port of the host. */
const bindingsFor = (to: Container, kind: Kind): ReadonlyArray<PortBinding> =>
  to.sandbox.ports.filter(({ hostPort, transport }) => kind.proto === transport && kind.port === hostPort)

const published = (from: Place, to: Container, kind: Kind, model: Model): ReadonlyArray<Target> => {
  if (from.tag === 'container') return []
  return bindingsFor(to, kind).flatMap((binding) =>
    families(model, to).flatMap((family): ReadonlyArray<Target> => {
      const door = doorOf(from, binding, family)
      return door === null
        ? []
        : [
            {
              to: door,
              served: binding.containerPort,
              because: `published: port ${binding.hostPort} of the host leads to ${to.name}:${binding.containerPort}`,
            },
          ]
    }),
  )
}

const toContainer = (from: Place, to: Container, kind: Kind, model: Model): Approach => {
  if (placeNs(from) === to.sandbox.ns) {
    const target: Target = { to: LOOPBACK[4], served: null, because: 'they share one network namespace' }
    return attemptsOf(from, kind, [target], to.sandbox.ns, '')
  }
  if (to.sandbox.ns === HOST) return toHost(from, kind, model)
  const doors = published(from, to, kind, model)
  if (doors.length === 0 && from.tag !== 'container' && bindingsFor(to, kind).length > 0)
    return { attempts: [], cannot: closedDoor(from, to, kind, model) }
  const targets = doors.length > 0 ? doors : direct(from, to, model)
  const cannot = `${to.name} has no address: it is on no network`
  return attemptsOf(from, kind, targets, to.sandbox.ns, cannot)
}

/** Why a published port is not offered to this asker. */
const closedDoor = (from: Place, to: Container, kind: Kind, model: Model): string => {
  if (families(model, to).length === 0) return `${to.name} has no address: it is on no network`
  const at = bindingsFor(to, kind)
    .map(({ hostIp }) => (hostIp === null ? 'every address' : showIp(hostIp)))
    .join(', ')
  return `${to.name} publishes that port on ${at} only, which ${placeName(from)} cannot use`
}

const familiesFrom = (model: Model, from: Place): ReadonlyArray<Family> => {
  if (from.tag !== 'container' || from.sandbox.ns === HOST) return [4]
  const own = families(model, from)
  return own.length === 0 ? [4] : own
}

const toHost = (from: Place, kind: Kind, model: Model): Approach => {
  const targets = familiesFrom(model, from).map(
    (family): Target => ({ to: HOST_ADDRESS[family], served: null, because: 'the host answers for its own addresses' }),
  )
  return attemptsOf(from, kind, targets, HOST, '')
}

const toInternet = (from: Place, kind: Kind, model: Model): Approach => {
  const placed = from.tag === 'container' ? endpointsIn(model, from.sandbox.id) : []
  const targets = familiesFrom(model, from).map((family): Target => {
    const way = wayOut(placed, family)
    const because =
      way === null
        ? 'the host is connected'
        : `leaves through network "${way.network.name}"${way.network.driver === 'bridge' ? ' with an address of the host' : ''}`
    return { to: INTERNET_ADDRESS[family], served: null, because }
  })
  return attemptsOf(from, kind, targets, INTERNET, '')
}

const attemptsOf = (from: Place, kind: Kind, targets: ReadonlyArray<Target>, ns: Ns, cannot: string): Approach => {
  const attempts = targets.flatMap(({ to, served, because }): ReadonlyArray<Attempt> => {
    const listener = kind.proto === 'icmp' ? null : { ns, port: served ?? kind.port }
    const probe = probeOf(placeNs(from), kind, to, listener)
    return probe === null ? [] : [{ probe, because }]
  })
  if (attempts.length > 0 || kind.proto !== 'sctp') return { attempts, cannot }
  return { attempts, cannot: 'SCTP is not carried by the simulation yet' }
}

export const approach = (model: Model, { from, to, kind }: Question): Approach => {
  for (const place of [from, to])
    if (place.tag === 'container' && !hasNamespace(place.sandbox))
      return { attempts: [], cannot: `${place.name} has no network namespace yet` }
  switch (to.tag) {
    case 'container':
      return toContainer(from, to, kind, model)
    case 'host':
      return toHost(from, kind, model)
    case 'internet':
      return toInternet(from, kind, model)
  }
}
