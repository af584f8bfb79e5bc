// A sandbox changes its way out while packets flow: after each single operation of a join or a leave, what it reached before and
// still reaches afterwards is reached. The operations are carried out one at a time, with packets in between.

import { expect, test } from 'vitest'
import { freshEngine } from '../../src/engine/engine.ts'
import { diff } from '../../src/kernel/diff.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { keyOf } from '../../src/kernel/object.ts'
import { EMPTY_STATE } from '../../src/kernel/state.ts'
import { INTERNET_ADDRESS, WORLD } from '../../src/lab/world.ts'
import type { Command } from '../../src/model/command.ts'
import { ns } from '../../src/net/name.ts'
import { E } from '../../src/prelude.ts'
import { rightOf } from '../kernel-linux/labs.ts'
import { createEndpoint, createNetwork, createSandbox, join, leave, pool, v4, v6 } from '../lib/model.ts'
import { arrives, onBothKernels } from './both.ts'

const A = ns('a')

/** The internet by both families, a neighbour on the network that stays, and that network's gateway. */
const REACHED = [INTERNET_ADDRESS[4], INTERNET_ADDRESS[6], v4('10.1.0.3'), v6('fd00:1::3'), v4('10.1.0.1')]

const unreached = async (kernel: Kernel): Promise<ReadonlyArray<number>> => {
  const lost: number[] = []
  for (const [i, to] of REACHED.entries()) if (!(await arrives(kernel, { proto: 'icmp', ns: A, to }))) lost.push(i)
  return lost
}

/** Carries operations out one at a time, and says after which of them something was not reached. */
const oneByOne = (kernel: Kernel): Readonly<{ kernel: Kernel; watch: (on: boolean) => void; gaps: string[] }> => {
  const gaps: string[] = []
  let isWatching = false
  const apply: Kernel['apply'] = (ops) => async () => {
    if (!isWatching) return kernel.apply(ops)()
    for (const op of ops) {
      const done = await kernel.apply([op])()
      if (E.isLeft(done)) return done
      const lost = await unreached(kernel)
      if (lost.length > 0) gaps.push(`${op.verb} ${keyOf(op.object)}: ${lost}`)
    }
    return E.right(undefined)
  }
  return { kernel: { ...kernel, apply }, watch: (on) => (isWatching = on), gaps }
}

const START: ReadonlyArray<Command> = [
  createNetwork(1, 'front', { pools: [pool('10.1.0.0/24'), pool('fd00:1::/64')] }),
  createNetwork(2, 'back', { pools: [pool('10.2.0.0/24'), pool('fd00:2::/64')] }),
  createSandbox(1, 'a'),
  createSandbox(2, 'b'),
  createEndpoint(1, 1, 'a'),
  createEndpoint(2, 1, 'b'),
  createEndpoint(3, 2, 'a'),
  join(1, 1),
  join(2, 2),
]

onBothKernels('way', (fresh) => {
  test('a join that becomes the way out, and its leave, leave no gap', async () => {
    const { kernel, watch, gaps } = oneByOne(fresh())
    rightOf(await kernel.apply(diff(EMPTY_STATE, WORLD))())
    const engine = freshEngine({ kernel, check: true })
    for (const answer of await engine.submit(START)) rightOf(answer)
    expect(await unreached(kernel)).toEqual([])
    watch(true)
    for (const command of [join(3, 1, { priority: 1 }), leave(3, 1)]) {
      for (const answer of await engine.submit([command])) rightOf(answer)
      expect({ command: command.tag, gaps }).toEqual({ command: command.tag, gaps: [] })
    }
  })
})
