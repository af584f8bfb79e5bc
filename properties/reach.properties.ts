// Who reaches whom, with packets on the simulated kernel: the promise of the firewall's skeleton, for any topology.

import { test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { bridgeOptions } from '../src/drivers/bridge/options.ts'
import { ipvlanOptions } from '../src/drivers/ipvlan/options.ts'
import { macvlanOptions } from '../src/drivers/macvlan/options.ts'
import { freshEngine } from '../src/engine/engine.ts'
import { diff } from '../src/kernel/diff.ts'
import type { Kernel, Probe } from '../src/kernel/kernel.ts'
import type { KernelOp } from '../src/kernel/op.ts'
import { EMPTY_STATE } from '../src/kernel/state.ts'
import { simKernel } from '../src/kernel-sim/kernel.ts'
import { EMPTY_WORLD } from '../src/kernel-sim/state.ts'
import { HOST_ADDRESS, INTERNET, INTERNET_ADDRESS, UPLINK, WORLD } from '../src/lab/world.ts'
import type { Command } from '../src/model/command.ts'
import { endpointsIn, hasNamespace, wayOut } from '../src/model/queries.ts'
import type { Model, Network, Sandbox } from '../src/model/types.ts'
import { DEFAULT4 } from '../src/net/cidr.ts'
import { familyOf, type Ip, ip, showIp } from '../src/net/ip.ts'
import { HOST } from '../src/net/name.ts'
import { getIn, valuesOf } from '../src/net/pmap.ts'
import { E } from '../src/prelude.ts'
import { program } from './arbitraries/commands.ts'

const build = async (commands: ReadonlyArray<Command>) => {
  const kernel = simKernel(EMPTY_WORLD)
  await kernel.apply(diff(EMPTY_STATE, WORLD))()
  const engine = freshEngine({ kernel, check: true })
  await engine.submit(commands)
  return { kernel, model: engine.model() }
}

const arrives = async (kernel: Kernel, probe: Probe): Promise<boolean> => {
  const verdict = await kernel.probe(probe)()
  if (E.isLeft(verdict)) throw new Error(verdict.left.what)
  return verdict.right.tag === 'arrived'
}

type At = Readonly<{ ip: Ip; network: Network }>
const addresses = (model: Model, sandbox: Sandbox): ReadonlyArray<At> =>
  endpointsIn(model, sandbox.id).flatMap(({ endpoint, network }) =>
    endpoint.addresses.map(({ cidr }) => ({ ip: cidr.ip, network })),
  )

/** Those that can have packets: with a namespace of their own, which somebody has made. */
const containers = (model: Model): ReadonlyArray<Sandbox> =>
  valuesOf(model.sandboxes).filter((sandbox) => sandbox.ns !== HOST && hasNamespace(sandbox))

const ANY = { 4: ip('0.0.0.0'), 6: ip('::') } as const

/** Whether those on a network hear each other: as its driver's option says. */
const talks = ({ driver, config }: Network): boolean => {
  switch (driver) {
    case 'macvlan':
      return macvlanOptions(config).mode === 'bridge'
    case 'ipvlan':
      return ipvlanOptions(config).flag === 'bridge'
    default:
      return bridgeOptions(config).icc
  }
}

/** The host is on bridges only. To others it has no way, nor have they to its addresses or by them. */
const isOnHost = ({ driver }: Network): boolean => driver === 'bridge'
const masquerades = (network: Network): boolean => isOnHost(network) && bridgeOptions(network.config).masquerade

/** A container has the host's card to itself, and the host hears nothing by it. */
const isCutOff = (model: Model): boolean =>
  valuesOf(model.endpoints).some(({ network: id, attachment }) => {
    const network = attachment === null ? undefined : getIn(model.networks, id)
    return network?.config['parent'] === UPLINK && network.config['mode'] === 'passthru'
  })

/** Whether a container's published ports lead to it in a family. */
const opensTo = (model: Model, id: Sandbox['id'], family: 4 | 6): boolean => {
  const way = wayOut(endpointsIn(model, id), family)
  return way !== null && isOnHost(way.network)
}

describe('packets', () => {
  test.prop([program])(
    'reach an address of another container exactly when both have one of its family on its network, which allows that',
    async (commands) => {
      const { kernel, model } = await build(commands)
      for (const from of containers(model)) {
        const own = addresses(model, from)
        for (const to of containers(model)) {
          if (to === from) continue
          for (const { ip, network } of addresses(model, to)) {
            const reached = await arrives(kernel, { proto: 'icmp', ns: from.ns, to: ip })
            const asked = `${from.container} to ${to.container} at ${showIp(ip)} on ${network.name}`
            const on = own.some((at) => at.network.id === network.id && familyOf(at.ip) === familyOf(ip))
            expect([asked, reached]).toEqual([asked, on && talks(network)])
          }
        }
      }
    },
  )

  test.prop([program])(
    'reach the internet exactly from containers with a way out that is masqueraded',
    async (commands) => {
      const { kernel, model } = await build(commands)
      for (const { id, ns, container } of containers(model)) {
        for (const family of [4, 6] as const) {
          const way = wayOut(endpointsIn(model, id), family)
          const reached = await arrives(kernel, { proto: 'icmp', ns, to: INTERNET_ADDRESS[family] })
          expect([container, family, reached]).toEqual([
            container,
            family,
            way !== null && masquerades(way.network) && !isCutOff(model),
          ])
        }
      }
    },
  )

  test.prop([program])('never reach a container from the internet by its own address', async (commands) => {
    const { kernel, model } = await build(commands)
    for (const to of containers(model)) {
      for (const { ip } of addresses(model, to)) {
        expect(await arrives(kernel, { proto: 'icmp', ns: INTERNET, to: ip })).toBe(false)
      }
    }
  })

  test.prop([program])(
    'reach a published port from the internet exactly by the families of its way out',
    async (commands) => {
      const { kernel, model } = await build(commands)
      const bindings = containers(model).flatMap(({ id, ns, ports }) =>
        ports.map((binding) => ({ id, ns, ...binding })),
      )
      for (const { hostPort, transport, ns, containerPort } of bindings) {
        if (transport === 'sctp') continue
        for (const family of [4, 6] as const) {
          const to = HOST_ADDRESS[family]
          const door = bindings.find(
            (each) =>
              each.hostPort === hostPort &&
              each.transport === transport &&
              (each.hostIp === null || each.hostIp === to || each.hostIp === ANY[family]) &&
              opensTo(model, each.id, family),
          )
          const leadsHere =
            !isCutOff(model) && door !== undefined && door.ns === ns && door.containerPort === containerPort
          const listener = { ns, port: containerPort }
          const reached = await arrives(kernel, { proto: transport, ns: INTERNET, to, port: hostPort, listener })
          expect([hostPort, family, reached]).toEqual([hostPort, family, leadsHere])
        }
      }
    },
  )

  test.prop([program])(
    'reach every address of a container on a bridge from the host, and no other',
    async (commands) => {
      const { kernel, model } = await build(commands)
      for (const to of containers(model))
        for (const { ip, network } of addresses(model, to))
          expect([network.name, await arrives(kernel, { proto: 'icmp', ns: HOST, to: ip })]).toEqual([
            network.name,
            isOnHost(network),
          ])
    },
  )

  test.prop([program])(
    'leave an internal network by no address of the host, even from a container that gives itself a default route',
    async (commands) => {
      const { kernel, model } = await build(commands)
      const bindings = containers(model).flatMap(({ ns, ports }) => ports.map((binding) => ({ ns, ...binding })))
      for (const { id, ns } of containers(model)) {
        const placed = endpointsIn(model, id)
        const [first] = placed
        const gateway = first?.network.pools.find(({ gateway: ip }) => ip !== null && familyOf(ip) === 4)?.gateway
        if (first === undefined || !placed.every(({ network }) => network.internal) || gateway == null) continue
        const dev = first.endpoint.attachment.ifName
        const route: KernelOp = {
          verb: 'create',
          object: { kind: 'route', ns, to: DEFAULT4, via: gateway, dev, metric: 0 },
        }
        expect(await kernel.apply([route])()).toEqual(E.right(undefined))
        expect(await arrives(kernel, { proto: 'icmp', ns, to: INTERNET_ADDRESS[4] })).toBe(false)
        for (const { ns: there, hostPort, containerPort, transport } of bindings) {
          if (transport === 'sctp' || there === ns) continue
          const listener = { ns: there, port: containerPort }
          const to = HOST_ADDRESS[4]
          expect(await arrives(kernel, { proto: transport, ns, to, port: hostPort, listener })).toBe(false)
        }
      }
    },
  )
})
