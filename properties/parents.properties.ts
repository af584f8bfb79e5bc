// Networks on devices of the host (macvlan, ipvlan): what the host holds for them, and who hears whom.

import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { freshEngine } from '../src/engine/engine.ts'
import { diff } from '../src/kernel/diff.ts'
import { EMPTY_STATE, objectsOf } from '../src/kernel/state.ts'
import { simKernel } from '../src/kernel-sim/kernel.ts'
import { EMPTY_WORLD } from '../src/kernel-sim/state.ts'
import { UPLINK, WORLD } from '../src/lab/world.ts'
import type { Command } from '../src/model/command.ts'
import { endpointsIn } from '../src/model/queries.ts'
import type { Network } from '../src/model/types.ts'
import { familyOf } from '../src/net/ip.ts'
import { HOST } from '../src/net/name.ts'
import { valuesOf } from '../src/net/pmap.ts'
import { E } from '../src/prelude.ts'
import { createEndpoint, createNetwork, createSandbox, join, net, pool } from '../test/lib/model.ts'
import { runs } from '../test/lib/runs.ts'

const parents = fc.constantFrom<Readonly<Record<string, string>>>(
  {},
  { parent: UPLINK },
  { parent: `${UPLINK}.10` },
  { parent: `${UPLINK}.20` },
)
const modes = fc.oneof(
  fc.record({
    driver: fc.constant('macvlan'),
    options: fc.constantFrom({}, { mode: 'private' }, { mode: 'vepa' }, { mode: 'passthru' }),
  }),
  fc.record({
    driver: fc.constant('ipvlan'),
    options: fc.record({
      mode: fc.constantFrom('l2', 'l3', 'l3s'),
      flag: fc.constantFrom('bridge', 'private', 'vepa'),
    }),
  }),
)

const networks = fc.array(fc.tuple(parents, modes), { minLength: 1, maxLength: 4 }).map((all) =>
  all.map(
    ([parent, { driver, options }], n): Command =>
      createNetwork(n, `net${n}`, {
        driver,
        options: { ...options, ...parent },
        pools: [pool(`10.${n}.0.0/24`), pool(`fd00:${n}::/64`)],
      }),
  ),
)

/** Three containers, and which network each of some endpoints joins them to. */
const guests = fc
  .array(fc.tuple(fc.nat(3), fc.nat(2)), { minLength: 2, maxLength: 8 })
  .map((all) => [
    ...[0, 1, 2].map((n): Command => createSandbox(n, `c${n}`)),
    ...all.flatMap(
      ([network, container], n): ReadonlyArray<Command> => [createEndpoint(n, network, `e${n}`), join(n, container)],
    ),
  ])

const begin = async () => {
  const kernel = simKernel(EMPTY_WORLD)
  await kernel.apply(diff(EMPTY_STATE, WORLD))()
  return { kernel, engine: freshEngine({ kernel, check: true }) }
}

/** Private ones hear nobody, those of a vepa only what comes back from outside, where nobody sends anything back. */
const talks = ({ driver, config }: Network): boolean =>
  driver === 'macvlan' ? config['mode'] === 'bridge' : config['flag'] === 'bridge'

/** Those that bear our mark. */
const observedLinks = async (kernel: ReturnType<typeof simKernel>): Promise<ReadonlyArray<string>> => {
  const observed = await kernel.observe({ namespaces: [HOST], sysctls: [] })()
  if (E.isLeft(observed)) throw new Error(observed.left.what)
  return objectsOf(observed.right).flatMap((each) => (each.kind === 'link' && each.alias !== null ? [each.name] : []))
}

describe('on devices of the host', () => {
  test.prop([networks, guests], runs(0.5))(
    'containers hear each other exactly by a network that both are on, whose mode lets them',
    async (made, joined) => {
      const { kernel, engine } = await begin()
      await engine.submit([...made, ...joined])
      const rooms = valuesOf(engine.model().sandboxes)
      for (const from of rooms)
        for (const to of rooms) {
          if (from === to) continue
          const own = endpointsIn(engine.model(), from.id).map(({ network }) => network.id)
          for (const { endpoint, network } of endpointsIn(engine.model(), to.id))
            for (const { cidr } of endpoint.addresses) {
              const verdict = await kernel.probe({ proto: 'icmp', ns: from.ns, to: cidr.ip })()
              const heard = E.isRight(verdict) && verdict.right.tag === 'arrived'
              const asked = [from.container, to.container, network.name, familyOf(cidr.ip)]
              expect([asked, heard]).toEqual([asked, own.includes(network.id) && talks(network)])
            }
        }
    },
  )

  test.prop([networks, fc.array(fc.nat(3), { maxLength: 4 })])(
    'there is exactly one VLAN of ours for each that networks are on, and a dummy for each network on nothing',
    async (made, gone) => {
      const { kernel, engine } = await begin()
      await engine.submit(made)
      for (const n of gone) await engine.submit([{ tag: 'DeleteNetwork', id: net(n) }])
      const left = valuesOf(engine.model().networks)
      const vlans = left.flatMap(({ options: { parent = '' } }) => (parent.includes('.') ? [`vlan ${parent}`] : []))
      const dummies = left.filter(({ options: { parent } }) => parent === undefined).map(() => 'dummy')
      const there = objectsOf(engine.wanted()).flatMap((each) =>
        each.kind !== 'link' ? [] : [each.spec.type === 'dummy' ? 'dummy' : `${each.spec.type} ${each.name}`],
      )
      expect(there.sort()).toEqual([...new Set(vlans), ...dummies].sort())
      expect(await observedLinks(kernel)).toHaveLength(there.length)
    },
  )
})
