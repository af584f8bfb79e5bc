// A container's way out: one per family, by an order that is total, written down, and not that of the joins.

import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { DRIVERS } from '../src/drivers/registry.ts'
import { type Core, step } from '../src/engine/step.ts'
import { objectsOf } from '../src/kernel/state.ts'
import type { Command } from '../src/model/command.ts'
import { endpointsIn, hasNamespace, wayOut } from '../src/model/queries.ts'
import type { Endpoint, EndpointId, Model, Network, NetworkPool, Sandbox } from '../src/model/types.ts'
import { DEFAULT4, DEFAULT6, sameCidr } from '../src/net/cidr.ts'
import { familyOf, type Ip } from '../src/net/ip.ts'
import { HOST } from '../src/net/name.ts'
import { getIn, valuesOf } from '../src/net/pmap.ts'
import { E } from '../src/prelude.ts'
import { program } from './arbitraries/commands.ts'
import { coreAfter } from './lib/states.ts'

/** A way out of one family; no route is ours to make where somebody on the wire announces it. */
type Way = Readonly<{ family: 4 | 6; via: Ip | null; isRouted: boolean }>
type Door = Readonly<{ endpoint: Endpoint; network: Network; ways: ReadonlyArray<Way> }>

/** By the device in ipvlan's modes of layer 3, else by the gateway; a network on a wire is one without, too. */
const waysBy = ({ driver, config, internal }: Network, { subnet, gateway }: NetworkPool): ReadonlyArray<Way> => {
  const family = familyOf(subnet.ip)
  const isOnWire = driver === 'macvlan' || driver === 'ipvlan'
  if (internal || (isOnWire && config['parent'] === null)) return []
  if (driver === 'ipvlan' && config['mode'] !== 'l2') return [{ family, via: null, isRouted: true }]
  if (gateway === null) return isOnWire ? [{ family, via: null, isRouted: false }] : []
  return [{ family, via: gateway, isRouted: true }]
}

/** Static routes to everywhere take the place of what the network says. */
const ownWays = ({ attachment }: Endpoint): ReadonlyArray<Way> =>
  (attachment?.routes ?? [])
    .filter(({ to }) => to.bits === 0)
    .map(({ to, via }) => ({ family: familyOf(to.ip), via, isRouted: true }))

/** The endpoints of a sandbox, each with the ways that it could use. Straight from what is stored. */
const doors = (model: Model, sandbox: Sandbox): ReadonlyArray<Door> =>
  valuesOf(model.endpoints).flatMap((endpoint) => {
    const network = getIn(model.networks, endpoint.network)
    if (endpoint.attachment?.sandbox !== sandbox.id || network === undefined) return []
    const used = network.pools.filter(({ pool }) => endpoint.addresses.some((address) => address.pool === pool))
    const own = ownWays(endpoint)
    const given = used.flatMap((pool) => waysBy(network, pool))
    return [
      { endpoint, network, ways: [...own, ...given.filter((way) => own.every(({ family }) => family !== way.family))] },
    ]
  })

/** docs: highest priority, then both families before one, then the first name of the network. */
const isBefore = (a: Door, b: Door): boolean => {
  const [first, second] = [a.endpoint.attachment?.priority ?? 0, b.endpoint.attachment?.priority ?? 0]
  if (first !== second) return first > second
  if (a.ways.length !== b.ways.length) return a.ways.length > b.ways.length
  if (a.network.name !== b.network.name) return a.network.name < b.network.name
  return a.endpoint.id < b.endpoint.id
}

type Out = Readonly<{ family: 4 | 6; via: Ip | null; dev: string }>

/** The default routes of a container, as they are wanted. */
const outs = (core: Core, { ns }: Sandbox): ReadonlyArray<Out> =>
  objectsOf(core.wanted.state).flatMap((object) => {
    if (object.kind !== 'route' || object.ns !== ns) return []
    if (!sameCidr(object.to, DEFAULT4) && !sameCidr(object.to, DEFAULT6)) return []
    return [{ family: familyOf(object.to.ip), via: object.via, dev: object.dev }]
  })

