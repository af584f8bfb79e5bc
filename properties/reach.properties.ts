// Who reaches whom, with packets on the simulated kernel: the promise of the firewall's skeleton, for any topology.

import { test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { freshEngine } from '../src/engine/engine.ts'
import { diff } from '../src/kernel/diff.ts'
import type { Kernel, Probe } from '../src/kernel/kernel.ts'
import type { KernelOp } from '../src/kernel/op.ts'
import { EMPTY_STATE } from '../src/kernel/state.ts'
import { simKernel } from '../src/kernel-sim/kernel.ts'
import { EMPTY_WORLD } from '../src/kernel-sim/state.ts'
import { HOST_ADDRESS, INTERNET, INTERNET_ADDRESS, UPLINK, WORLD } from '../src/lab/world.ts'
import type { Command } from '../src/model/command.ts'
import { endpointsIn, hasNamespace } from '../src/model/queries.ts'
import type { Model, Sandbox } from '../src/model/types.ts'
import { cidrFamily, DEFAULT4 } from '../src/net/cidr.ts'
import { familyOf, showIp } from '../src/net/ip.ts'
import { HOST, ifName } from '../src/net/name.ts'
import { valuesOf } from '../src/net/pmap.ts'
import { port } from '../src/net/port.ts'
import { E } from '../src/prelude.ts'
import { program } from './arbitraries/commands.ts'
import {
  addressesOf,
  hostPings,
  isPublishedAt,
  outsiderPings,
  outsiderReaches,
  pingsContainer,
  pingsInternet,
} from './lib/reach.ts'

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

/** Those that can have packets: with a namespace of their own, which somebody has made. */
const containers = (model: Model): ReadonlyArray<Sandbox> =>
  valuesOf(model.sandboxes).filter((sandbox) => sandbox.ns !== HOST && hasNamespace(sandbox))

/** Outside knows the way to every subnet by the host, as a machine on the same layer 2 can. */
const showTheWay = async (kernel: Kernel, model: Model): Promise<void> => {
  const subnets = valuesOf(model.networks).flatMap(({ pools }) => pools.map(({ subnet }) => subnet))
  const dev = ifName('eth0')
  const routes = subnets.map((to): KernelOp => {
    const via = HOST_ADDRESS[cidrFamily(to)]
    return { verb: 'create', object: { kind: 'route', ns: INTERNET, to, via, dev, metric: 0 } }
  })
  expect(await kernel.apply(routes)()).toEqual(E.right(undefined))
}

describe('packets', () => {
  test.prop([program])(
    'reach an address of another container exactly when they share its network, which allows it, or that is open to all',
    async (commands) => {
      const { kernel, model } = await build(commands)
      for (const from of containers(model)) {
        for (const to of containers(model)) {
          if (to === from) continue
          for (const at of addressesOf(model, to)) {
            const reached = await arrives(kernel, { proto: 'icmp', ns: from.ns, to: at.ip })
            const asked = `${from.container} to ${to.container} at ${showIp(at.ip)} on ${at.network.name}`
            expect([asked, reached]).toEqual([asked, pingsContainer(model, from, to, at)])
          }
        }
      }
    },
  )

  test.prop([program])(
    'reach the internet exactly from containers with a way out that is masqueraded',
    async (commands) => {
      const { kernel, model } = await build(commands)
      for (const from of containers(model)) {
        for (const family of [4, 6] as const) {
          const reached = await arrives(kernel, { proto: 'icmp', ns: from.ns, to: INTERNET_ADDRESS[family] })
          const asked = [from.container, family]
          expect([...asked, reached]).toEqual([...asked, pingsInternet(model, from, family)])
        }
      }
    },
  )

  test.prop([program])(
    'never reach a container by its own address from the internet, which knows no way to it',
    async (commands) => {
      const { kernel, model } = await build(commands)
      for (const to of containers(model)) {
        for (const { ip } of addressesOf(model, to)) {
          expect(await arrives(kernel, { proto: 'icmp', ns: INTERNET, to: ip })).toBe(false)
        }
      }
    },
  )

  test.prop([program])(
    'reach a published port from the internet exactly by the families of its way out',
    async (commands) => {
      const { kernel, model } = await build(commands)
      const bindings = containers(model).flatMap((sandbox) => sandbox.ports.map((binding) => ({ sandbox, binding })))
      for (const { sandbox, binding } of bindings) {
        const { hostPort, transport, containerPort } = binding
        if (transport === 'sctp') continue
        for (const family of [4, 6] as const) {
          const to = HOST_ADDRESS[family]
          const door = bindings.find(
            (each) =>
              each.binding.hostPort === hostPort &&
              each.binding.transport === transport &&
              isPublishedAt(model, each.sandbox, each.binding, to),
          )
          const leadsHere = door?.sandbox === sandbox && door.binding.containerPort === containerPort
          const listener = { ns: sandbox.ns, port: containerPort }
          const reached = await arrives(kernel, { proto: transport, ns: INTERNET, to, port: hostPort, listener })
          expect([hostPort, family, reached]).toEqual([hostPort, family, leadsHere])
        }
      }
    },
  )

  test.prop([program])(
    'of an outsider who routes straight to containers reach what is open there, and no other port',
    async (commands) => {
      const { kernel, model } = await build(commands)
      await showTheWay(kernel, model)
      for (const to of containers(model)) {
        for (const at of addressesOf(model, to)) {
          const asked = `${to.container} at ${showIp(at.ip)} on ${at.network.name}`
          const pinged = await arrives(kernel, { proto: 'icmp', ns: INTERNET, to: at.ip })
          expect([asked, pinged]).toEqual([asked, outsiderPings(model, to, at)])
          for (const containerPort of [port(80), port(53)]) {
            const listener = { ns: to.ns, port: containerPort }
            const probe: Probe = { proto: 'tcp', ns: INTERNET, to: at.ip, port: containerPort, listener }
            const reached = await arrives(kernel, probe)
            const expected = outsiderReaches(model, to, at, { containerPort, transport: 'tcp' }, UPLINK)
            expect([asked, containerPort, reached]).toEqual([asked, containerPort, expected])
          }
        }
      }
    },
  )

  test.prop([program])(
    'reach from the host exactly containers on networks where it has an address',
    async (commands) => {
      const { kernel, model } = await build(commands)
      for (const to of containers(model))
        for (const at of addressesOf(model, to)) {
          const asked = `${to.container} at ${showIp(at.ip)} on ${at.network.name}`
          const reached = await arrives(kernel, { proto: 'icmp', ns: HOST, to: at.ip })
          expect([asked, reached]).toEqual([asked, hostPings(at)])
        }
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
