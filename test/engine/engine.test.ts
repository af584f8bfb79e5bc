// Facts about the engine that are not laws about any program; those are in properties/engine.properties.ts.

import { describe, expect, test } from 'vitest'
import { failingOnce } from '../../properties/lib/faults.ts'
import { faultySim, paperKernel } from '../../properties/lib/kernels.ts'
import { freshEngine, openEngine } from '../../src/engine/engine.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { EMPTY_STATE } from '../../src/kernel/state.ts'
import { explain } from '../../src/model/error.ts'
import { HOST } from '../../src/net/name.ts'
import { sizeOfMap } from '../../src/net/pmap.ts'
import { E, TE } from '../../src/prelude.ts'
import { memoryStore } from '../../src/store/memory.ts'
import type { Store } from '../../src/store/store.ts'
import { box, createEndpoint, createNetwork, createSandbox, join } from '../lib/model.ts'

const sentence = (answer: E.Either<Parameters<typeof explain>[0], unknown> | undefined): string | null =>
  answer !== undefined && E.isLeft(answer) ? explain(answer.left) : null

const web = [createNetwork(1, 'front'), createSandbox(1, 'web'), createEndpoint(1, 1, 'web'), join(1, 1)]

describe('an engine', () => {
  test('refuses a network that wants a bridge which another has by its id, naming both', async () => {
    const kernel = paperKernel()
    const engine = freshEngine({ kernel, check: true })
    const named = { options: { name: 'br-1a0000000000' } }
    const [, second] = await engine.submit([createNetwork(1, 'front'), createNetwork(2, 'back', named)])
    expect(sentence(second)).toBe(
      'network "front" and network "back" want the link br-1a0000000000 of the host differently',
    )
    expect(sizeOfMap(engine.model().networks)).toBe(1)
  })

  test('tells what depended on a refused command why', async () => {
    const kernel = faultySim()
    const engine = freshEngine({ kernel, check: true })
    kernel.refuseNext(0)
    const answers = await engine.submit(web)
    const reason = 'the kernel refused "ip netns add web": EBUSY'
    expect(answers.map(sentence)).toEqual([null, reason, null, reason])
    expect(kernel.objects(EMPTY_STATE).filter((object) => object.ns !== HOST)).toEqual([])
  })

  test('deletes with the next sweep what the kernel would not delete at first', async () => {
    const kernel = faultySim()
    const engine = freshEngine({ kernel, check: true })
    await engine.submit(web)
    kernel.refuseNext(0)
    expect((await engine.submit([{ tag: 'DeleteSandbox', id: box(1) }])).map(sentence)).toEqual([null])
    const inside = () => kernel.objects(EMPTY_STATE).filter((object) => object.ns !== HOST)
    expect(inside()).not.toEqual([])
    expect(await engine.sweep()).toMatchObject({ _tag: 'Right' })
    expect(inside()).toEqual([])
  })

  test('changes nothing when the store cannot be written', async () => {
    const kernel = paperKernel()
    const broken: Store = {
      ...memoryStore(),
      transact: () => TE.left({ tag: 'StoreUnavailable', what: 'the disk is full', hint: null }),
    }
    const engine = freshEngine({ kernel, store: broken })
    expect((await engine.submit(web)).map(sentence)).toEqual(Array(4).fill('the disk is full'))
    expect(kernel.objects(EMPTY_STATE)).toEqual([])
    expect(sizeOfMap(engine.model().networks)).toBe(0)
  })

  test('says so when the kernel cannot be asked at all', async () => {
    const gone = TE.left({ tag: 'KernelUnavailable' as const, what: 'nobody is there', hint: 'start it' })
    const kernel: Kernel = {
      name: 'sim',
      marksAtOnce: true,
      observe: () => gone,
      apply: () => gone,
      facts: () => gone,
      settled: async () => {},
      probe: () => gone,
      counters: () => gone,
    }
    const engine = freshEngine({ kernel })
    expect((await engine.submit(web)).map(sentence)).toEqual(Array(4).fill('nobody is there; start it'))
  })

  test('still knows its own after the kernel could not be asked once to delete them', async () => {
    const kernel = faultySim()
    const below = failingOnce({ kernel, store: memoryStore() })
    const engine = freshEngine({ ...below, check: true })
    await engine.submit(web)
    const whole = kernel.objects(engine.wanted())
    below.failNext(1)
    expect((await engine.submit([{ tag: 'DeleteSandbox', id: box(1) }])).map(sentence)).toEqual(['nobody is there'])
    expect((await engine.submit([createSandbox(2, 'db')])).map(sentence)).toEqual([null])
    expect(kernel.objects(engine.wanted())).toEqual(expect.arrayContaining([...whole]))
    await engine.submit([1, 2].map((n) => ({ tag: 'DeleteSandbox', id: box(n) })))
    expect(kernel.objects(EMPTY_STATE).filter((object) => object.ns !== HOST)).toEqual([])
  })

  test('repairs what somebody else changed, and then has nothing to do', async () => {
    const kernel = faultySim()
    const store = memoryStore()
    const engine = freshEngine({ kernel, store, check: true })
    await engine.submit(web)
    const whole = kernel.objects(engine.wanted())
    const bridge = whole.find((object) => object.kind === 'link' && object.spec.type === 'bridge')
    if (bridge === undefined) throw new Error('there is no bridge')
    await kernel.apply([{ verb: 'delete', object: bridge }])()
    expect(kernel.objects(engine.wanted())).not.toEqual(whole)
    expect(await openEngine({ kernel, store })).toMatchObject({ _tag: 'Right' })
    expect(kernel.objects(engine.wanted())).toEqual(whole)
    expect(await engine.sweep()).toEqual(E.right(0))
  })
})
