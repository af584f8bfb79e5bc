// The gateway network: a bridge for sandboxes whose networks count on another to lead out (an overlay's, say), which keeps those on it
// apart. Nobody asks for it. After each command, whoever needs it is on it, and nobody else; it comes with the first and goes with
// the last, unless somebody made it himself before, as Docker's users do to choose its subnet. Source: libnetwork's default_gateway.go.

import { getIn } from '../../net/pmap.ts'
import { E, type Either } from '../../prelude.ts'
import type { Command, Owner } from '../command.ts'
import type { CnmError } from '../error.ts'
import type { CnmEvent } from '../event.ts'
import { evolve } from '../evolve.ts'
import { endpointsIn, endpointsOn, GATEWAY_NETWORK, networkNamed, type Placed, wayOut } from '../queries.ts'
import type { Rules } from '../rules.ts'
import { type EndpointId, endpointId, type Model, type NetworkId, networkId, type SandboxId } from '../types.ts'
import { createEndpoint } from './endpoint.ts'
import { join } from './join.ts'
import { createNetwork } from './network.ts'

type Events = ReadonlyArray<CnmEvent>

/** Of the one that we make ourselves. */
export const GATEWAY_ID: NetworkId = networkId('9a'.repeat(32))

const HEX = '0123456789abcdef'
/** A sandbox's id, each digit turned round: nobody has to remember which endpoint it is. */
export const gatewayEndpointOf = (sandbox: SandboxId): EndpointId =>
  endpointId([...sandbox].map((digit) => HEX[15 - HEX.indexOf(digit)]).join(''))

const isGateway = ({ network }: Placed): boolean => network.name === GATEWAY_NETWORK

/** Whether somebody in the sandbox counts on a way out, and no network leads out. */
const isNeeded = (rules: Rules, model: Model, sandbox: SandboxId): boolean => {
  const others = endpointsIn(model, sandbox).filter((placed) => !isGateway(placed))
  return others.some(counts(rules)) && wayOut(others, 4) === null && wayOut(others, 6) === null
}

const counts =
  (rules: Rules) =>
  ({ network }: Placed): boolean =>
    !network.internal && rules.get(network.driver)?.needsGateway === true

/** Events one after the other, each step deciding by what came of those before. */
const inTurn = (
  model: Model,
  steps: ReadonlyArray<(now: Model) => Either<CnmError, Events>>,
): Either<CnmError, Events> => {
  const events: CnmEvent[] = []
  for (const step of steps) {
    const decided = step(events.reduce(evolve, model))
    if (E.isLeft(decided)) return decided
    events.push(...decided.right)
  }
  return E.right(events)
}

const make =
  (rules: Rules) =>
  (model: Model): Either<CnmError, Events> =>
    networkNamed(model, GATEWAY_NETWORK) !== undefined
      ? E.right([])
      : createNetwork(rules, model, {
          tag: 'CreateNetwork',
          id: GATEWAY_ID,
          name: GATEWAY_NETWORK,
          driver: 'bridge',
          options: { 'com.docker.network.bridge.enable_icc': 'false' },
          internal: false,
          attachable: false,
          labels: {},
          pools: [{ family: 4, subnet: null, range: null, gateway: null, aux: {} }],
        })

const enter =
  (rules: Rules, sandbox: SandboxId) =>
  (model: Model): Either<CnmError, Events> => {
    const endpoint = gatewayEndpointOf(sandbox)
    const network = networkNamed(model, GATEWAY_NETWORK)?.id ?? GATEWAY_ID
    return inTurn(model, [
      (now) =>
        createEndpoint(rules, now, {
          tag: 'CreateEndpoint',
          id: endpoint,
          network,
          name: `gateway_${sandbox.slice(0, 12)}`,
          aliases: [],
          ipv4: null,
          ipv6: null,
          mac: null,
          disableResolution: true,
        }),
      (now) => join(rules, now, { tag: 'Join', endpoint, sandbox, priority: 0, ifName: null }),
    ])
  }

