// Places by their addresses, for those who ask with an address instead of a name.

import type { Model } from '../model/types.ts'
import { type Ip, isLoopback, showIp } from '../net/ip.ts'
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
  const target = { to, port: null, because }
  if (kind.proto === 'icmp') return { attempts: [{ probe: { proto: 'icmp', ns: placeNs(from), to }, because }], cannot }
  const door =
    owner?.tag !== 'host'
      ? undefined
      : valuesOf(model.sandboxes)
          .flatMap(({ ns, ports }) => ports.map((binding) => ({ ns, binding })))
          .find(({ binding }) => binding.hostPort === kind.port && binding.transport === kind.proto)
  const listener =
    door !== undefined
      ? { ns: door.ns, port: door.binding.containerPort }
      : owner === null
        ? null
        : { ns: placeNs(owner), port: kind.port }
  const probe = probeOf(placeNs(from), kind, target, listener)
  return { attempts: probe === null ? [] : [{ probe, because }], cannot }
}
