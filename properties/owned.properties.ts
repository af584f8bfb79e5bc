// What is ours is tidied up, and what is not ours is never touched.

import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { freshEngine, openEngine } from '../src/engine/engine.ts'
import { freshLoopback } from '../src/kernel/cascade.ts'
import { diff } from '../src/kernel/diff.ts'
import { skeletonTable } from '../src/kernel/firewall/elements.ts'
import { type KernelObject, keyOf, linkKey } from '../src/kernel/object.ts'
import { ownedPart } from '../src/kernel/owned.ts'
import { EMPTY_STATE, objectsOf, stateOf } from '../src/kernel/state.ts'
import { deviceSysctl } from '../src/kernel/sysctl.ts'
import { cidr } from '../src/net/cidr.ts'
import { mac } from '../src/net/mac.ts'
import { HOST, ifName, type Ns, ns } from '../src/net/name.ts'
import { hasIn, valuesOf } from '../src/net/pmap.ts'
import { memoryStore } from '../src/store/memory.ts'
import { program } from './arbitraries/commands.ts'
import { hostState } from './arbitraries/host.ts'
import { faultySim, paperKernel, type TestKernel } from './lib/kernels.ts'

/** Somebody else's bridge, with a container of theirs on it. */
const THEIRS: ReadonlyArray<KernelObject> = (() => {
  const [bridge, cable, there] = [ifName('docker0'), ifName('veth9f3a'), ns('theirs')]
  const link = { kind: 'link', mtu: 1500, up: true, alias: null } as const
  return [
    { kind: 'netns', ns: there, at: null },
    { ...freshLoopback(there), up: true },
    { ...link, ns: HOST, name: bridge, spec: { type: 'bridge' }, mac: mac(0x024200000001) },
    {
      ...link,
      ns: HOST,
      name: cable,
      spec: { type: 'veth', peer: { ns: there, name: ifName('eth0') } },
      mac: mac(0x024200000002),
    },
    {
      ...link,
      ns: there,
      name: ifName('eth0'),
      spec: { type: 'veth', peer: { ns: HOST, name: cable } },
      mac: mac(0x024200000003),
    },
    { kind: 'port', ns: HOST, dev: cable, bridge, isolated: false, hairpin: true },
    { kind: 'address', ns: HOST, dev: bridge, cidr: cidr('192.168.200.1/24') },
    { kind: 'address', ns: there, dev: ifName('eth0'), cidr: cidr('192.168.200.2/24') },
    { kind: 'route', ns: HOST, to: cidr('192.168.201.0/24'), via: null, dev: bridge, metric: 0 },
    { kind: 'sysctl', ns: HOST, name: deviceSysctl(4, bridge, 'route_localnet'), value: '1', otherwise: '0' },
  ]
})()

/** What the owner of a namespace may have in it, marks like ours included. */
const inside = (space: Ns): ReadonlyArray<KernelObject> => {
  const [one, other] = [ifName('eth7'), ifName('eth8')]
  const link = { kind: 'link', ns: space, mtu: 1500, up: true, alias: 'cnm:theirs', mac: mac(0x024200000004) } as const
  return [
    { ...link, name: ifName('br-theirs'), spec: { type: 'bridge' } },
    { ...link, name: one, spec: { type: 'veth', peer: { ns: space, name: other } } },
    { ...link, name: other, spec: { type: 'veth', peer: { ns: space, name: one } } },
    { kind: 'port', ns: space, dev: one, bridge: ifName('br-theirs'), isolated: false, hairpin: false },
    { kind: 'address', ns: space, dev: ifName('br-theirs'), cidr: cidr('192.168.202.1/24') },
    { kind: 'route', ns: space, to: cidr('192.168.203.0/24'), via: null, dev: ifName('br-theirs'), metric: 0 },
    skeletonTable(space),
  ]
}

const theirsIn = (kernel: TestKernel): ReadonlyArray<KernelObject> => {
  const keys = new Set(THEIRS.map(keyOf))
  return kernel.objects(stateOf(THEIRS)).filter((object) => keys.has(keyOf(object)))
}

describe('ownership', () => {
  test.prop([hostState])('takes whole what bears our mark: no address, port or route without its link', (host) => {
    const ours = ownedPart(host, () => null)
    for (const object of objectsOf(ours)) {
      if (object.kind === 'address' || object.kind === 'port' || object.kind === 'route')
        expect(hasIn(ours, linkKey(object.ns, object.dev))).toBe(true)
    }
  })

  test.prop([hostState])('takes nothing of others', (host) => {
    const both = stateOf([...objectsOf(host), ...THEIRS])
    const keys = new Set(valuesOf(ownedPart(both, () => null)).map(keyOf))
    expect(THEIRS.filter((object) => keys.has(keyOf(object)))).toEqual([])
  })

  test.prop([hostState])(
    'takes of an adopted namespace what leads to us, its name and loopback, and nothing else',
    (host) => {
      const there = stateOf([...objectsOf(host), ...inside(ns('room0'))])
      const ours = objectsOf(ownedPart(there, (space) => (space === HOST ? null : 'adopted')))
      const keys = new Set(ours.map(keyOf))
      expect(inside(ns('room0')).filter((object) => keys.has(keyOf(object)))).toEqual([])
      expect(ours.filter(({ ns: space }) => space !== HOST)).toEqual(
        objectsOf(host).filter(({ ns: space }) => space !== HOST),
      )
    },
  )
})

describe.each([
  ['on paper', paperKernel],
  ['on the simulated kernel', faultySim],
])('an engine that starts %s', (_, fresh: () => TestKernel) => {
  test.prop([program, fc.nat(30)])(
    'removes from the host what no model knows any more, and touches nothing of others',
    async (commands, kept) => {
      const kernel = fresh()
      await kernel.apply(diff(EMPTY_STATE, stateOf(THEIRS)))()
      const before = theirsIn(kernel)
      await freshEngine({ kernel }).submit(commands)
      const store = memoryStore()
      await freshEngine({ kernel: fresh(), store }).submit(commands.slice(0, kept))
      const opened = await openEngine({ kernel, store, check: true })
      if (opened._tag === 'Left') throw new Error(opened.left.tag)
      const wanted = opened.right.wanted()
      const inHost = (objects: ReadonlyArray<KernelObject>) =>
        objects.filter((object) => object.ns === HOST && object.kind !== 'sysctl').map(keyOf)
      const others = new Set(THEIRS.map(keyOf))
      expect(inHost(kernel.objects(wanted)).filter((key) => !others.has(key))).toEqual(inHost(objectsOf(wanted)))
      expect(theirsIn(kernel)).toEqual(before)
    },
  )
})
