// What the engine promises whatever kernel is below it.

import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { DRIVERS } from '../src/drivers/registry.ts'
import { renderAll } from '../src/drivers/render.ts'
import { freshEngine, openEngine } from '../src/engine/engine.ts'
import { FRESH_CORE, step } from '../src/engine/step.ts'
import { diff } from '../src/kernel/diff.ts'
import { objectsOf, unite } from '../src/kernel/state.ts'
import type { Command } from '../src/model/command.ts'
import { HOST } from '../src/net/name.ts'
import { valuesOf } from '../src/net/pmap.ts'
import { E } from '../src/prelude.ts'
import { memoryStore } from '../src/store/memory.ts'
import { command, program } from './arbitraries/commands.ts'
import { paperKernel } from './lib/paper.ts'

/** Commands that ask for more than there was; the others only take away. */
const asks = command.filter(({ tag }) => tag.startsWith('Create') || tag === 'Join' || tag === 'Leave')

describe('the engine', () => {
  test.prop([program])('renders step by step exactly what a whole render gives', (commands) => {
    let core = FRESH_CORE
    for (const each of commands) {
      const next = step(DRIVERS, core, each)
      if (E.isRight(next)) core = next.right.core
      const whole = unite(renderAll(DRIVERS, core.model).map(({ fragment }) => fragment))
      expect(E.isRight(whole)).toBe(true)
      if (E.isRight(whole)) expect(objectsOf(core.wanted.state)).toEqual(objectsOf(whole.right))
    }
  })

  test.prop([program])('has in the kernel exactly what is wanted, after every turn', async (commands) => {
    const kernel = paperKernel()
    const engine = freshEngine({ kernel, check: true })
    for (const each of commands) {
      await engine.submit([each])
      expect(objectsOf(kernel.state())).toEqual(objectsOf(engine.wanted()))
    }
  })

  test.prop([program])('reaches the same with all commands in one turn as with a turn for each', async (commands) => {
    const one = paperKernel()
    const many = paperKernel()
    const engine = freshEngine({ kernel: one, check: true })
    const patient = freshEngine({ kernel: many, check: true })
    const together = await engine.submit(commands)
    const apart = []
    for (const each of commands) apart.push(...(await patient.submit([each])))
    expect(together).toEqual(apart)
    expect(objectsOf(one.state())).toEqual(objectsOf(many.state()))
  })

  test.prop([program, asks, fc.nat(12)])(
    'leaves model and kernel as if the command had never come, whichever single operation is refused',
    async (commands, last, at) => {
      const kernel = paperKernel()
      const engine = freshEngine({ kernel, check: true })
      await engine.submit(commands)
      const [model, host] = [engine.model(), objectsOf(kernel.state())]
      kernel.refuseNext(at)
      const [answer] = await engine.submit([last])
      const refused = answer !== undefined && E.isLeft(answer) && answer.left.tag === 'KernelRefused'
      fc.pre(refused)
      kernel.refuseNext(null)
      await engine.sweep()
      expect(objectsOf(kernel.state())).toEqual(host)
      expect([engine.model().networks, engine.model().endpoints, engine.model().sandboxes]).toEqual([
        model.networks,
        model.endpoints,
        model.sandboxes,
      ])
    },
  )

  test.prop([program, fc.nat(), fc.nat()])(
    'gives back the same kernel state when an endpoint joins and leaves again',
    async (commands, i, j) => {
      const kernel = paperKernel()
      const engine = freshEngine({ kernel, check: true })
      await engine.submit(commands)
      const free = valuesOf(engine.model().endpoints).filter(({ attachment }) => attachment === null)
      const rooms = valuesOf(engine.model().sandboxes).filter(({ ns }) => ns !== HOST)
      const [endpoint, sandbox] = [free[i % free.length]?.id, rooms[j % rooms.length]?.id]
      fc.pre(endpoint !== undefined && sandbox !== undefined)
      if (endpoint === undefined || sandbox === undefined) return
      const before = objectsOf(kernel.state())
      const [joined] = await engine.submit([{ tag: 'Join', endpoint, sandbox, priority: 0, ifName: null }])
      expect(joined?._tag).toBe('Right')
      await engine.submit([{ tag: 'Leave', endpoint, sandbox }])
      expect(objectsOf(kernel.state())).toEqual(before)
    },
  )

  test.prop([program])('leaves nothing behind when everything is deleted', async (commands) => {
    const kernel = paperKernel()
    const engine = freshEngine({ kernel, check: true })
    await engine.submit(commands)
    await engine.submit(valuesOf(engine.model().sandboxes).map(({ id }): Command => ({ tag: 'DeleteSandbox', id })))
    await engine.submit(
      valuesOf(engine.model().endpoints).map(({ id }): Command => ({ tag: 'DeleteEndpoint', id, force: false })),
    )
    await engine.submit(valuesOf(engine.model().networks).map(({ id }): Command => ({ tag: 'DeleteNetwork', id })))
    expect(objectsOf(kernel.state())).toEqual([])
  })

  test.prop([program, fc.nat(40)])(
    'finishes after a crash what the store says, from any half-done kernel',
    async (commands, cut) => {
      const store = memoryStore()
      const whole = paperKernel()
      const engine = freshEngine({ kernel: whole, store })
      await engine.submit(commands)
      const half = paperKernel()
      await half.apply(diff(half.state(), whole.state()).slice(0, cut))()
      const opened = await openEngine({ kernel: half, store, check: true })
      expect(E.isRight(opened)).toBe(true)
      expect(objectsOf(half.state())).toEqual(objectsOf(whole.state()))
    },
  )
})
