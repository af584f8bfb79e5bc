// Places by their addresses, for those who ask with an address instead of a name.

import type { Model } from '../model/types.ts'
import { familyOf, type Ip, isLoopback, isUnspecified, showIp } from '../net/ip.ts'
import { valuesOf } from '../net/pmap.ts'
import { type Approach, type Kind, probeOf } from './approach.ts'
import { addressesOf, type Container, HOST_PLACE, INTERNET_PLACE, type Place, placeNs } from './place.ts'
import { HOST_ADDRESS, INTERNET_ADDRESS } from './world.ts'

/** Who answers for an address, as seen from `asker` (whose own loopback is meant by 127.0.0.1); null if nobody does. */
export const placeAt = (model: Model, containers: ReadonlyArray<Container>, ip: Ip, asker: Place): Place | null => {
  if (isLoopback(ip)) return asker
  const holder = containers.find(({ sandbox }) => addressesOf(model, sandbox).some((located) => located.ip === ip))
  if (holder !== undefined) return holder
  if (Object.values(INTERNET_ADDRESS).includes(ip)) return INTERNET_PLACE
  const gateways = valuesOf(model.networks).flatMap(({ pools }) => pools.map(({ gateway }) => gateway))
  return Object.values(HOST_ADDRESS).includes(ip) || gateways.includes(ip) ? HOST_PLACE : null
}

/** Whether a binding is offered at this address of the host. */
const isBoundAt = (hostIp: Ip | null, at: Ip): boolean =>
  hostIp === null || hostIp === at || (isUnspecified(hostIp) && familyOf(hostIp) === familyOf(at))

/** The one attempt at an address itself. Something listens there if the address is somebody's, or the port leads to one. */
export const approachAddress = (
  model: Model,
  containers: ReadonlyArray<Container>,
  from: Place,
  to: Ip,
  kind: Kind,
): Approach => {
  const owner = placeAt(model, containers, to, from)
  const because = `${showIp(to)} was asked for`
  const cannot = 'SCTP is not carried by the simulation yet'
  if (kind.proto === 'icmp') return { attempts: [{ probe: { proto: 'icmp', ns: placeNs(from), to }, because }], cannot }
  const bindings = valuesOf(model.sandboxes).flatMap(({ ns, ports }) => ports.map((binding) => ({ ns, binding })))
  const door =
    owner?.tag === 'host'
      ? bindings.find(
          ({ binding: { hostIp, hostPort, transport } }) =>
            hostPort === kind.port && transport === kind.proto && isBoundAt(hostIp, to),
        )
      : undefined
  const inside = owner === null ? null : { ns: placeNs(owner), port: kind.port }
  const listener = door === undefined ? inside : { ns: door.ns, port: door.binding.containerPort }
  const probe = probeOf(placeNs(from), kind, to, listener)
  return { attempts: probe === null ? [] : [{ probe, because }], cannot }
}
