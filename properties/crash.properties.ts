// What a restart may rely on: whatever was under way when it stopped, the store and the host tell the next engine enough.

import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { DRIVERS } from '../src/drivers/registry.ts'
import { type Engine, freshEngine, openEngine } from '../src/engine/engine.ts'
import { CHECKPOINTS, readJournal, replay, TURNS } from '../src/engine/journal.ts'
import { explain } from '../src/model/error.ts'
import { E } from '../src/prelude.ts'
import { memoryStore } from '../src/store/memory.ts'
import type { Store } from '../src/store/store.ts'
import { runs } from '../test/lib/runs.ts'
import { program } from './arbitraries/commands.ts'
import { losingPower } from './lib/faults.ts'
import { faultySim, paperKernel, type TestKernel } from './lib/kernels.ts'
import { allAway, bothOf, facts, storedForm, turnsOf } from './lib/states.ts'

const open = async (kernel: TestKernel, store: Store): Promise<Engine> => {
  const opened = await openEngine({ kernel, store, checkpointTurns: 3, check: true })
  if (E.isLeft(opened)) throw new Error(explain(opened.left))
  return opened.right
}

describe('a start', () => {
  test.prop([program, fc.boolean(), fc.integer({ min: 1, max: 4 }), fc.nat(120)], runs(0.7))(
    'after the power is lost at any operation or transaction finds the state before that turn or after it, and leaves nothing over (P7)',
    async (commands, emptied, size, steps) => {
      const [kernel, store] = [faultySim(), memoryStore()]
      const below = losingPower({ kernel, store }, steps)
      const engine = freshEngine({ ...below, checkpointTurns: 3 })
      const twin = freshEngine({ kernel: paperKernel() })
      let before = storedForm(twin.model())
      let known = twin.wanted()
      const take = async (turn: ReadonlyArray<Parameters<Engine['submit']>[0][number]>): Promise<boolean> => {
        before = storedForm(twin.model())
        known = bothOf(known, twin.wanted())
        const answered = engine.submit(turn).then(() => true)
        await twin.submit(turn)
        return Promise.race([answered, below.lost.then(() => false)])
      }
      let alive = true
      for (const turn of turnsOf(commands, size)) if (alive) alive = await take(turn)
      if (emptied) for (const turn of allAway(twin.model())) if (alive) alive = await take(turn)
      const after = storedForm(twin.model())

      const again = await open(kernel, store)
      const found = storedForm(again.model())
      expect(alive ? [after] : [before, after]).toContainEqual(found)
      const untouched = faultySim()
      await open(untouched, store)
      expect(facts(kernel.objects(known))).toEqual(facts(untouched.objects(known)))
    },
  )

  test.prop(
    [program, fc.integer({ min: 1, max: 3 }), fc.array(fc.boolean(), { minLength: 1, maxLength: 5 })],
    runs(0.4),
  )('answers as one that was never stopped (P18)', async (commands, size, restarts) => {
    const [kernel, store, other] = [faultySim(), memoryStore(), faultySim()]
    const steady = freshEngine({ kernel: other, check: true })
    let engine = await open(kernel, store)
    for (const [at, turn] of turnsOf(commands, size).entries()) {
      if (restarts[at % restarts.length]) engine = await open(kernel, store)
      expect(await engine.submit(turn)).toEqual(await steady.submit(turn))
    }
    const last = await open(kernel, store)
    expect(last.model()).toEqual(steady.model())
    expect(kernel.objects(steady.wanted())).toEqual(other.objects(steady.wanted()))
  })
})

describe('the journal', () => {
  const every = fc.constantFrom(1, 2, 3, 1_000)
  test.prop([program, fc.integer({ min: 1, max: 4 }), fc.array(fc.nat(12), { maxLength: 3 }), every], runs(0.5))(
    'leads to the present model, whatever the kernel refused on the way (P7)',
    async (commands, size, refused, checkpointTurns) => {
      const [kernel, store] = [faultySim(), memoryStore()]
      const engine = freshEngine({ kernel, store, checkpointTurns })
      const turns = turnsOf(commands, size)
      for (const [at, turn] of turns.entries()) {
        kernel.refuseNext(refused[turns.length - 1 - at] ?? null)
        await engine.submit(turn)
      }
      const [checkpoints, journal] = [await store.list(CHECKPOINTS)(), await store.list(TURNS)()]
      if (E.isLeft(checkpoints) || E.isLeft(journal)) throw new Error('the store does not answer')
      const read = readJournal([...checkpoints.right.entries, ...journal.right.entries])
      if (E.isLeft(read)) throw new Error(read.left)
      expect(replay(DRIVERS, read.right)).toEqual(E.right(engine.model()))
    },
  )
})
