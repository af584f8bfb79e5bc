// What was built, for people and programs: networks and containers as plain values, in the order of the plan. They come
// from the model alone, so they are the same on every kernel.

import { endpointsIn } from '../model/queries.ts'
import type { Model, NetworkId, PortBinding } from '../model/types.ts'
import { showCidr } from '../net/cidr.ts'
import { showIp } from '../net/ip.ts'
import { showMac } from '../net/mac.ts'
import { HOST } from '../net/name.ts'
import { getIn } from '../net/pmap.ts'
import type { Container } from './place.ts'

export type NetworkView = Readonly<{
  name: string
  driver: string
  internal: boolean
  /** IPv4 first; none for drivers without addresses. */
  subnets: ReadonlyArray<Readonly<{ subnet: string; gateway: string | null }>>
}>

/** `hostIp` null: every address of the host. */
export type PortView = Readonly<{ hostIp: string | null; hostPort: number; containerPort: number; proto: string }>

export type ContainerView = Readonly<{
  name: string
  service: string
  /** `own`; `host`; or the container whose namespace it lives in. */
  namespace: string
  /** Best way out first. */
  networks: ReadonlyArray<
    Readonly<{ network: string; interface: string; addresses: ReadonlyArray<string>; mac: string }>
  >
  ports: ReadonlyArray<PortView>
}>

export const networkViews = (model: Model, order: ReadonlyArray<NetworkId>): ReadonlyArray<NetworkView> =>
  order.flatMap((id) => {
    const network = getIn(model.networks, id)
    if (network === undefined) return []
    const { name, driver, internal, pools } = network
    const subnets = pools.map(({ subnet, gateway }) => ({
      subnet: showCidr(subnet),
      gateway: gateway === null ? null : showIp(gateway),
    }))
    return [{ name, driver, internal, subnets }]
  })

const portView = ({ hostIp, hostPort, containerPort, transport }: PortBinding): PortView => ({
  hostIp: hostIp === null ? null : showIp(hostIp),
  hostPort,
  containerPort,
  proto: transport,
})

const namespaceOf = ({ name, sandbox }: Container): string =>
  sandbox.ns === HOST ? 'host' : sandbox.container === name ? 'own' : sandbox.container

export const containerViews = (model: Model, containers: ReadonlyArray<Container>): ReadonlyArray<ContainerView> =>
  containers.map((container) => ({
    name: container.name,
    service: container.service,
    namespace: namespaceOf(container),
    networks: endpointsIn(model, container.sandbox.id).map(({ endpoint, network }) => ({
      network: network.name,
      interface: endpoint.attachment.ifName,
      addresses: endpoint.addresses.map(({ cidr }) => showCidr(cidr)),
      mac: showMac(endpoint.mac),
    })),
    ports: container.sandbox.container === container.name ? container.sandbox.ports.map(portView) : [],
  }))
