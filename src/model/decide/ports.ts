// Which host port does each published port get? Source: libnetwork's portallocator. P2: a port of the host, per address and
// protocol, belongs to one sandbox.

import { isIp4, isUnspecified } from '../../net/ip.ts'
import { getIn, valuesOf } from '../../net/pmap.ts'
import { type Port, port } from '../../net/port.ts'
import { E, type Either } from '../../prelude.ts'
import type { PortRequest } from '../command.ts'
import type { CnmError } from '../error.ts'
import { holdersOf } from '../index.ts'
import { fail } from '../model.ts'
import type { Model, PortBinding, SandboxId } from '../types.ts'

/** Where ports are taken from when none is asked for: Linux's default ip_local_port_range. */
const AUTOMATIC = { from: port(32768), to: port(60999) }

/** Whether two bindings need the same socket of the host: 0.0.0.0 stands for every IPv4 address, :: for every IPv6. */
export const collide = (a: PortBinding, b: PortBinding): boolean => {
  if (a.hostPort !== b.hostPort || a.transport !== b.transport) return false
  if (a.hostIp === null || b.hostIp === null) return true
  if (isIp4(a.hostIp) !== isIp4(b.hostIp)) return false
  return a.hostIp === b.hostIp || isUnspecified(a.hostIp) || isUnspecified(b.hostIp)
}

/** A sandbox that asks: what it has already (to be kept where it fits), and what it is called. */
type Asking = Readonly<{ id: SandboxId; container: string; has: ReadonlyArray<PortBinding> }>

/** Bindings by a port of theirs: a sandbox may publish all that there are. */
type ByPort = ReadonlyMap<Port, ReadonlyArray<PortBinding>>
const NONE: ReadonlyArray<PortBinding> = []

/** `has` by the container's port. */
type Asker = Omit<Asking, 'has'> & Readonly<{ has: ByPort }>

/** Which container is in the way of a binding: another one, or the same with a request before (`given`, by the host's port). */
const inTheWay = (model: Model, { id, container }: Asker, given: ByPort, binding: PortBinding): string | null => {
  if ((given.get(binding.hostPort) ?? NONE).some((mine) => collide(mine, binding))) return container
  const held = valuesOf(holdersOf(model.index, binding))
  const other = held.find((holder) => holder.sandbox !== id && collide(holder.binding, binding))
  return other === undefined ? null : (getIn(model.sandboxes, other.sandbox)?.container ?? other.sandbox)
}

const answers = ({ hostPorts, hostIp, containerPort, transport }: PortRequest, binding: PortBinding): boolean =>
  binding.hostIp === hostIp &&
  binding.containerPort === containerPort &&
  binding.transport === transport &&
  (hostPorts === null || (hostPorts.from <= binding.hostPort && binding.hostPort <= hostPorts.to))

/** One host port for a request: the one it has, else the first of its range that is free. */
const bindOne = (model: Model, asker: Asker, given: ByPort, request: PortRequest): Either<CnmError, PortBinding> => {
  const { hostPorts, hostIp, containerPort, transport } = request
  const had = asker.has.get(containerPort) ?? NONE
  const kept = had.find((mine) => answers(request, mine) && inTheWay(model, asker, given, mine) === null)
  if (kept !== undefined) return E.right(kept)
  const { from, to } = hostPorts ?? AUTOMATIC
  for (let n: number = from; n <= to; n++) {
    const binding: PortBinding = { hostIp, hostPort: port(n), containerPort, transport }
    const by = inTheWay(model, asker, given, binding)
    if (by === null) return E.right(binding)
    if (from === to) return fail({ tag: 'PortTaken', port: binding, by })
  }
  return fail({ tag: 'PortsExhausted', container: asker.container, containerPort, transport })
}

const groupBy = (bindings: ReadonlyArray<PortBinding>, of: (binding: PortBinding) => Port): ByPort => {
  const groups = new Map<Port, PortBinding[]>()
  for (const binding of bindings) {
    const group = groups.get(of(binding))
    if (group === undefined) groups.set(of(binding), [binding])
    else group.push(binding)
  }
  return groups
}

/** Gives every request a host port, or says which one is taken and by whom. */
export const bind = (
  model: Model,
  { id, container, has }: Asking,
  requests: ReadonlyArray<PortRequest>,
): Either<CnmError, ReadonlyArray<PortBinding>> => {
  const asker: Asker = { id, container, has: groupBy(has, ({ containerPort }) => containerPort) }
  const given = new Map<Port, ReadonlyArray<PortBinding>>()
  const bindings: PortBinding[] = []
  for (const request of requests) {
    const binding = bindOne(model, asker, given, request)
    if (E.isLeft(binding)) return binding
    const { hostPort } = binding.right
    given.set(hostPort, [...(given.get(hostPort) ?? NONE), binding.right])
    bindings.push(binding.right)
  }
  return E.right(bindings)
}
