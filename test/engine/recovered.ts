// An engine that opens what a killed one left: the model is sound, it is what the journal leads to, and the kernel holds it.

import { expect } from 'vitest'
import { DRIVERS } from '../../src/drivers/registry.ts'
import { type Engine, openEngine } from '../../src/engine/engine.ts'
import { CHECKPOINTS, readJournal, replay, TURNS } from '../../src/engine/journal.ts'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { explain } from '../../src/model/error.ts'
import { violations } from '../../src/model/invariants.ts'
import { E } from '../../src/prelude.ts'
import { lmdbStore } from '../../src/store/lmdb/lmdb.ts'
import type { Store } from '../../src/store/store.ts'
import { rightOf } from '../kernel-linux/labs.ts'

const entriesOf = async (store: Store, prefix: string) => rightOf(await store.list(prefix)()).entries

/** Proves it, and hands over the engine for more; it is closed behind. */
export const recover = async <A>(dir: string, kernel: Kernel, use: (engine: Engine) => A | Promise<A>): Promise<A> => {
  const store = rightOf(await lmdbStore({ dir })())
  const opened = await openEngine({ kernel, store, checkpointTurns: 50 })
  if (E.isLeft(opened)) throw new Error(explain(opened.left))
  const engine = opened.right
  expect(violations(engine.model())).toEqual([])
  expect(await engine.differences()).toEqual(E.right([]))
  const journal = readJournal([...(await entriesOf(store, CHECKPOINTS)), ...(await entriesOf(store, TURNS))])
  if (E.isLeft(journal)) throw new Error(journal.left)
  const givenUp = journal.right.turns.flatMap(({ deeds }) =>
    deeds.filter(({ command }) => command.tag === 'KernelRefused'),
  )
  expect(givenUp).toEqual([])
  const replayed = replay(DRIVERS, journal.right)
  if (E.isLeft(replayed)) throw new Error(`turn ${replayed.left.turn}: ${replayed.left.why}`)
  expect(replayed.right).toEqual(engine.model())
  try {
    return await use(engine)
  } finally {
    await engine.close()
  }
}
