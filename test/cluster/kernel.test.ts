// What others do reaches a host's kernel also when that could not be asked at first: nobody waits for it who could ask again.

import { expect, test } from 'vitest'
import { paperKernel } from '../../properties/lib/kernels.ts'
import { claimsOfEndpoint, endpointKey } from '../../src/cluster/layout.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { endpointsOn } from '../../src/model/queries.ts'
import { TE } from '../../src/prelude.ts'
import { memoryStore } from '../../src/store/memory.ts'
import { createEndpoint, createNetwork, createSandbox, end, endpointIn, join, net } from '../lib/model.ts'
import { openHost, sharedMemory, tell } from './hosts.ts'

test('a host that lost what it had, and whose kernel could not be asked just then, takes it out of its kernel later', async () => {
  const store = memoryStore()
  const paper = paperKernel()
  let isAway = false
  const kernel: Kernel = {
    ...paper,
    apply: (ops) => {
      if (!isAway) return paper.apply(ops)
      isAway = false
      return TE.left({ tag: 'KernelUnavailable', what: 'the kernel is away', hint: null })
    },
  }
  const a = await openHost('a', sharedMemory(store), { kernel })
  for (const command of [
    createNetwork(1, 'wide', { scope: 'global' }),
    createEndpoint(1, 1, 'web'),
    createSandbox(1, 'box'),
  ])
    expect(await tell(a, command)).toBe(null)
  const before = paper.objects(a.wanted()).length
  expect(await tell(a, join(1, 1))).toBe(null)
  const joined = paper.objects(a.wanted()).length
  isAway = true
  const writes = [endpointKey(end(1)), ...claimsOfEndpoint(endpointIn(a.model(), 1))].map((key) => ({
    key,
    value: null,
  }))
  await store.transact({ compares: [], writes })()
  await expect.poll(() => endpointsOn(a.model(), net(1)), { timeout: 5000 }).toEqual([])
  expect(joined).toBeGreaterThan(before)
  await expect.poll(() => paper.objects(a.wanted()).length, { timeout: 5000 }).toBe(before)
  expect(isAway).toBe(false)
  await a.close()
})
