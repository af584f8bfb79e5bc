// Where the kernel has no way from a published port to its container, so that a proxy must relay (src/proxy): IPv6 of the host to a
// container that has none, and ::1, from which the kernel cannot route. Which container's address is behind a port the drivers
// say themselves: a port that a driver would not publish over IPv4 is not relayed either.

import { type Published, publishedBy } from '../kernel/firewall/published.ts'
import { endpointsIn, hasNamespace, wayOut } from '../model/queries.ts'
import type { Model, PortBinding, Sandbox } from '../model/types.ts'
import { type Family, type Ip, ip6, isIp6, isLoopback, isUnspecified } from '../net/ip.ts'
import { valuesOf } from '../net/pmap.ts'
import type { Relay } from '../net/relay.ts'
import type { Drivers } from './registry.ts'

const ANY6 = ip6(0n)
const LOOPBACK6 = ip6(1n)

/** What the elements of a binding say that the sandbox's way out of a family would publish; null: it would not. */
const publishedIn = (
  drivers: Drivers,
  model: Model,
  sandbox: Sandbox,
  family: Family,
  binding: PortBinding,
): Published | null => {
  const way = wayOut(endpointsIn(model, sandbox.id), family)
  const driver = way === null ? undefined : drivers.get(way.network.driver)
  if (way === null || driver === undefined) return null
  const { endpoint, network } = way
  const publishes = { 4: family === 4 ? [binding] : [], 6: family === 6 ? [binding] : [] }
  const fragment = driver.endpoint({ network, config: network.config, endpoint, sandbox, publishes, linked: [] })
  const found = fragment.flatMap((object) => (object.kind === 'nft-element' ? (publishedBy(object) ?? []) : []))
  return found.find((each) => each.family === family) ?? null
}

const isForLoopback = (hostIp: Ip | null): boolean => hostIp === null || isUnspecified(hostIp) || isLoopback(hostIp)

const relaysOf = (drivers: Drivers, model: Model, sandbox: Sandbox, binding: PortBinding): ReadonlyArray<Relay> => {
  const { hostIp, hostPort: port, transport } = binding
  if (transport === 'sctp' || (hostIp !== null && !isIp6(hostIp))) return []
  const six = publishedIn(drivers, model, sandbox, 6, binding)
  if (six !== null) return isForLoopback(hostIp) ? [{ transport, at: { ip: LOOPBACK6, port }, to: six.container }] : []
  const four = publishedIn(drivers, model, sandbox, 4, { ...binding, hostIp: null })
  return four === null ? [] : [{ transport, at: { ip: hostIp ?? ANY6, port }, to: four.container }]
}

/** In order of the sandboxes and their ports. */
export const relaysIn = (drivers: Drivers, model: Model): ReadonlyArray<Relay> =>
  valuesOf(model.sandboxes)
    .filter(hasNamespace)
    .flatMap((sandbox) => sandbox.ports.flatMap((binding) => relaysOf(drivers, model, sandbox, binding)))
