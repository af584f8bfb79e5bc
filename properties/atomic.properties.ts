// An operation that is answered with an error has not happened: not in the model, not in the store, not in the kernel; and
// what is answered as done has.

import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { freshEngine, openEngine } from '../src/engine/engine.ts'
import type { Command } from '../src/model/command.ts'
import { E } from '../src/prelude.ts'
import { memoryStore } from '../src/store/memory.ts'
import { runs } from '../test/lib/runs.ts'
import { command, program } from './arbitraries/commands.ts'
import { failingOnce } from './lib/faults.ts'
import { faultySim } from './lib/kernels.ts'
import { allAway, bothOf, facts, storedForm, turnsOf } from './lib/states.ts'

describe('a command', () => {
  test.prop([program, fc.integer({ min: 1, max: 5 }), fc.nat(40)], runs(0.5))(
    'is answered as done exactly when those who listen hear of it, whatever single operation is refused (P6)',
    async (commands, size, at) => {
      const kernel = faultySim()
      const engine = freshEngine({ kernel, check: true })
      const heard: Command[] = []
      engine.listen(({ deeds }) => heard.push(...deeds.map((deed) => deed.command)))
      kernel.refuseNext(at)
      const done: Command[] = []
      for (const turn of turnsOf(commands, size)) {
        const answers = await engine.submit(turn)
        done.push(...turn.filter((_, i) => answers[i]?._tag === 'Right' && answers[i].right.length > 0))
      }
      expect(heard.filter(({ tag }) => tag !== 'KernelRefused')).toEqual(done)
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
