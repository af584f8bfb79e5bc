// From a project to the commands that build it, each with its place in the file, so that a refusal can name the line.
// Ids are hashes of names: a second run names the same objects. What asks for something fixed (a subnet, an address, a
// port) is made before what takes any, so nothing is given away that somebody asked for.

import { createHash } from 'node:crypto'
import type { Command, CreateEndpoint, CreateNetwork, CreateSandbox, Join, PoolSpec } from '../model/command.ts'
import {
  type EndpointId,
  endpointId,
  type Link,
  type NetworkId,
  networkId,
  type SandboxId,
  sandboxId,
} from '../model/types.ts'
import { cidrFamily } from '../net/cidr.ts'
import type { Family } from '../net/ip.ts'
import { HOST, type Ns, ns, parseNs } from '../net/name.ts'
import { E } from '../prelude.ts'
import type { At } from './at.ts'
import { assignHostPorts, type HostPorts } from './check/host-port.ts'
import type { Project, ProjectAttachment, ProjectContainer, ProjectNetwork } from './project.ts'

export type PlacedCommand = Readonly<{ command: Command; at: At }>

const hash = (kind: string, project: string, name: string): string =>
  createHash('sha256').update(`${kind}/${project}/${name}`).digest('hex')

export const networkIdOf = (project: Project, network: string): NetworkId =>
  networkId(hash('network', project.name, network))
export const sandboxIdOf = (project: Project, container: string): SandboxId =>
  sandboxId(hash('sandbox', project.name, container))
export const endpointIdOf = (project: Project, container: string, network: string): EndpointId =>
  endpointId(hash('endpoint', project.name, `${container}@${network}`))

/** The container's name, which is never that of a place around it, if it can be one; otherwise its id. */
const nsOf = (container: ProjectContainer, id: SandboxId): Ns => {
  const name = parseNs(container.name)
  return E.isRight(name) ? name.right : ns(id)
}

/** Those that are named, or any. */
const poolsOf = (network: ProjectNetwork, family: Family): ReadonlyArray<PoolSpec> => {
  const named = network.ipam.pools.filter(({ subnet }) => subnet !== null && cidrFamily(subnet) === family)
  if (named.length === 0) return [{ family, subnet: null, range: null, gateway: null, aux: {} }]
  return named.map(({ subnet, ipRange: range, gateway, auxAddresses: aux }) => ({
    family,
    subnet,
    range,
    gateway,
    aux,
  }))
}

const createNetwork = (project: Project, network: ProjectNetwork): CreateNetwork => ({
  tag: 'CreateNetwork',
  id: networkIdOf(project, network.key),
  name: network.name,
  driver: network.driver,
  options: network.driverOpts,
  internal: network.internal,
  attachable: network.attachable,
  labels: network.labels,
  pools: [...(network.enableIPv4 ? poolsOf(network, 4) : []), ...(network.enableIPv6 ? poolsOf(network, 6) : [])],
})

const createSandbox = (project: Project, container: ProjectContainer, hostPorts: HostPorts): CreateSandbox => {
  const id = sandboxIdOf(project, container.name)
  const assigned = hostPorts.assigned.get(container.name) ?? []
  return {
    tag: 'CreateSandbox',
    id,
    container: container.name,
    hostname: container.hostname,
    ns: container.mode.tag === 'host' ? HOST : nsOf(container, id),
    ports: container.ports.map(({ hostIp, hostPorts: asked, containerPort, transport }, i) => {
      const one = assigned[i] ?? null
      return { hostIp, hostPorts: one === null ? asked : { from: one, to: one }, containerPort, transport }
    }),
    exposed: container.expose.map(({ port, proto: transport }) => ({ port, transport })),
    sysctls: container.sysctls,
  }
}

type Attached = Readonly<{ container: ProjectContainer; attachment: ProjectAttachment }>

const createEndpoint = (project: Project, { container, attachment }: Attached): CreateEndpoint => ({
  tag: 'CreateEndpoint',
  id: endpointIdOf(project, container.name, attachment.network),
  network: networkIdOf(project, attachment.network),
  name: container.fullName,
  aliases: attachment.aliases,
  ipv4: attachment.ipv4,
  ipv6: attachment.ipv6,
  mac: attachment.mac,
  linkLocal: attachment.linkLocal,
  sysctls: attachment.sysctls,
})

/** To each container of the service that is on the network, by its name there. */
const linksOf = ({ containers }: Project, { container, attachment }: Attached): ReadonlyArray<Link> =>
  container.links.flatMap(({ service, alias }) =>
    containers
      .filter(
        ({ service: other, mode, fullName }) =>
          other === service &&
          fullName !== container.fullName &&
          mode.tag === 'networks' &&
          mode.attachments.some(({ network }) => network === attachment.network),
      )
      .map(({ fullName: to }) => ({ to, alias })),
  )

const join = (project: Project, { container, attachment }: Attached): Join => ({
  tag: 'Join',
  endpoint: endpointIdOf(project, container.name, attachment.network),
  sandbox: sandboxIdOf(project, container.name),
  priority: attachment.gwPriority,
  ifName: attachment.interfaceName,
  links: linksOf(project, { container, attachment }),
})

/** Those that ask for something fixed, then the others; else the order stays. */
const fixedFirst = <A>(items: ReadonlyArray<A>, isFixed: (item: A) => boolean): ReadonlyArray<A> => [
  ...items.filter(isFixed),
  ...items.filter((item) => !isFixed(item)),
]

/** Networks, then sandboxes, then endpoints, then joins. A container in another's namespace needs nothing. */
export const toCommands = (project: Project): Readonly<{ commands: ReadonlyArray<PlacedCommand> }> => {
  const hostPorts = assignHostPorts(project.containers)
  const networks = fixedFirst(project.networks, ({ ipam }) => ipam.pools.length > 0)
  const own = project.containers.filter(({ mode }) => mode.tag !== 'container')
  const sandboxes = fixedFirst(own, ({ ports }) => ports.every(({ hostPorts: asked }) => asked !== null))
  const attached: ReadonlyArray<Attached> = own.flatMap((container) =>
    container.mode.tag === 'networks'
      ? container.mode.attachments.map((attachment) => ({ container, attachment }))
      : [],
  )
  const endpoints = fixedFirst(attached, ({ attachment: { ipv4, ipv6 } }) => ipv4 !== null || ipv6 !== null)
  return {
    commands: [
      ...networks.map((network) => ({ command: createNetwork(project, network), at: network.at })),
      ...sandboxes.map((container) => ({ command: createSandbox(project, container, hostPorts), at: container.at })),
      ...endpoints.map((each) => ({ command: createEndpoint(project, each), at: each.attachment.at })),
      ...attached.map((each) => ({ command: join(project, each), at: each.attachment.at })),
    ],
  }
}
