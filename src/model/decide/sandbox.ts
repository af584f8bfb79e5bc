// May this sandbox be made or removed, may this endpoint join or leave it, which host ports does it get?
// Source: libnetwork's NewSandbox, Endpoint.Join and Leave, and portallocator for ports.

import { isIp4, isUnspecified } from '../../net/ip.ts'
import { HOST, type IfName, ifName } from '../../net/name.ts'
import { hasIn, valuesOf } from '../../net/pmap.ts'
import { port } from '../../net/port.ts'
import { E, type Either } from '../../prelude.ts'
import type { CreateSandbox, DeleteSandbox, Join, Leave, PortRequest } from '../command.ts'
import type { CnmError } from '../error.ts'
import type { CnmEvent } from '../event.ts'
import { fail, findEndpoint, findNetwork, findSandbox } from '../model.ts'
import { endpointsIn, sandboxAt } from '../queries.ts'
import type { Model, PortBinding, Sandbox } from '../types.ts'

/** Where ports are taken from when none is asked for: Linux's default ip_local_port_range. */
const AUTOMATIC = { from: port(32768), to: port(60999) }

/** Whether two bindings need the same socket of the host: 0.0.0.0 stands for every IPv4 address, :: for every IPv6. */
const collide = (a: PortBinding, b: PortBinding): boolean => {
  if (a.hostPort !== b.hostPort || a.transport !== b.transport) return false
  if (a.hostIp === null || b.hostIp === null) return true
  if (isIp4(a.hostIp) !== isIp4(b.hostIp)) return false
  return a.hostIp === b.hostIp || isUnspecified(a.hostIp) || isUnspecified(b.hostIp)
}

type Holder = Readonly<{ binding: PortBinding; container: string }>

const holders = (model: Model): ReadonlyArray<Holder> =>
  valuesOf(model.sandboxes).flatMap(({ container, ports }) => ports.map((binding) => ({ binding, container })))

/** One host port for a request: the first of its range that is free. */
const bindOne = (held: ReadonlyArray<Holder>, request: PortRequest): Either<CnmError, PortBinding> => {
  const { hostPorts, hostIp, containerPort, transport } = request
  const { from, to } = hostPorts ?? AUTOMATIC
  let inTheWay: CnmError = { tag: 'PortsExhausted', transport }
  for (let n: number = from; n <= to; n++) {
    const binding: PortBinding = { hostIp, hostPort: port(n), containerPort, transport }
    const taken = held.find((other) => collide(other.binding, binding))
    if (taken === undefined) return E.right(binding)
    if (from === to) inTheWay = { tag: 'PortTaken', port: binding, by: taken.container }
  }
  return fail(inTheWay)
}

/** Gives every request a host port, or says which one is taken and by whom. */
const bind = (
  model: Model,
  container: string,
  requests: ReadonlyArray<PortRequest>,
): Either<CnmError, PortBinding[]> => {
  const held = [...holders(model)]
  const bindings: PortBinding[] = []
  for (const request of requests) {
    const binding = bindOne(held, request)
    if (E.isLeft(binding)) return binding
    bindings.push(binding.right)
    held.push({ binding: binding.right, container })
  }
  return E.right(bindings)
}

export const createSandbox = (model: Model, command: CreateSandbox): Either<CnmError, ReadonlyArray<CnmEvent>> => {
  const { id, container, hostname, ns } = command
  if (hasIn(model.sandboxes, id)) return fail({ tag: 'IdTaken', what: 'sandbox', id })
  if (container.trim() === '') return fail({ tag: 'NameEmpty', what: 'sandbox' })
  const holder = ns === HOST ? undefined : sandboxAt(model, ns)
  if (holder !== undefined) return fail({ tag: 'SandboxTaken', ns, by: holder.container })
  const ports = bind(model, container, command.ports)
  if (E.isLeft(ports)) return ports
  return E.right([{ tag: 'SandboxCreated', sandbox: { id, container, hostname, ns, ports: ports.right } }])
}

/** A container that is gone takes its endpoints along; deleting what is not there is done already (P8). */
export const deleteSandbox = (model: Model, { id }: DeleteSandbox): Either<CnmError, ReadonlyArray<CnmEvent>> => {
  if (!hasIn(model.sandboxes, id)) return E.right([])
  const endpoints = endpointsIn(model, id).flatMap(
    ({ endpoint }): ReadonlyArray<CnmEvent> => [
      { tag: 'Left', endpoint: endpoint.id },
      { tag: 'EndpointDeleted', id: endpoint.id },
    ],
  )
  return E.right([...endpoints, { tag: 'SandboxDeleted', id }])
}

/** The first `ethN` that is free inside. */
const freeInterface = (taken: ReadonlySet<IfName>): IfName => {
  for (let n = 0; ; n++) {
    const name = ifName(`eth${n}`)
    if (!taken.has(name)) return name
  }
}

export const join = (model: Model, command: Join): Either<CnmError, ReadonlyArray<CnmEvent>> => {
  const endpoint = findEndpoint(model, command.endpoint)
  const found = findSandbox(model, command.sandbox)
  if (E.isLeft(endpoint)) return endpoint
  if (E.isLeft(found)) return found
  const { name, attachment } = endpoint.right
  const sandbox: Sandbox = found.right
  if (attachment !== null) {
    const holder = findSandbox(model, attachment.sandbox)
    const container = E.isRight(holder) ? holder.right.container : attachment.sandbox
    return fail({ tag: 'AlreadyJoined', endpoint: name, container })
  }
  const network = findNetwork(model, endpoint.right.network)
  if (E.isLeft(network)) return network
  if (sandbox.ns === HOST && network.right.pools.length > 0)
    return fail({ tag: 'SharesHost', container: sandbox.container, network: network.right.name })
  const taken = new Set(endpointsIn(model, sandbox.id).map((placed) => placed.endpoint.attachment.ifName))
  if (command.ifName !== null && taken.has(command.ifName))
    return fail({ tag: 'InterfaceTaken', ifName: command.ifName, container: sandbox.container })
  const inside = command.ifName ?? freeInterface(taken)
  return E.right([
    {
      tag: 'Joined',
      endpoint: endpoint.right.id,
      attachment: { sandbox: sandbox.id, priority: command.priority, ifName: inside },
    },
  ])
}

export const leave = (model: Model, command: Leave): Either<CnmError, ReadonlyArray<CnmEvent>> => {
  const endpoint = findEndpoint(model, command.endpoint)
  const sandbox = findSandbox(model, command.sandbox)
  if (E.isLeft(endpoint)) return endpoint
  if (E.isLeft(sandbox)) return sandbox
  const { id, name, attachment } = endpoint.right
  if (attachment === null) return fail({ tag: 'NotJoined', endpoint: name })
  if (attachment.sandbox !== command.sandbox) {
    const joined = findSandbox(model, attachment.sandbox)
    return fail({
      tag: 'OtherSandbox',
      endpoint: name,
      joined: E.isRight(joined) ? joined.right.container : attachment.sandbox,
      asked: sandbox.right.container,
    })
  }
  return E.right([{ tag: 'Left', endpoint: id }])
}
