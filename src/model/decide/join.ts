// May this endpoint join or leave this sandbox, and what is its interface called inside? Sources: libnetwork's Endpoint.Join
// and Endpoint.Leave.

import { HOST, type IfName, ifName, LO } from '../../net/name.ts'
import { E, type Either } from '../../prelude.ts'
import { endpointsHere } from '../cluster.ts'
import type { Join, Leave } from '../command.ts'
import type { CnmError } from '../error.ts'
import type { CnmEvent } from '../event.ts'
import { fail, findEndpointHere, findNetwork, findSandbox } from '../model.ts'
import { endpointsIn } from '../queries.ts'
import type { Rules } from '../rules.ts'
import type { Model, Network, Sandbox } from '../types.ts'
import { checkLinks, checkRoutes } from './routes.ts'
import { checkIPv6 } from './sandbox.ts'

const NONE: ReadonlyArray<never> = []

/** The first `ethN` that is free inside, or what takes the place of `eth`. */
const freeInterface = (prefix: string, taken: ReadonlySet<IfName>): IfName => {
  for (let n = 0; ; n++) {
    const name = ifName(`${prefix}${n}`)
    if (!taken.has(name)) return name
  }
}

/** How many endpoints can be joined on a host at once, if there are that many; null: there is room. */
const fullFor = (rules: Rules, model: Model, { id, driver, config }: Network): number | null => {
  const seats = rules.get(driver)?.seats(config) ?? null
  if (seats === null) return null
  return endpointsHere(model, id).filter(({ attachment }) => attachment !== null).length < seats ? null : seats
}

export const join = (rules: Rules, model: Model, command: Join): Either<CnmError, ReadonlyArray<CnmEvent>> => {
  const endpoint = findEndpointHere(model, command.endpoint)
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
  const full = fullFor(rules, model, network.right)
  if (full !== null) return fail({ tag: 'NetworkFull', network: network.right.name, endpoint: name, most: full })
  const placed = endpointsIn(model, sandbox.id)
  const { routes = NONE, links = NONE } = command
  const wrong =
    checkIPv6(sandbox.container, sandbox.sysctls, endpoint.right) ??
    checkRoutes(endpoint.right, network.right, placed, routes) ??
    checkLinks(model, endpoint.right, network.right, placed, links)
  if (wrong !== null) return fail(wrong)
  const taken = new Set([LO, ...placed.map((each) => each.endpoint.attachment.ifName)])
  const asked = command.ifName ?? endpoint.right.asked.ifName
  if (asked !== null && taken.has(asked))
    return fail({ tag: 'InterfaceTaken', ifName: asked, container: sandbox.container })
  const prefix = rules.get(network.right.driver)?.prefix(network.right.config) ?? 'eth'
  const inside = asked ?? freeInterface(prefix, taken)
  return E.right([
    {
      tag: 'Joined',
      endpoint: endpoint.right.id,
      attachment: { sandbox: sandbox.id, priority: command.priority, ifName: inside, routes, links },
    },
  ])
}

export const leave = (model: Model, command: Leave): Either<CnmError, ReadonlyArray<CnmEvent>> => {
  const endpoint = findEndpointHere(model, command.endpoint)
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
