// What somebody else does to our part of the host is undone by a look at it; and what the host learnt of a container that is
// gone does not stand in the way of the next one at its address.

import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { freshEngine } from '../src/engine/engine.ts'
import { after, diff } from '../src/kernel/diff.ts'
import type { KernelObject } from '../src/kernel/object.ts'
import { objectsOf, stateOf } from '../src/kernel/state.ts'
import { hostWorld } from '../src/kernel-sim/control.ts'
import { simKernel } from '../src/kernel-sim/kernel.ts'
import { HOST, ifName, ns } from '../src/net/name.ts'
import { E } from '../src/prelude.ts'
import { box, createEndpoint, createNetwork, createSandbox, join, pool, v4 } from '../test/lib/model.ts'
import { runs } from '../test/lib/runs.ts'
import { program } from './arbitraries/commands.ts'
import { hostState } from './arbitraries/host.ts'
import { faultySim, paperKernel, type TestKernel } from './lib/kernels.ts'
import { facts, wantedFacts } from './lib/states.ts'

describe.each([
  ['on paper', paperKernel],
  ['on the simulated kernel', faultySim],
])('a sweep %s', (_, fresh: () => TestKernel) => {
  test.prop([program, fc.array(fc.nat(), { minLength: 1, maxLength: 4 })], runs(0.5))(
    'brings back whatever somebody else took away, and then finds nothing to do (P3)',
    async (commands, places) => {
      const kernel = fresh()
      const engine = freshEngine({ kernel, check: true })
      await engine.submit(commands)
      const objects = objectsOf(engine.wanted())
      fc.pre(objects.length > 0)
      for (const place of places) {
        const object = objects[place % objects.length]
        if (object !== undefined) await kernel.apply([{ verb: 'delete', object }])()
      }
      expect(await engine.sweep()).toMatchObject({ _tag: 'Right' })
      expect(facts(kernel.objects(engine.wanted()))).toEqual(wantedFacts(engine.wanted()))
      expect(await engine.sweep()).toEqual(E.right(0))
    },
  )
})

describe('a link', () => {
  test.prop([hostState])('that was made anew gets back all that was on it (P3)', (host) => {
    for (const link of objectsOf(host)) {
      if (link.kind !== 'link' || link.spec.type !== 'bridge') continue
      const { ns: there, name } = link
      const stray = ifName('stray0')
      const strangers: ReadonlyArray<KernelObject> = [
        { ...link, spec: { type: 'veth', peer: { ns: there, name: stray } } },
        { ...link, name: stray, spec: { type: 'veth', peer: { ns: there, name } } },
      ]
      const rest = objectsOf(host).filter(
        (each) => !(each.kind === 'port' && each.ns === there && each.bridge === name),
      )
      const changed = stateOf([...rest, ...strangers])
      expect(objectsOf(diff(changed, host).reduce(after, changed))).toEqual(objectsOf(host))
    }
  })
})

describe('what was learnt of a container that is gone', () => {
  test.prop([fc.integer({ min: 3, max: 250 }), fc.nat(2), fc.nat(2)], runs(0.3))(
    'does not keep packets from the next one at its address, whose MAC follows from it (P4, P21)',
    async (last, first, between) => {
      const kernel = simKernel(hostWorld())
      const engine = freshEngine({ kernel, check: true })
      const ipv4 = v4(`172.30.0.${last}`)
      await engine.submit([createNetwork(1, 'front', { pools: [pool('172.30.0.0/16')] })])
      await engine.submit([createSandbox(9, 'asks'), createEndpoint(9, 1, 'asks'), join(9, 9)])
      const probe = async (times: number): Promise<void> => {
        for (let i = 0; i < times; i++)
          for (const from of [HOST, ns('asks')])
            expect(await kernel.probe({ proto: 'icmp', ns: from, to: ipv4 })()).toEqual(E.right({ tag: 'arrived' }))
      }
      for (const [n, times] of [first, between, 1].entries()) {
        const name = `c${n}`
        await engine.submit([createSandbox(n, name), createEndpoint(n, 1, name, { ipv4 }), join(n, n)])
        await probe(times)
        await engine.submit([{ tag: 'DeleteSandbox', id: box(n) }])
      }
    },
  )
})
