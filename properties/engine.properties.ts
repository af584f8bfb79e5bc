// What the engine promises, whatever kernel is below it: one on paper, and the simulated one.

import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DRIVERS } from '../src/drivers/registry.ts'
import { renderAll } from '../src/drivers/render.ts'
import { type Engine, freshEngine, openEngine } from '../src/engine/engine.ts'
import { FRESH_CORE, step } from '../src/engine/step.ts'
import { diff } from '../src/kernel/diff.ts'
import { EMPTY_STATE, objectsOf, unite } from '../src/kernel/state.ts'
import type { Command } from '../src/model/command.ts'
import { endpointsIn } from '../src/model/queries.ts'
import { isIp6 } from '../src/net/ip.ts'
import { HOST } from '../src/net/name.ts'
import { getIn, valuesOf } from '../src/net/pmap.ts'
import { E } from '../src/prelude.ts'
import { memoryStore } from '../src/store/memory.ts'
import { command, program } from './arbitraries/commands.ts'
import { faultySim, paperKernel, type TestKernel } from './lib/kernels.ts'
import { facts, wantedFacts } from './lib/states.ts'

/** Commands that ask for more than there was; the others only take away. */
const asks = command.filter(({ tag }) => tag.startsWith('Create') || tag === 'Join' || tag === 'Leave')

const stored = (engine: Engine): ReadonlyArray<unknown> => {
  const { networks, endpoints, sandboxes } = engine.model()
  return [networks, endpoints, sandboxes]
}

describe('the core', () => {
  test.prop([program])('renders step by step exactly what a whole render gives (P3)', (commands) => {
    let core = FRESH_CORE
    for (const each of commands) {
      const next = step(DRIVERS, core, each)
      if (E.isRight(next)) core = next.right.core
      const whole = unite(renderAll(DRIVERS, core.model).map(({ fragment }) => fragment))
      if (E.isLeft(whole)) throw new Error(`clash on ${whole.left.key}`)
      expect(objectsOf(core.wanted.state)).toEqual(objectsOf(whole.right))
    }
  })
})

