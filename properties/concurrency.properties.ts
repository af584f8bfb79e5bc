// Several callers at once, with every answer of store and kernel as late as the scheduler likes.

import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { DRIVERS } from '../src/drivers/registry.ts'
import { type Answer, type Engine, freshEngine } from '../src/engine/engine.ts'
import { type Core, step } from '../src/engine/step.ts'
import { encode } from '../src/model/codec.ts'
import type { Command } from '../src/model/command.ts'
import { ns } from '../src/net/name.ts'
import { valuesOf } from '../src/net/pmap.ts'
import { E } from '../src/prelude.ts'
import { memoryStore } from '../src/store/memory.ts'
import { createEndpoint, createNetwork, createSandbox } from '../test/lib/model.ts'
import { runs } from '../test/lib/runs.ts'
import { command, program, told } from './arbitraries/commands.ts'
import { answeringLate } from './lib/faults.ts'
import { faultySim, type TestKernel } from './lib/kernels.ts'
import { coreAfter, facts, storedForm, wantedFacts } from './lib/states.ts'

const lateEngine = (scheduler: fc.Scheduler): Readonly<{ kernel: TestKernel; engine: Engine }> => {
  const kernel = faultySim()
  const below = answeringLate({ kernel, store: memoryStore() }, scheduler)
  const breathe = (): Promise<void> => scheduler.schedule(Promise.resolve(), 'the engine breathes')
  return { kernel, engine: freshEngine({ ...below, breathe, check: true }) }
}

type Said = Readonly<{ command: Command; answer: Answer }>

/**
 * Whether there is an order of all that was said, each caller's own order kept, in which one after the other gives the same answers and
 * comes to `end`. Orders of the same answers may end differently.
 */
const isInOrder = (core: Core, callers: ReadonlyArray<ReadonlyArray<Said>>, end: string): boolean => {
  if (callers.every((said) => said.length === 0)) return encode(storedForm(core.model)) === end
  for (const [i, [next, ...rest]] of callers.entries()) {
    if (next === undefined) continue
    const taken = step(DRIVERS, core, next.command)
    const answer: Answer = E.isLeft(taken) ? taken : E.right(taken.right.events)
    if (encode(answer) !== encode(next.answer)) continue
    if (isInOrder(E.isLeft(taken) ? core : taken.right.core, callers.with(i, rest), end)) return true
  }
  return false
}

describe('callers at once', () => {
  test.prop(
    [
      program,
      fc.array(fc.array(command, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 3 }),
      fc.nat(2),
      fc.scheduler(),
    ],
    runs(0.3),
  )(
    'are answered as in some order of one after the other, and so are model and kernel (P9)',
    async (commands, plans, sweeps, scheduler) => {
      const { kernel, engine } = lateEngine(scheduler)
      await scheduler.waitFor(engine.submit(commands))
      const call = async (plan: ReadonlyArray<Command>): Promise<ReadonlyArray<Said>> => {
        const said: Said[] = []
        for (const each of plan) {
          const [answer] = await engine.submit([each])
          if (answer !== undefined) said.push({ command: told(each), answer })
        }
        return said
      }
      const sweeping = Array.from({ length: sweeps }, async () => {
        await scheduler.schedule(Promise.resolve(), 'a sweep begins')
        return engine.sweep()
      })
      const said = await scheduler.waitFor(Promise.all(plans.map(call)))
      await scheduler.waitFor(Promise.all(sweeping))
      expect(isInOrder(coreAfter(commands.map(told)), said, encode(storedForm(engine.model())))).toBe(true)
      expect(facts(kernel.objects(engine.wanted()))).toEqual(wantedFacts(engine.wanted()))
    },
  )

  type Act = Readonly<{ commands: ReadonlyArray<Command>; cancelled: boolean }> | 'sweep' | 'differences' | 'close'
  const act: fc.Arbitrary<Act> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ commands: fc.array(command, { minLength: 1, maxLength: 3 }), cancelled: fc.boolean() }),
    },
    { weight: 2, arbitrary: fc.constantFrom('sweep' as const, 'differences' as const) },
    { weight: 1, arbitrary: fc.constant('close' as const) },
  )

  test.prop([program, fc.array(act, { minLength: 1, maxLength: 6 }), fc.nat(30), fc.scheduler()], runs(0.4))(
    'are all answered, whatever they ask, cancel, or close, and whatever is refused (P10)',
    async (commands, acts, at, scheduler) => {
      const { kernel, engine } = lateEngine(scheduler)
      const waiting = new Set<number>()
      const ask = async (each: Act): Promise<unknown> => {
        await scheduler.schedule(Promise.resolve(), 'a caller comes')
        if (each === 'sweep') return engine.sweep()
        if (each === 'differences') return engine.differences()
        if (each === 'close') return engine.close()
        const cancel = new AbortController()
        const answers = engine.submit(each.commands, { signal: cancel.signal })
        if (each.cancelled) cancel.abort()
        return answers
      }
      kernel.refuseNext(at)
      for (const [i, each] of [{ commands, cancelled: false }, ...acts].entries()) {
        waiting.add(i)
        ask(each).finally(() => waiting.delete(i))
      }
      await scheduler.waitIdle()
      expect([...waiting]).toEqual([])
    },
  )

  const named = fc.record({ kind: fc.constantFrom('network', 'endpoint', 'sandbox'), name: fc.constantFrom('a', 'b') })

  test.prop([fc.array(named, { minLength: 2, maxLength: 8 }), fc.scheduler()], runs(0.5))(
    'who ask for one name get it once: the first of them, and no other (P24)',
    async (wishes, scheduler) => {
      const { engine } = lateEngine(scheduler)
      await scheduler.waitFor(engine.submit([createNetwork(0, 'base')]))
      const ask = async ({ kind, name }: (typeof wishes)[number], i: number): Promise<Answer | undefined> => {
        await scheduler.schedule(Promise.resolve(), `${kind} ${name}`)
        const n = i + 1
        if (kind === 'network') return (await engine.submit([createNetwork(n, name)]))[0]
        if (kind === 'endpoint') return (await engine.submit([createEndpoint(n, 0, name)]))[0]
        return (await engine.submit([createSandbox(n, `${name}${n}`, { ns: ns(name) })]))[0]
      }
      const answers = await scheduler.waitFor(Promise.all(wishes.map(ask)))
      for (const wish of wishes) {
        const rivals = answers.filter((_, i) => wishes[i]?.kind === wish.kind && wishes[i]?.name === wish.name)
        expect(rivals.filter((answer) => answer?._tag === 'Right')).toHaveLength(1)
      }
      const { networks, endpoints, sandboxes } = engine.model()
      const wanted = (kind: string): ReadonlyArray<string> =>
        [...new Set(wishes.filter((wish) => wish.kind === kind).map(({ name }) => name))].sort()
      expect(
        valuesOf(networks)
          .flatMap(({ name }) => (name === 'base' ? [] : [name]))
          .sort(),
      ).toEqual(wanted('network'))
      expect(
        valuesOf(endpoints)
          .map(({ name }) => name)
          .sort(),
      ).toEqual(wanted('endpoint'))
      expect(
        valuesOf(sandboxes)
          .map((each) => each.ns)
          .sort(),
      ).toEqual(wanted('sandbox'))
    },
  )
})