const expected = (model: Model, sandbox: Sandbox): ReadonlyArray<Out> =>
  ([4, 6] as const).flatMap((family) => {
    const candidates = doors(model, sandbox).filter(({ ways }) => ways.some((way) => way.family === family))
    const best = candidates.find((door) => candidates.every((other) => other === door || isBefore(door, other)))
    const way = best?.ways.find((each) => each.family === family)
    const dev = best?.endpoint.attachment?.ifName
    return way === undefined || dev === undefined || !way.isRouted ? [] : [{ family, via: way.via, dev }]
  })

/** Those by which nothing leaves though they claim it count, too: nothing leaves by others while they are there. */
const waysOf = (model: Model, sandbox: Sandbox): ReadonlyArray<EndpointId> => {
  const placed = endpointsIn(model, sandbox.id)
  return ([4, 6] as const).flatMap((family) => wayOut(placed, family)?.endpoint.id ?? [])
}

const inside = (model: Model): ReadonlyArray<Sandbox> =>
  valuesOf(model.sandboxes).filter((sandbox) => sandbox.ns !== HOST && hasNamespace(sandbox))

/** The default routes of a container, and everything that publishes. */
const roads = (core: Core, sandbox: Sandbox): unknown => [
  outs(core, sandbox),
  objectsOf(core.wanted.state).filter((object) => object.kind === 'nft-element' && /^publish/.test(object.set)),
]

const obey = (core: Core, command: Command): Core => {
  const next = step(DRIVERS, core, command)
  if (E.isLeft(next)) throw new Error(next.left.tag)
  return next.right.core
}

describe('the way out', () => {
  test.prop([program])(
    'is one default route per family, through the endpoint that is first in the documented order (P13)',
    (commands) => {
      const core = coreAfter(commands)
      for (const sandbox of inside(core.model)) expect(outs(core, sandbox)).toEqual(expected(core.model, sandbox))
    },
  )

  test.prop([program])(
    'and all published ports stay as they are when an endpoint leaves or joins that is not the way out (P13)',
    (commands) => {
      const core = coreAfter(commands)
      for (const sandbox of inside(core.model)) {
        const ways = waysOf(core.model, sandbox)
        for (const { id, attachment } of valuesOf(core.model.endpoints)) {
          if (attachment?.sandbox !== sandbox.id || ways.includes(id)) continue
          const gone = obey(core, { tag: 'Leave', endpoint: id, sandbox: sandbox.id })
          expect(roads(gone, sandbox)).toEqual(roads(core, sandbox))
          const { priority, ifName } = attachment
          const back = obey(gone, { tag: 'Join', endpoint: id, sandbox: sandbox.id, priority, ifName })
          expect(roads(back, sandbox)).toEqual(roads(core, sandbox))
        }
      }
    },
  )

  test.prop([program.chain((commands) => fc.tuple(fc.constant(commands), fc.infiniteStream(fc.nat())))])(
    'does not depend on the order in which endpoints joined (P13)',
    ([commands, places]) => {
      const core = coreAfter(commands)
      for (const sandbox of inside(core.model)) {
        const joined = doors(core.model, sandbox).map(({ endpoint }) => endpoint)
        const shuffled = joined
          .map((endpoint) => ({ endpoint, place: places.next().value ?? 0 }))
          .sort((a, b) => a.place - b.place)
        const leave = (now: Core, { id }: Endpoint): Core =>
          obey(now, { tag: 'Leave', endpoint: id, sandbox: sandbox.id })
        const join = (now: Core, { endpoint }: Readonly<{ endpoint: Endpoint }>): Core => {
          const { priority = 0, ifName = null, routes = [], links = [] } = endpoint.attachment ?? {}
          const id: EndpointId = endpoint.id
          return obey(now, { tag: 'Join', endpoint: id, sandbox: sandbox.id, priority, ifName, routes, links })
        }
        const again = shuffled.reduce(join, joined.reduce(leave, core))
        expect(objectsOf(again.wanted.state)).toEqual(objectsOf(core.wanted.state))
      }
    },
  )
})
