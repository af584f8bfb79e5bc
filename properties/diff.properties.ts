// One diff leads from any host to any other. Here the kernel is `after`, the paper it is written on; the simulated and the
// real kernel are held to the same laws in sim.properties.ts and test/lockstep.

import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { after, diff } from '../src/kernel/diff.ts'
import { keyOf } from '../src/kernel/object.ts'
import type { KernelOp } from '../src/kernel/op.ts'
import { type KernelState, objectsOf, stateOf } from '../src/kernel/state.ts'
import { LO, type Ns } from '../src/net/name.ts'
import { hasIn } from '../src/net/pmap.ts'
import { hostState } from './arbitraries/host.ts'

const applyAll = (state: KernelState, ops: ReadonlyArray<KernelOp>): KernelState => ops.reduce(after, state)

const linksIn = (state: KernelState, space: Ns): ReadonlyArray<string> =>
  objectsOf(state).flatMap((object) => (object.kind === 'link' && object.ns === space ? [object.name] : []))

describe('diff', () => {
  test.prop([hostState, hostState])('leads from any host to any other', (there, wanted) => {
    expect(objectsOf(applyAll(there, diff(there, wanted)))).toEqual(objectsOf(wanted))
  })

  test.prop([hostState, hostState, fc.nat()])(
    'leads there also after a crash between any two operations',
    (there, wanted, cut) => {
      const ops = diff(there, wanted)
      const crashed = applyAll(there, ops.slice(0, cut % (ops.length + 1)))
      expect(objectsOf(applyAll(crashed, diff(crashed, wanted)))).toEqual(objectsOf(wanted))
    },
  )

  test.prop([hostState])('asks for nothing where everything is as it should be', (host) => {
    expect(diff(host, host)).toEqual([])
    expect(diff(host, stateOf(objectsOf(host).map((object) => ({ ...object }))))).toEqual([])
  })

  test.prop([hostState, hostState])('only deletes what is there and only creates what is not', (there, wanted) => {
    let now = there
    for (const op of diff(there, wanted)) {
      expect(hasIn(now, keyOf(op.object))).toBe(op.verb !== 'create')
      now = after(now, op)
    }
  })

  test.prop([hostState, hostState])('leaves no link in an adopted namespace that it gives up', (there, wanted) => {
    let now = there
    for (const op of diff(there, wanted)) {
      const { object, verb } = op
      if (verb === 'delete' && object.kind === 'netns' && object.at !== null)
        expect(linksIn(now, object.ns)).toEqual([LO])
      now = applyAll(now, [op])
    }
  })
})
