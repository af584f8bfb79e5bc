// May this sandbox be made, changed or removed? Sources: libnetwork's NewSandbox, Sandbox.Refresh, Rename, SetKey, Delete.
// A refresh is one change of one value: libnetwork leaves all networks, forgets the options and joins again, step by step.

import { isIp6 } from '../../net/ip.ts'
import { HOST, type Ns } from '../../net/name.ts'
import { hasIn, valuesOf } from '../../net/pmap.ts'
import { E, type Either } from '../../prelude.ts'
import type { CreateSandbox, DeleteSandbox, RefreshSandbox, RenameSandbox, SandboxOptions, SetKey } from '../command.ts'
import type { CnmError } from '../error.ts'
import type { CnmEvent } from '../event.ts'
import { fail, findSandbox } from '../model.ts'
import { endpointNamed, endpointsIn, GATEWAY_NETWORK, sandboxAt, sandboxOf } from '../queries.ts'
import type { DnsSettings, Endpoint, Model, Sandbox, Texts } from '../types.ts'
import { bind } from './ports.ts'

type Events = Either<CnmError, ReadonlyArray<CnmEvent>>

const HOSTS_DNS: DnsSettings = { servers: [], search: [], options: [] }

const optionsOf = ({
  domainname = '',
  extraHosts = [],
  dns = HOSTS_DNS,
  exposed = [],
  labels = {},
  sysctls = {},
}: SandboxOptions): Required<SandboxOptions> => ({ domainname, extraHosts, dns, exposed, labels, sysctls })

/** A sysctl of a whole network namespace. One of an interface belongs to an endpoint, which alone knows when there is one. */
export const SANDBOX_SYSCTL = /^net(?!\.[a-z0-9]+\.(conf|neigh)\.(?!all\.|default\.))(\.[a-zA-Z0-9_-]+)+$/
/** Such as `32768 60999`. */
export const SANDBOX_SYSCTL_VALUE = /^[\t\P{Cc}]*[^\s\p{Cc}][\t\P{Cc}]*$/u

const firstOf = <A>(items: ReadonlyArray<A>, check: (item: A) => CnmError | null): CnmError | null => {
  for (const item of items) {
    const wrong = check(item)
    if (wrong !== null) return wrong
  }
  return null
}

const checkSysctls = (container: string, ns: Ns, sysctls: Texts = {}): CnmError | null => {
  for (const [sysctl, value] of Object.entries(sysctls)) {
    const fault = (why: Extract<CnmError, { tag: 'BadSandboxSysctl' }>['why']): CnmError => ({
      tag: 'BadSandboxSysctl',
      container,
      sysctl,
      why,
    })
    if (ns === HOST) return fault('host')
    if (!SANDBOX_SYSCTL.test(sysctl)) return fault('name')
    if (!SANDBOX_SYSCTL_VALUE.test(value)) return fault('value')
  }
  return null
}

const IPV6_OFF = ['net.ipv6.conf.all.disable_ipv6', 'net.ipv6.conf.default.disable_ipv6']

/** An endpoint of IPv6 cannot be in a sandbox that switches it off. */
export const checkIPv6 = (
  container: string,
  sysctls: Texts,
  { name, addresses, linkLocal }: Endpoint,
): CnmError | null => {
  const ip = [...addresses.map(({ cidr }) => cidr.ip), ...linkLocal].find(isIp6)
  const isOff = IPV6_OFF.some((sysctl) => !['0', undefined].includes(sysctls[sysctl]?.trim()))
  return ip === undefined || !isOff ? null : { tag: 'IPv6OffInside', endpoint: name, ip, container }
}

