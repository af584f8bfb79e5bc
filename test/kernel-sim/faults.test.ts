// Faults on command: what a kernel does with each, and that it is as it was but for that.

import { describe, expect, test } from 'vitest'
import type { KernelOp } from '../../src/kernel/op.ts'
import { applyOp } from '../../src/kernel-sim/control.ts'
import { changedBehind, losingPower, powerFor, refusing } from '../../src/kernel-sim/faults.ts'
import { simKernel } from '../../src/kernel-sim/kernel.ts'
import { ns } from '../../src/net/name.ts'
import { getIn } from '../../src/net/pmap.ts'
import { leftOf, rightOf } from '../kernel-linux/labs.ts'

const made = (name: string): KernelOp => ({ verb: 'create', object: { kind: 'netns', ns: ns(name), at: null } })
const OPS = ['a', 'b', 'c'].map(made)

const there = (kernel: ReturnType<typeof simKernel>): string =>
  ['a', 'b', 'c'].filter((name) => getIn(kernel.world().namespaces, name) !== undefined).join('')

describe('the n-th operation', () => {
  test.each([
    [0, 'bc'],
    [1, 'ac'],
    [2, 'ab'],
  ])('from now is refused: %i', async (n, left) => {
    const kernel = refusing(simKernel())
    kernel.refuseNext(n, 'ENOMEM')
    expect(leftOf(await kernel.apply(OPS)())).toMatchObject([{ at: n, errno: 'ENOMEM' }])
    expect(there(kernel)).toBe(left)
  })

  test('is counted over all calls, and then nothing is refused any more', async () => {
    const kernel = refusing(simKernel())
    kernel.refuseNext(1)
    rightOf(await kernel.apply(OPS.slice(0, 1))())
    expect(leftOf(await kernel.apply(OPS.slice(1))())).toMatchObject([{ at: 0, errno: 'EBUSY' }])
    rightOf(await kernel.apply(OPS.slice(1, 2))())
    expect(there(kernel)).toBe('abc')
  })

  test('a kernel that refuses nothing is as it was', async () => {
    const kernel = refusing(simKernel())
    rightOf(await kernel.apply(OPS)())
    expect(leftOf(await kernel.apply(OPS.slice(0, 1))())).toMatchObject([{ at: 0, errno: 'EEXIST' }])
  })
})

test('when the power goes, what was before has happened, and nobody is answered', async () => {
  const inner = simKernel()
  const power = powerFor(2)
  let isAnswered = false
  const answer = losingPower(inner, power)
    .apply(OPS)()
    .then(() => {
      isAnswered = true
    })
  await power.lost
  await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 5))])
  expect([there(inner), isAnswered]).toEqual(['ab', false])
})

test('something changes behind the back, and nobody is told', async () => {
  const inner = simKernel()
  const kernel = changedBehind(inner, 2, (world) =>
    rightOf(applyOp(world, { verb: 'delete', object: { kind: 'netns', ns: ns('a'), at: null } })),
  )
  rightOf(await kernel.apply(OPS)())
  expect(there(inner)).toBe('bc')
})
