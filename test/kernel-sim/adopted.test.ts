// Somebody else's namespaces in the simulation, as on Linux: they have one name at most, and keep what they hold without it.

import { describe, expect, test } from 'vitest'
import { skeletonTable } from '../../src/kernel/firewall/elements.ts'
import { type KernelObject, keyOf } from '../../src/kernel/object.ts'
import type { KernelOp } from '../../src/kernel/op.ts'
import { objectsOf } from '../../src/kernel/state.ts'
import { hostWorld } from '../../src/kernel-sim/control.ts'
import { applyAll } from '../../src/kernel-sim/kernel.ts'
import { observe } from '../../src/kernel-sim/observe.ts'
import type { World } from '../../src/kernel-sim/state.ts'
import { HOST } from '../../src/net/name.ts'
import { add, base, C1, C2, del, ETH0, V0 } from './objects.ts'

const AT = '/proc/17/ns/net'
const adopted = (ns = C1, at = AT): KernelObject => ({ kind: 'netns', ns, at })
const cable = { ...base, ns: HOST, name: V0, spec: { type: 'veth', peer: { ns: C1, name: ETH0 } } } as const

const seen = (world: World): ReadonlyArray<string> =>
  objectsOf(observe(world, { namespaces: [HOST, C1, C2], sysctls: [] })).map(keyOf)
const errnos = (world: World, ...ops: ReadonlyArray<KernelOp>): ReadonlyArray<string> =>
  applyAll(world, ops).refusals.map(({ errno }) => errno)

const BARE = ['host/dev/lo/link', 'host/netns']
const joined = applyAll(hostWorld(), [add(adopted()), add(cable), add(skeletonTable(C1))]).world

describe('a namespace that is adopted', () => {
  test('has one name', () => {
    expect(errnos(joined, add(adopted(C2)))).toEqual(['EEXIST'])
    expect(errnos(joined, add(adopted(C1, '/proc/18/ns/net')))).toEqual(['EEXIST'])
    expect(errnos(joined, add(adopted(C2, '/proc/18/ns/net')))).toEqual([])
  })

  test('is out of sight without it, and so is a veth that leads there; its place is taken all the same', () => {
    const { world } = applyAll(joined, [del(adopted())])
    expect(seen(world)).toEqual(BARE)
    expect(errnos(world, add({ ...base, ns: HOST, name: V0, spec: { type: 'bridge' } }))).toEqual(['EEXIST'])
    expect(errnos(world, del(adopted()))).toEqual(['ENOENT'])
  })

  test('comes back with what it held, under any name', () => {
    const { world } = applyAll(joined, [del(adopted()), add(adopted(C2))])
    expect(seen(world)).toEqual([
      ...['c2/dev/eth0/link', 'c2/dev/lo/link', 'c2/netns', 'c2/nft'],
      ...['host/dev/lo/link', 'host/dev/v0/link', 'host/netns'],
    ])
    const back = applyAll(world, [del(adopted(C2)), add(adopted())]).world
    expect(seen(back)).toEqual(seen(joined))
  })

  test('has no veth any more whose other end was deleted while it had no name', () => {
    const { world } = applyAll(joined, [del(adopted()), del(cable), add(adopted())])
    expect(seen(world)).toEqual([...['c1/dev/lo/link', 'c1/netns', 'c1/nft'], ...BARE])
  })
})