/** What is in the sandbox counts on a way out that cannot be had. */
const withoutThem = (rules: Rules, model: Model, sandbox: SandboxId): Events =>
  endpointsIn(model, sandbox)
    .filter(counts(rules))
    .map(({ endpoint }) => ({ tag: 'Left', endpoint: endpoint.id }))

/** Of a sandbox that is gone, or needs none: its endpoint on the gateway network goes. */
const dismiss = (model: Model, sandbox: SandboxId): Events => {
  const endpoint = getIn(model.endpoints, gatewayEndpointOf(sandbox))
  if (endpoint === undefined) return []
  const left: Events = endpoint.attachment === null ? [] : [{ tag: 'Left', endpoint: endpoint.id }]
  return [...left, { tag: 'EndpointDeleted', id: endpoint.id }]
}

const isServed = (model: Model, sandbox: SandboxId): boolean => endpointsIn(model, sandbox).some(isGateway)

type Tolerance = 'refuse' | 'go without' | 'leave'

/**
 * What a command does when there can be no gateway: a join is refused; what must succeed goes without; and when the kernel will not have
 * the gateway itself, those who count on it leave, or it would be tried for ever.
 */
const toleranceOf = (model: Model, command: Command): Tolerance => {
  if (command.tag === 'Join') return 'refuse'
  return command.tag === 'KernelRefused' && isOfGateway(model, command.owner) ? 'leave' : 'go without'
}

const isOfGateway = (model: Model, { of, id }: Owner): boolean => {
  const network = of === 'network' ? id : getIn(model.endpoints, id)?.network
  return network !== undefined && getIn(model.networks, network)?.name === GATEWAY_NETWORK
}

const settle =
  (rules: Rules, tolerance: Tolerance, sandbox: SandboxId) =>
  (model: Model): Either<CnmError, Events> => {
    const needed = isNeeded(rules, model, sandbox)
    if (needed && isServed(model, sandbox)) return E.right([])
    if (!needed) return E.right(dismiss(model, sandbox))
    if (tolerance === 'leave') return E.right([...dismiss(model, sandbox), ...withoutThem(rules, model, sandbox)])
    const served = inTurn(model, [(now) => E.right(dismiss(now, sandbox)), make(rules), enter(rules, sandbox)])
    return tolerance === 'refuse' ? served : E.right(E.isLeft(served) ? [] : served.right)
  }

/** Our own gateway network goes with the last who is on it. */
const tidy = (model: Model): Either<CnmError, Events> =>
  E.right(
    getIn(model.networks, GATEWAY_ID) === undefined || endpointsOn(model, GATEWAY_ID).length > 0
      ? []
      : [{ tag: 'NetworkDeleted', id: GATEWAY_ID }],
  )

/** The sandboxes that an endpoint came into or went from. */
const sandboxesOf = (model: Model, events: Events): ReadonlyArray<SandboxId> => [
  ...new Set(
    events.flatMap((event): ReadonlyArray<SandboxId> => {
      if (event.tag === 'Joined') return [event.attachment.sandbox]
      if (event.tag === 'SandboxDeleted') return [event.id]
      const left = event.tag === 'Left' ? getIn(model.endpoints, event.endpoint)?.attachment : null
      return left === null || left === undefined ? [] : [left.sandbox]
    }),
  ),
]

/** The events of a command, and after them those by which whoever needs the gateway network is on it. */
export const withGateway = (rules: Rules, model: Model, command: Command, events: Events): Either<CnmError, Events> => {
  if (events.length === 0 || !isConcerned(rules, model)) return E.right(events)
  const tolerance = toleranceOf(model, command)
  return inTurn(model, [
    () => E.right(events),
    ...sandboxesOf(model, events).map((sandbox) => settle(rules, tolerance, sandbox)),
    tidy,
  ])
}

/** Without a driver that needs it nobody is on it. */
const isConcerned = (rules: Rules, model: Model): boolean => {
  for (const rule of rules.values()) if (rule.needsGateway) return true
  return getIn(model.networks, GATEWAY_ID) !== undefined
}