export const createSandbox = (model: Model, command: CreateSandbox): Events => {
  const { id, container, hostname, ns, external = false } = command
  if (hasIn(model.sandboxes, id)) return fail({ tag: 'IdTaken', what: 'sandbox', id })
  if (container.trim() === '') return fail({ tag: 'NameEmpty', what: 'sandbox', id })
  const known = sandboxOf(model, container)
  if (known !== undefined) return fail({ tag: 'ContainerTaken', container, sandbox: known.id })
  const holder = sandboxAt(model, ns)
  if (holder !== undefined) return fail({ tag: 'SandboxTaken', container, ns, by: holder.container })
  if (external && ns === HOST) return fail({ tag: 'InvalidKey', container, why: 'host' })
  const wrong = checkSysctls(container, ns, command.sysctls)
  if (wrong !== null) return fail(wrong)
  const ports = bind(model, { id, container, has: [], host: command.host?.ports ?? null }, command.ports)
  if (E.isLeft(ports)) return ports
  const sandbox: Sandbox = {
    id,
    container,
    hostname,
    ns,
    external: external ? { path: null } : null,
    ...optionsOf(command),
    ports: ports.right,
  }
  return E.right([{ tag: 'SandboxCreated', sandbox }])
}

export const refreshSandbox = (model: Model, command: RefreshSandbox): Events => {
  const found = findSandbox(model, command.id)
  if (E.isLeft(found)) return found
  const { id, container, ns, ports: has } = found.right
  const { sysctls = {} } = command
  const wrong =
    checkSysctls(container, ns, sysctls) ??
    firstOf(endpointsIn(model, id), ({ endpoint }) => checkIPv6(container, sysctls, endpoint))
  if (wrong !== null) return fail(wrong)
  const ports = bind(model, { id, container, has, host: command.host?.ports ?? null }, command.ports)
  if (E.isLeft(ports)) return ports
  const sandbox: Sandbox = {
    ...found.right,
    hostname: command.hostname,
    ...optionsOf(command),
    ports: ports.right,
  }
  return E.right([{ tag: 'SandboxChanged', sandbox }])
}

/** All or nothing: libnetwork renames one endpoint after the other, and back again if one is refused. */
export const renameSandbox = (model: Model, { id, container }: RenameSandbox): Events => {
  const found = findSandbox(model, id)
  if (E.isLeft(found)) return found
  if (container.trim() === '') return fail({ tag: 'NameEmpty', what: 'sandbox', id })
  const holder = sandboxOf(model, container)
  if (holder !== undefined && holder.id !== id) return fail({ tag: 'ContainerTaken', container, sandbox: holder.id })
  const events: CnmEvent[] =
    holder === undefined ? [{ tag: 'SandboxChanged', sandbox: { ...found.right, container } }] : []
  const networks = new Set<string>()
  for (const { endpoint, network } of endpointsIn(model, id)) {
    if (network.name === GATEWAY_NETWORK) continue
    const other = endpointNamed(model, network.id, container)
    if ((other !== undefined && other !== endpoint.id) || networks.has(network.id))
      return fail({ tag: 'EndpointNameTaken', name: container, network: network.name })
    networks.add(network.id)
    if (other === undefined)
      events.push({ tag: 'EndpointRenamed', id: endpoint.id, name: container, aliases: endpoint.aliases })
  }
  return E.right(events)
}

export const setKey = (model: Model, { sandbox: id, path }: SetKey): Events => {
  const found = findSandbox(model, id)
  if (E.isLeft(found)) return found
  const { container, ns, external } = found.right
  if (path.trim() === '') return fail({ tag: 'InvalidKey', container, why: 'empty' })
  if (ns === HOST) return fail({ tag: 'InvalidKey', container, why: 'host' })
  if (external?.path === path) return E.right([])
  const holder = valuesOf(model.sandboxes).find((other) => other.external?.path === path)
  if (holder !== undefined) return fail({ tag: 'KeyTaken', container, path, by: holder.container })
  return E.right([{ tag: 'SandboxChanged', sandbox: { ...found.right, external: { path } } }])
}

/** A container that is gone takes its endpoints along; deleting what is not there is done already (P8). */
export const deleteSandbox = (model: Model, { id }: DeleteSandbox): Events => {
  if (!hasIn(model.sandboxes, id)) return E.right([])
  const endpoints = endpointsIn(model, id).flatMap(
    ({ endpoint }): ReadonlyArray<CnmEvent> => [
      { tag: 'Left', endpoint: endpoint.id },
      { tag: 'EndpointDeleted', id: endpoint.id },
    ],
  )
  return E.right([...endpoints, { tag: 'SandboxDeleted', id }])
}
