// Ports of the host: each belongs to one container at most, and is published exactly as long as that one has a way out.

import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { bridgeOptions, modeOf } from '../src/drivers/bridge/options.ts'
import { DRIVERS } from '../src/drivers/registry.ts'
import { FRESH_CORE, step } from '../src/engine/step.ts'
import { publishElement } from '../src/kernel/firewall/elements.ts'
import { keyOf } from '../src/kernel/object.ts'
import { type KernelState, objectsOf, stateOf } from '../src/kernel/state.ts'
import type { Command } from '../src/model/command.ts'
import { decide } from '../src/model/decide.ts'
import { endpointsIn, hasNamespace, wayOut } from '../src/model/queries.ts'
import type { Model, Network, PortBinding } from '../src/model/types.ts'
import { contains } from '../src/net/cidr.ts'
import { type Family, familyOf, type Ip, ip, isUnspecified } from '../src/net/ip.ts'
import { HOST, ns } from '../src/net/name.ts'
import { valuesOf } from '../src/net/pmap.ts'
import { port } from '../src/net/port.ts'
import { E } from '../src/prelude.ts'
import { box } from '../test/lib/model.ts'
import { program } from './arbitraries/commands.ts'
import { coreAfter } from './lib/states.ts'

const ANY = { 4: ip('0.0.0.0'), 6: ip('::') } as const

/** Where a port is published in one family that says where, or does not; null: not there. */
const doorOf = ({ config }: Network, family: Family, hostIp: Ip | null): Ip | null => {
  const options = bridgeOptions(config)
  if (!modeOf(options, family).startsWith('nat')) return null
  if (hostIp !== null) return familyOf(hostIp) === family ? hostIp : null
  const { binding4 } = options
  if (binding4 === null || binding4 === '0.0.0.0') return ANY[family]
  return family === 4 ? ip(binding4) : null
}

/** What the model's bindings should be in the firewall: each at the address of its container's way out of that family. */
const published = (model: Model): KernelState =>
  stateOf(
    valuesOf(model.sandboxes)
      .filter(hasNamespace)
      .flatMap(({ id, ports }) =>
        ([4, 6] as const).flatMap((family) => {
          const way = wayOut(endpointsIn(model, id), family)
          // Others are reached past the host.
          if (way?.network.driver !== 'bridge') return []
          const pool = way.network.pools.find(({ exit }) => exit === way.exit)
          const inside = way.endpoint.addresses.find(({ cidr }) => pool !== undefined && contains(pool.subnet, cidr.ip))
          if (inside === undefined) return []
          return ports.flatMap(({ hostIp, hostPort, containerPort, transport }) => {
            const door = doorOf(way.network, family, hostIp)
            const to = { ip: inside.cidr.ip, port: containerPort }
            return door === null ? [] : [publishElement(HOST, { ip: door, port: hostPort }, transport, to)]
          })
        }),
      ),
  )

/** Some addresses that a host may have, of both families; each stands for any. */
const PLACES = ['203.0.113.2', '198.51.100.7', '2001:db8::2', '2001:db8::7'].map(ip)
const covered = (hostIp: Ip | null): ReadonlyArray<Ip> =>
  PLACES.filter(
    (place) => hostIp === null || hostIp === place || (isUnspecified(hostIp) && familyOf(hostIp) === familyOf(place)),
  )

const shares = (a: PortBinding, b: Pick<PortBinding, 'hostIp' | 'hostPort' | 'transport'>): boolean =>
  a.hostPort === b.hostPort &&
  a.transport === b.transport &&
  covered(a.hostIp).some((place) => covered(b.hostIp).includes(place))

const wish = fc.record({
  hostIp: fc.constantFrom(null, ...[...PLACES, ANY[4], ANY[6]]),
  hostPort: fc.constantFrom(port(80), port(8080), port(8081), port(32768)),
  transport: fc.constantFrom('tcp' as const, 'udp' as const),
})

describe('ports of the host', () => {
  test.prop([program])('in the firewall are those of the bindings of live containers (P2)', (commands) => {
    const { model, wanted } = coreAfter(commands)
    const found = objectsOf(wanted.state).filter(
      (object) => object.kind === 'nft-element' && /^publish/.test(object.set),
    )
    expect(found).toEqual(objectsOf(published(model)))
  })

  test.prop([program, wish])(
    'are given exactly when no live container has them on a common address (P2)',
    (commands, { hostIp, hostPort, transport }) => {
      const { model } = coreAfter(commands)
      const holders = valuesOf(model.sandboxes).filter(({ ports }) =>
        ports.some((binding) => shares(binding, { hostIp, hostPort, transport })),
      )
      const asked: Command = {
        tag: 'CreateSandbox',
        id: box(9),
        container: 'asks',
        hostname: 'asks',
        ns: ns('asks'),
        ports: [{ hostIp, hostPorts: { from: hostPort, to: hostPort }, containerPort: port(80), transport }],
      }
      const answer = decide(DRIVERS, model, asked)
      expect(answer._tag).toBe(holders.length === 0 ? 'Right' : 'Left')
      if (E.isLeft(answer) && answer.left.tag === 'PortTaken')
        expect(holders.map(({ container }) => container)).toContain(answer.left.by)
    },
  )

  test.prop([program])('never make two endpoints want one thing: only the name of a bridge can (P2)', (commands) => {
    let core = FRESH_CORE
    for (const each of commands) {
      const next = step(DRIVERS, core, each)
      if (E.isRight(next)) core = next.right.core
      else if (next.left.tag === 'Clash')
        expect(next.left.key).toMatch(/^host\/(dev\/[^/]+\/(link|address|sysctl)|sysctl\/)/)
    }
    expect(new Set(objectsOf(core.wanted.state).map(keyOf)).size).toBe(objectsOf(core.wanted.state).length)
  })
})
