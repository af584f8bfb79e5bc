// Which host port does each published port get? Source: libnetwork's portallocator. P2: a port of the host, per address and
// protocol, belongs to one sandbox.

import { DEFAULT_PORTS, type HostPorts } from '../../net/host-facts.ts'
import { isIp4, isUnspecified } from '../../net/ip.ts'
import { getIn, valuesOf } from '../../net/pmap.ts'
import { type Port, port } from '../../net/port.ts'
import { E, type Either } from '../../prelude.ts'
import type { PortRequest } from '../command.ts'
import type { CnmError } from '../error.ts'
import { holdersOf } from '../index.ts'
import { fail } from '../model.ts'
import type { Model, PortBinding, SandboxId } from '../types.ts'

/** What stands where nobody has looked: Linux's default ip_local_port_range, and nothing in the way. */
const UNKNOWN: HostPorts = { automatic: DEFAULT_PORTS, reserved: [], taken: [] }

/** Whether two bindings need the same socket of the host: 0.0.0.0 stands for every IPv4 address, :: for every IPv6. */
export const collide = (a: PortBinding, b: PortBinding): boolean => {
  if (a.hostPort !== b.hostPort || a.transport !== b.transport) return false
  if (a.hostIp === null || b.hostIp === null) return true
  if (isIp4(a.hostIp) !== isIp4(b.hostIp)) return false
  return a.hostIp === b.hostIp || isUnspecified(a.hostIp) || isUnspecified(b.hostIp)
}

/** A sandbox that asks: what it has already (to be kept where it fits), what it is called, and what its host is like. */
type Asking = Readonly<{ id: SandboxId; container: string; has: ReadonlyArray<PortBinding>; host: HostPorts | null }>

/** Bindings by a port of theirs: a sandbox may publish all that there are. */
type ByPort = ReadonlyMap<Port, ReadonlyArray<PortBinding>>
const NONE: ReadonlyArray<PortBinding> = []

/** `has` by the container's port. */
type Asker = Omit<Asking, 'has' | 'host'> & Readonly<{ has: ByPort; host: HostPorts }>

/** Which container is in the way of a binding: another one, or the same with a request before (`given`, by the host's port). */
const inTheWay = (model: Model, { id, container }: Asker, given: ByPort, binding: PortBinding): string | null => {
  if ((given.get(binding.hostPort) ?? NONE).some((mine) => collide(mine, binding))) return container
  const held = valuesOf(holdersOf(model.index, binding))
  const other = held.find((holder) => holder.sandbox !== id && collide(holder.binding, binding))
  return other === undefined ? null : (getIn(model.sandboxes, other.sandbox)?.container ?? other.sandbox)
}

/** Why a port cannot be had: a container has it, or another program of the host waits there. */
const refusalOf = (model: Model, asker: Asker, given: ByPort, binding: PortBinding): CnmError | null => {
  const by = inTheWay(model, asker, given, binding)
  if (by !== null) return { tag: 'PortTaken', port: binding, by }
  const isTaken = asker.host.taken.some(({ ip: hostIp, port: hostPort, transport }) =>
    collide({ ...binding, hostIp, hostPort, transport }, binding),
  )
  return isTaken ? { tag: 'PortInUse', port: binding } : null
}

const answers = ({ hostPorts, hostIp, containerPort, transport }: PortRequest, binding: PortBinding): boolean =>
  binding.hostIp === hostIp &&
  binding.containerPort === containerPort &&
  binding.transport === transport &&
  (hostPorts === null || (hostPorts.from <= binding.hostPort && binding.hostPort <= hostPorts.to))

const isReserved = ({ reserved }: HostPorts, n: number): boolean =>
  reserved.some(({ from, to }) => from <= n && n <= to)

const bindingOf = ({ hostIp, containerPort, transport }: PortRequest, hostPort: Port): PortBinding => ({
  hostIp,
  hostPort,
  containerPort,
  transport,
})

/** The bindings that requests have already, if each of them has one and it is still free. */
const keptFor = (
  model: Model,
  asker: Asker,
  given: ByPort,
  requests: ReadonlyArray<PortRequest>,
): ReadonlyArray<PortBinding> | null => {
  const kept = requests.flatMap((request) => {
    const had = asker.has.get(request.containerPort) ?? NONE
    return had.find((mine) => answers(request, mine) && inTheWay(model, asker, given, mine) === null) ?? []
  })
  return kept.length === requests.length && kept.every(({ hostPort }) => hostPort === kept[0]?.hostPort) ? kept : null
}

/**
 * One host port for requests that differ in the host's address only: the one they have, else the first of their range that is free at
 * each of these. Reserved ports are for those who ask for them.
 */
const bindTogether = (
  model: Model,
  asker: Asker,
  given: ByPort,
  requests: NonEmpty<PortRequest>,
): Either<CnmError, ReadonlyArray<PortBinding>> => {
  const [{ hostPorts, containerPort, transport }] = requests
  const kept = keptFor(model, asker, given, requests)
  if (kept !== null) return E.right(kept)
  const { from, to } = hostPorts ?? asker.host.automatic
  for (let n: number = from; n <= to; n++) {
    if (hostPorts === null && isReserved(asker.host, n)) continue
    const bindings = requests.map((request) => bindingOf(request, port(n)))
    const refusal = bindings.map((each) => refusalOf(model, asker, given, each)).find((each) => each !== null)
    if (refusal === undefined) return E.right(bindings)
    if (from === to) return E.left(refusal)
  }
  return fail({ tag: 'PortsExhausted', container: asker.container, containerPort, transport })
}

type NonEmpty<A> = readonly [A, ...A[]]

const sameRange = (a: PortRequest['hostPorts'], b: PortRequest['hostPorts']): boolean =>
  a === null || b === null ? a === b : a.from === b.from && a.to === b.to

/** Whether they are one wish at two addresses of the host, which can have the same port. */
const isSameWish = (a: PortRequest, b: PortRequest): boolean =>
  a.containerPort === b.containerPort &&
  a.transport === b.transport &&
  sameRange(a.hostPorts, b.hostPorts) &&
  !collide(bindingOf(a, a.containerPort), bindingOf(b, b.containerPort))

/** Those that follow each other and are one wish. */
const together = (requests: ReadonlyArray<PortRequest>): ReadonlyArray<NonEmpty<PortRequest>> => {
  const groups: Array<[PortRequest, ...PortRequest[]]> = []
  for (const request of requests) {
    const last = groups.at(-1)
    if (last?.every((each) => isSameWish(each, request))) last.push(request)
    else groups.push([request])
  }
  return groups
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
  { id, container, has, host }: Asking,
  requests: ReadonlyArray<PortRequest>,
): Either<CnmError, ReadonlyArray<PortBinding>> => {
  const asker: Asker = { id, container, has: groupBy(has, ({ containerPort }) => containerPort), host: host ?? UNKNOWN }
  const given = new Map<Port, ReadonlyArray<PortBinding>>()
  const bindings: PortBinding[] = []
  for (const wish of together(requests)) {
    const bound = bindTogether(model, asker, given, wish)
    if (E.isLeft(bound)) return bound
    for (const binding of bound.right) {
      given.set(binding.hostPort, [...(given.get(binding.hostPort) ?? NONE), binding])
      bindings.push(binding)
    }
  }
  return E.right(bindings)
}
