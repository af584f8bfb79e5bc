// The objects of a host as `ls` and `inspect` print them. The shapes of --format json are these; fields are only added.

import { endpointsIn, endpointsOn } from '../../model/queries.ts'
import type { Endpoint, Model, Network, PortBinding, Sandbox } from '../../model/types.ts'
import { showCidr } from '../../net/cidr.ts'
import { showIp } from '../../net/ip.ts'
import { showMac } from '../../net/mac.ts'
import { getIn } from '../../net/pmap.ts'

export type EndpointView = Readonly<{
  id: string
  name: string
  network: string
  networkId: string
  /** The host that it is on; null where hosts share nothing. */
  host: string | null
  /** The sandbox that joined it, by name; null if none of this host did. */
  sandbox: string | null
  sandboxId: string | null
  /** Its name inside. */
  interface: string | null
  mac: string
  /** With the prefix length of the subnet. */
  addresses: ReadonlyArray<string>
  aliases: ReadonlyArray<string>
  /** Of the sandbox's endpoints the highest is the way out. */
  gwPriority: number | null
  routes: ReadonlyArray<Readonly<{ destination: string; nextHop: string | null }>>
  /** Endpoints of the network whose ports it reaches, and what only it calls them. */
  links: ReadonlyArray<Readonly<{ endpoint: string; alias: string | null }>>
}>

export const endpointView = (model: Model, endpoint: Endpoint): EndpointView => {
  const { id, name, network, attachment, mac, addresses, aliases } = endpoint
  const sandbox = attachment === null ? undefined : getIn(model.sandboxes, attachment.sandbox)
  return {
    id,
    name,
    network: getIn(model.networks, network)?.name ?? network,
    networkId: network,
    host: getIn(model.cluster.elsewhere, id) ?? model.cluster.host,
    sandbox: sandbox?.container ?? null,
    sandboxId: sandbox?.id ?? null,
    interface: attachment?.ifName ?? null,
    mac: showMac(mac),
    addresses: addresses.map(({ cidr }) => showCidr(cidr)),
    aliases,
    gwPriority: attachment?.priority ?? null,
    routes: (attachment?.routes ?? []).map(({ to, via }) => ({
      destination: showCidr(to),
      nextHop: via === null ? null : showIp(via),
    })),
    links: (attachment?.links ?? []).map(({ to, alias }) => ({ endpoint: to, alias })),
  }
}

export type NetworkView = Readonly<{
  id: string
  name: string
  driver: string
  scope: string
  internal: boolean
  attachable: boolean
  ingress: boolean
  /** It only lends its options, pools and labels. */
  configOnly: boolean
  /** The network that lent them, by name. */
  configFrom: string | null
  labels: Readonly<Record<string, string>>
  /** The driver's options as it understood them, defaults included. */
  options: Readonly<Record<string, string | number | boolean | null>>
  /** IPv4 first. */
  pools: ReadonlyArray<
    Readonly<{
      subnet: string
      ipRange: string
      gateway: string | null
      auxAddresses: Readonly<Record<string, string>>
    }>
  >
  endpoints: ReadonlyArray<EndpointView>
}>

export const networkView = (model: Model, network: Network): NetworkView => {
  const { id, name, driver, scope, internal, attachable, ingress, configOnly, configFrom, labels, config, pools } =
    network
  return {
    id,
    name,
    driver,
    scope,
    internal,
    attachable,
    ingress,
    configOnly,
    configFrom: configFrom === null ? null : (getIn(model.networks, configFrom)?.name ?? configFrom),
    labels,
    options: config,
    pools: pools.map(({ subnet, range, gateway, aux }) => ({
      subnet: showCidr(subnet),
      ipRange: showCidr(range),
      gateway: gateway === null ? null : showIp(gateway),
      auxAddresses: Object.fromEntries(Object.entries(aux).map(([key, ip]) => [key, showIp(ip)])),
    })),
    endpoints: endpointsOn(model, id).map((endpoint) => endpointView(model, endpoint)),
  }
}

export type PortView = Readonly<{
  /** Null: every address of the host. */
  hostIp: string | null
  hostPort: number
  containerPort: number
  proto: string
}>

const portView = ({ hostIp, hostPort, containerPort, transport }: PortBinding): PortView => ({
  hostIp: hostIp === null ? null : showIp(hostIp),
  hostPort,
  containerPort,
  proto: transport,
})

export type SandboxView = Readonly<{
  id: string
  name: string
  hostname: string
  domainname: string
  /** Its namespace, below /run/netns; "host" is the host's own. */
  netns: string
  /** Somebody else makes the namespace; `key` is its path, null until it is told. */
  external: boolean
  key: string | null
  labels: Readonly<Record<string, string>>
  sysctls: Readonly<Record<string, string>>
  ports: ReadonlyArray<PortView>
  /** `80/tcp`. */
  exposed: ReadonlyArray<string>
  dns: Readonly<{ servers: ReadonlyArray<string>; search: ReadonlyArray<string>; options: ReadonlyArray<string> }>
  extraHosts: ReadonlyArray<Readonly<{ name: string; ip: string }>>
  /** Best way out first. */
  endpoints: ReadonlyArray<EndpointView>
}>

export const sandboxView = (model: Model, sandbox: Sandbox): SandboxView => {
  const { id, container, hostname, domainname, ns, external, labels, sysctls, ports, exposed, dns, extraHosts } =
    sandbox
  return {
    id,
    name: container,
    hostname,
    domainname,
    netns: ns,
    external: external !== null,
    key: external?.path ?? null,
    labels,
    sysctls,
    ports: ports.map(portView),
    exposed: exposed.map(({ port, transport }) => `${port}/${transport}`),
    dns: { ...dns, servers: dns.servers.map(showIp) },
    extraHosts: extraHosts.map(({ name, ip }) => ({ name, ip: showIp(ip) })),
    endpoints: endpointsIn(model, id).map(({ endpoint }) => endpointView(model, endpoint)),
  }
}