describe.each([
  ['on paper', paperKernel],
  ['on the simulated kernel', faultySim],
])('the engine %s', (_, fresh: () => TestKernel) => {
  test.prop([program])('has in the kernel exactly what is wanted, after every turn (P3)', async (commands) => {
    const kernel = fresh()
    const engine = freshEngine({ kernel, check: true })
    for (const each of commands) {
      await engine.submit([each])
      expect(facts(kernel.objects(engine.wanted()))).toEqual(wantedFacts(engine.wanted()))
    }
  })

  test.prop([program])('reaches the same with all commands in one turn as with a turn for each', async (commands) => {
    const [one, many] = [fresh(), fresh()]
    const engine = freshEngine({ kernel: one, check: true })
    const patient = freshEngine({ kernel: many, check: true })
    const together = await engine.submit(commands)
    const apart = []
    for (const each of commands) apart.push(...(await patient.submit([each])))
    expect(together).toEqual(apart)
    expect(one.objects(engine.wanted())).toEqual(many.objects(engine.wanted()))
  })

  test.prop([program, asks, fc.nat(12)])(
    'leaves model and kernel as if the command had never come, whichever single operation is refused (P6)',
    async (commands, last, at) => {
      const kernel = fresh()
      const engine = freshEngine({ kernel, check: true })
      await engine.submit(commands)
      const [model, known] = [stored(engine), engine.wanted()]
      kernel.refuseNext(at)
      const [answer] = await engine.submit([last])
      kernel.refuseNext(null)
      fc.pre(answer !== undefined && E.isLeft(answer) && answer.left.tag === 'KernelRefused')
      await engine.sweep()
      expect(facts(kernel.objects(known))).toEqual(wantedFacts(known))
      expect(stored(engine)).toEqual(model)
    },
    60_000,
  )

  test.prop([program, fc.nat(), fc.nat()])(
    'gives back the same kernel state when an endpoint joins and leaves again',
    async (commands, i, j) => {
      const kernel = fresh()
      const engine = freshEngine({ kernel, check: true })
      await engine.submit(commands)
      const free = valuesOf(engine.model().endpoints).filter(({ attachment }) => attachment === null)
      const rooms = valuesOf(engine.model().sandboxes).filter(({ ns }) => ns !== HOST)
      const [guest, room] = [free[i % free.length], rooms[j % rooms.length]]
      fc.pre(guest !== undefined && room !== undefined)
      if (guest === undefined || room === undefined) return
      const [endpoint, sandbox] = [guest.id, room.id]
      const known = engine.wanted()
      const before = kernel.objects(known)
      const there = endpointsIn(engine.model(), sandbox).map((placed) => placed.endpoint.attachment.ifName)
      const isTaken = there.some((name) => name === guest.asked.ifName)
      const { config } = getIn(engine.model().networks, guest.network) ?? {}
      const isFull =
        config?.['mode'] === 'passthru' &&
        valuesOf(engine.model().endpoints).some(
          ({ network, attachment }) => network === guest.network && attachment !== null,
        )
      const isDark = room.sysctls['net.ipv6.conf.all.disable_ipv6'] === '1'
      const isLit = [...guest.addresses.map(({ cidr }) => cidr.ip), ...guest.linkLocal].some(isIp6)
      const refused = isTaken ? 'InterfaceTaken' : 'joined'
      const expected = isFull ? 'NetworkFull' : isDark && isLit ? 'IPv6OffInside' : refused
      const [joined] = await engine.submit([{ tag: 'Join', endpoint, sandbox, priority: 0, ifName: null }])
      expect(joined?._tag === 'Left' ? joined.left.tag : 'joined').toBe(expected)
      fc.pre(expected === 'joined')
      await engine.submit([{ tag: 'Leave', endpoint, sandbox }])
      expect(kernel.objects(known)).toEqual(before)
    },
  )

  test.prop([program])('leaves nothing behind when everything is deleted (P23)', async (commands) => {
    const kernel = fresh()
    const engine = freshEngine({ kernel, check: true })
    await engine.submit(commands)
    const known = engine.wanted()
    await engine.submit(valuesOf(engine.model().sandboxes).map(({ id }): Command => ({ tag: 'DeleteSandbox', id })))
    await engine.submit(
      valuesOf(engine.model().endpoints).map(({ id }): Command => ({ tag: 'DeleteEndpoint', id, force: false })),
    )
    await engine.submit(valuesOf(engine.model().networks).map(({ id }): Command => ({ tag: 'DeleteNetwork', id })))
    expect(kernel.objects(known)).toEqual(fresh().objects(known))
  })

  test.prop([program, fc.nat(40)])(
    'makes of a half-done kernel what the store says, when it starts after a crash (P7)',
    async (commands, cut) => {
      const store = memoryStore()
      const engine = freshEngine({ kernel: fresh(), store })
      await engine.submit(commands)
      const half = fresh()
      await half.apply(diff(EMPTY_STATE, engine.wanted()).slice(0, cut))()
      const opened = await openEngine({ kernel: half, store, check: true })
      expect(opened._tag).toBe('Right')
      expect(facts(half.objects(engine.wanted()))).toEqual(wantedFacts(engine.wanted()))
    },
  )
})

it('answers callers who come while it is busy, in their order', async () => {
  const engine = freshEngine({ kernel: paperKernel(), check: true })
  const programs = fc.sample(program, { numRuns: 3, seed: 7 })
  const alone = freshEngine({ kernel: paperKernel() })
  const expected = await alone.submit(programs.flat())
  const answers = await Promise.all(programs.map((commands) => engine.submit(commands)))
  expect(answers.flat()).toEqual(expected)
})
