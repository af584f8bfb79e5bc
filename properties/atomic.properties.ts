// An operation that is answered with an error has not happened: not in the model, not in the store, not in the kernel; and
// what is answered as done has.

import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { freshEngine, openEngine } from '../src/engine/engine.ts'
import type { Command } from '../src/model/command.ts'
import type { Model } from '../src/model/types.ts'
import { sizeOfMap, valuesOf } from '../src/net/pmap.ts'
import { E } from '../src/prelude.ts'
import { memoryStore } from '../src/store/memory.ts'
import { createEndpoint, join } from '../test/lib/model.ts'
import { runs } from '../test/lib/runs.ts'
import { command, program } from './arbitraries/commands.ts'
import { failingOnce } from './lib/faults.ts'
import { faultySim } from './lib/kernels.ts'
import { allAway, bothOf, facts, storedForm, turnsOf } from './lib/states.ts'

/** As it was given: without what the engine found out of the host. */
const said = (command: Command): Command => {
  if (!('host' in command)) return command
  const { host: _, ...rest } = command
  return rest
}

describe('a command', () => {
  test.prop([program, fc.integer({ min: 1, max: 5 }), fc.nat(40)], runs(0.5))(
    'is answered as done exactly when those who listen hear of it, whatever single operation is refused (P6)',
    async (commands, size, at) => {
      const kernel = faultySim()
      const engine = freshEngine({ kernel, check: true })
      const heard: Command[] = []
      engine.listen(({ deeds }) => heard.push(...deeds.map((deed) => said(deed.command))))
      kernel.refuseNext(at)
      const done: Command[] = []
      for (const turn of turnsOf(commands, size)) {
        const answers = await engine.submit(turn)
        done.push(...turn.filter((_, i) => answers[i]?._tag === 'Right' && answers[i].right.length > 0).map(said))
      }
      expect(heard.filter(({ tag }) => tag !== 'KernelRefused')).toEqual(done)
    },
  )

  /** A new endpoint on a network, and its join, as a whole deed. */
  const connection = ({ networks, sandboxes }: Model, n: number, [i, j]: readonly [number, number]): Command[] => {
    const network = valuesOf(networks)[i % sizeOfMap(networks)]
    const sandbox = valuesOf(sandboxes)[j % sizeOfMap(sandboxes)]
    if (network === undefined || sandbox === undefined) return []
    return [createEndpoint(100 + n, 0, `new${n}`, { network: network.id }), join(100 + n, 0, { sandbox: sandbox.id })]
  }
  const party = fc.record({
    connects: fc.option(fc.tuple(fc.nat(), fc.nat())),
    also: fc.array(command, { maxLength: 3 }),
    together: fc.boolean(),
  })

  test.prop([program, fc.array(party, { minLength: 1, maxLength: 4 }), fc.option(fc.nat(15))], runs(0.5))(
    'that came together with others is done with all of them or as if none had come, whatever is refused (P6)',
    async (commands, wishes, at) => {
      const kernel = faultySim()
      const engine = freshEngine({ kernel, check: true })
      await engine.submit(commands)
      const parties = wishes.map(({ connects, also, together }, n) => ({
        commands: [...(connects === null ? [] : connection(engine.model(), n, connects)), ...also],
        together,
      }))
      const heard: Command[] = []
      engine.listen(({ deeds }) => heard.push(...deeds.map((deed) => deed.command)))
      kernel.refuseNext(at)
      const answers = await Promise.all(
        parties.map(({ commands: those, together }) => engine.submit(those, { together })),
      )
      kernel.refuseNext(null)
      fc.pre(heard.every(({ tag }) => tag !== 'KernelRefused'))
      for (const [i, { together }] of parties.entries())
        if (together) expect(new Set(answers[i]?.map(E.isRight)).size).toBeLessThanOrEqual(1)
      const survivors = parties.flatMap(({ commands: those }, i) =>
        those.filter((_, k) => answers[i]?.[k]?._tag === 'Right'),
      )
      const untouched = faultySim()
      const other = freshEngine({ kernel: untouched, check: true })
      await other.submit(commands)
      await other.submit(survivors)
      expect(storedForm(engine.model())).toEqual(storedForm(other.model()))
      await engine.sweep()
      const known = bothOf(engine.wanted(), other.wanted())
      expect(facts(kernel.objects(known))).toEqual(facts(untouched.objects(known)))
    },
  )

  test.prop([program, fc.array(command, { minLength: 1, maxLength: 4 }), fc.nat(3)], runs(0.3))(
    'changes nothing when the store or the kernel cannot be asked at any one call (P6)',
    async (commands, last, at) => {
      const [kernel, store] = [faultySim(), memoryStore()]
      const below = failingOnce({ kernel, store })
      const engine = freshEngine({ ...below, check: true })
      await engine.submit(commands)
      const [before, known] = [engine.model(), engine.wanted()]
      below.failNext(at)
      const answers = await engine.submit(last)
      fc.pre(below.failed())
      expect(answers.filter(E.isRight)).toEqual([])
      expect(storedForm(engine.model())).toEqual(storedForm(before))
      await engine.sweep()
      const untouched = faultySim()
      const again = await openEngine({ kernel: untouched, store, check: true })
      expect(E.map((other: typeof engine) => storedForm(other.model()))(again)).toEqual(E.right(storedForm(before)))
      expect(facts(kernel.objects(known))).toEqual(facts(untouched.objects(known)))
    },
  )

  test.prop([program, fc.nat(2), fc.nat(12)], runs(0.5))(
    'that takes away is done though the kernel would not delete at first; a sweep does the rest (P6)',
    async (commands, kind, at) => {
      const kernel = faultySim()
      const engine = freshEngine({ kernel, check: true })
      await engine.submit(commands)
      let known = engine.wanted()
      for (const [i, turn] of allAway(engine.model()).entries()) {
        kernel.refuseNext(i === kind ? at : null)
        await engine.submit(turn)
        known = bothOf(known, engine.wanted())
      }
      kernel.refuseNext(null)
      await engine.sweep()
      expect(kernel.objects(known)).toEqual(faultySim().objects(known))
    },
  )
})
