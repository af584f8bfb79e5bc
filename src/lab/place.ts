// Who can ask whom: the containers of a project by name, the host, and the internet.

import { endpointsIn } from '../model/queries.ts'
import type { Model, Sandbox, SandboxId } from '../model/types.ts'
import type { Ip } from '../net/ip.ts'
import { HOST, type Ns } from '../net/name.ts'
import type { Port, Transport } from '../net/port.ts'
import { INTERNET } from './world.ts'

/** A container and the sandbox it lives in, which it may share with others; `listens`: ports it is known to serve. */
export type Container = Readonly<{
  tag: 'container'
  name: string
  service: string
  sandbox: Sandbox
  listens: ReadonlyArray<Readonly<{ port: Port; proto: Transport }>>
}>
export type Place = Container | Readonly<{ tag: 'host' }> | Readonly<{ tag: 'internet' }>

export const HOST_PLACE: Place = { tag: 'host' }
export const INTERNET_PLACE: Place = { tag: 'internet' }

export const placeName = (place: Place): string => (place.tag === 'container' ? place.name : place.tag)

export const placeNs = (place: Place): Ns => {
  switch (place.tag) {
    case 'container':
      return place.sandbox.ns
    case 'host':
      return HOST
    case 'internet':
      return INTERNET
  }
}

/** An address of a container and the network it is on. */
export type Located = Readonly<{ ip: Ip; network: string; internal: boolean }>

const locate = (model: Model, sandbox: Sandbox): ReadonlyArray<Located> =>
  endpointsIn(model, sandbox.id).flatMap(({ endpoint, network }) =>
    endpoint.addresses.map(({ cidr }) => ({ ip: cidr.ip, network: network.name, internal: network.internal })),
  )

/** A table of n containers asks this n * n times of one model, which never changes. */
const located = new WeakMap<Model, Map<SandboxId, ReadonlyArray<Located>>>()

/** The addresses of a sandbox, best way out first, IPv4 before IPv6 on each network. */
export const addressesOf = (model: Model, sandbox: Sandbox): ReadonlyArray<Located> => {
  const known = located.get(model) ?? new Map<SandboxId, ReadonlyArray<Located>>()
  located.set(model, known)
  const addresses = known.get(sandbox.id) ?? locate(model, sandbox)
  known.set(sandbox.id, addresses)
  return addresses
}
