// The model keeps its word after any commands.

import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { poolsOf } from '../src/ipam/space.ts'
import { reservedSet } from '../src/ipam/subnet.ts'
import { loadModel, storedChanges } from '../src/model/codec.ts'
import { violations } from '../src/model/invariants.ts'
import { freshModel } from '../src/model/model.ts'
import { contains, sameCidr } from '../src/net/cidr.ts'
import { sizeOfMap, valuesOf } from '../src/net/pmap.ts'
import { E } from '../src/prelude.ts'
import { program } from './arbitraries/commands.ts'
import { modelAfter, obey } from './lib/steps.ts'

it('most programs get somewhere: in most, two endpoints or more are joined', () => {
  const joined: number[] = []
  const count = fc.property(program, (commands) => {
    const model = modelAfter(commands)
    joined.push(valuesOf(model.endpoints).filter(({ attachment }) => attachment !== null).length)
  })
  fc.assert(count, { numRuns: 200 })
  expect(joined.filter((n) => n >= 2).length).toBeGreaterThan(joined.length / 2)
})

describe('the model', () => {
  test.prop([program])('keeps its invariants after every command (P1, P16, P24)', (commands) => {
    let model = freshModel()
    for (const each of commands) {
      model = obey(model, each)
      expect(violations(model)).toEqual([])
    }
  })

  test.prop([program])(
    'uses exactly the reserved addresses, gateways, auxiliary addresses and those of endpoints (P1)',
    (commands) => {
      const model = modelAfter(commands)
      for (const { cidr, used } of valuesOf(model.ipam.subnets)) {
        const mine = valuesOf(model.networks).flatMap(({ pools }) =>
          pools.filter(({ subnet }) => sameCidr(subnet, cidr)),
        )
        const gateways =
          mine.filter(({ gateway }) => gateway !== null).length + mine.flatMap(({ aux }) => Object.keys(aux)).length
        const held = valuesOf(model.endpoints).flatMap(({ addresses }) =>
          addresses.filter((a) => contains(cidr, a.cidr.ip)),
        ).length
        expect(BigInt(used.count)).toBe(BigInt(reservedSet(cidr).count) + BigInt(gateways + held))
      }
    },
  )

  test.prop([program])('has a pool in use for each subnet of a network, and no other', (commands) => {
    const model = modelAfter(commands)
    const wanted = valuesOf(model.networks).flatMap(({ pools }) => pools.map(({ pool }) => pool))
    expect(poolsOf(model.ipam).map(({ id }) => id)).toEqual([...wanted].sort())
  })

  test.prop([program])('comes back from its stored form as it was (P17)', (commands) => {
    const model = modelAfter(commands)
    const entries = storedChanges(freshModel(), model).flatMap(({ key, value }) =>
      value === null ? [] : [{ key, value }],
    )
    expect(loadModel(freshModel(), entries)).toEqual(E.right(model))
  })

  test.prop([program])(
    'can always be emptied: sandboxes, endpoints, networks, and last what they borrowed (P5)',
    (commands) => {
      let model = modelAfter(commands)
      for (const { id } of valuesOf(model.sandboxes)) model = obey(model, { tag: 'DeleteSandbox', id })
      for (const { id } of valuesOf(model.endpoints)) model = obey(model, { tag: 'DeleteEndpoint', id, force: false })
      const lendersLast = [...valuesOf(model.networks)].sort((a, b) => Number(a.configOnly) - Number(b.configOnly))
      for (const { id } of lendersLast) model = obey(model, { tag: 'DeleteNetwork', id })
      expect(sizeOfMap(model.networks) + sizeOfMap(model.endpoints) + sizeOfMap(model.sandboxes)).toBe(0)
      expect(sizeOfMap(model.ipam.subnets)).toBe(0)
    },
  )
})
