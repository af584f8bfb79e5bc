// Which host port does each published port get? Source: libnetwork's portallocator. P2: a port of the host, per address and
// protocol, belongs to one sandbox.

import { isIp4, isUnspecified } from '../../net/ip.ts'
import { getIn, valuesOf } from '../../net/pmap.ts'
import { port } from '../../net/port.ts'
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
type Asker = Readonly<{ id: SandboxId; container: string; has: ReadonlyArray<PortBinding> }>

/** Which container is in the way of a binding: another one, or the same with a request before. */
const inTheWay = (
  model: Model,
  { id, container }: Asker,
  given: ReadonlyArray<PortBinding>,
  binding: PortBinding,
): string | null => {
  if (given.some((mine) => collide(mine, binding))) return container
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
const bindOne = (
  model: Model,
  asker: Asker,
  given: ReadonlyArray<PortBinding>,
  request: PortRequest,
): Either<CnmError, PortBinding> => {
  const { hostPorts, hostIp, containerPort, transport } = request
  const kept = asker.has.find((mine) => answers(request, mine) && inTheWay(model, asker, given, mine) === null)
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

/** Gives every request a host port, or says which one is taken and by whom. */
export const bind = (
  model: Model,
  asker: Asker,
  requests: ReadonlyArray<PortRequest>,
): Either<CnmError, ReadonlyArray<PortBinding>> => {
  const given: PortBinding[] = []
  for (const request of requests) {
    const binding = bindOne(model, asker, given, request)
    if (E.isLeft(binding)) return binding
    given.push(binding.right)
  }
  return E.right(given)
}
