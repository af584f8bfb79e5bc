// A journal as a file: it comes back as it was, and what was altered, cut or added is noticed.

import { describe, expect, test } from 'vitest'
import { paperKernel } from '../../properties/lib/kernels.ts'
import { DRIVERS } from '../../src/drivers/registry.ts'
import { freshEngine } from '../../src/engine/engine.ts'
import { CHECKPOINTS, type Journal, readJournal, replay, TURNS } from '../../src/engine/journal.ts'
import { firstDifference, readJournalFile, storedObjects, writeJournalFile } from '../../src/engine/journal-file.ts'
import type { Model } from '../../src/model/types.ts'
import { E } from '../../src/prelude.ts'
import { memoryStore } from '../../src/store/memory.ts'
import { createEndpoint, createNetwork, createSandbox, join, pool } from '../lib/model.ts'

const recorded = async (checkpointTurns: number): Promise<Readonly<{ journal: Journal; model: Model }>> => {
  const store = memoryStore()
  const engine = freshEngine({ kernel: paperKernel(), store, checkpointTurns })
  await engine.submit([createNetwork(1, 'front', { labels: { $odd: 'yes' }, pools: [pool(), pool('fd00:7::/64')] })])
  for (let n = 1; n <= 4; n++)
    await engine.submit([createSandbox(n, `c${n}`), createEndpoint(n, 1, `c${n}`), join(n, n)])
  const checkpoints = await store.list(CHECKPOINTS)()
  const turns = await store.list(TURNS)()
  if (E.isLeft(checkpoints) || E.isLeft(turns)) throw new Error('the store cannot be read')
  const journal = readJournal([...checkpoints.right.entries, ...turns.right.entries])
  if (E.isLeft(journal)) throw new Error(journal.left)
  return { journal: journal.right, model: engine.model() }
}

const fileOf = async (checkpointTurns = 100): Promise<string> => {
  const { journal, model } = await recorded(checkpointTurns)
  return writeJournalFile(journal, model)
}

describe('a journal file', () => {
  test.each([1, 2, 100])('is read back as it was written (a checkpoint every %i turns)', async (checkpointTurns) => {
    const { journal, model } = await recorded(checkpointTurns)
    const read = readJournalFile(writeJournalFile(journal, model))
    expect(read).toEqual(E.right({ journal, state: storedObjects(model), intact: true }))
  })

  test('leads to the state at its end', async () => {
    const read = readJournalFile(await fileOf())
    if (E.isLeft(read)) throw new Error(read.left)
    const replayed = replay(DRIVERS, read.right.journal)
    if (E.isLeft(replayed)) throw new Error(replayed.left.why)
    expect(firstDifference(read.right.state, storedObjects(replayed.right))).toBeNull()
  })

  test('that was altered is not intact, and says where it leads elsewhere', async () => {
    const text = (await fileOf()).replace('"hostname":"c3"', '"hostname":"x3"')
    const read = readJournalFile(text)
    if (E.isLeft(read)) throw new Error(read.left)
    expect(read.right.intact).toBe(false)
    expect(replay(DRIVERS, read.right.journal)).toMatchObject({ _tag: 'Left', left: { turn: 4, deed: 0 } })
  })

  test('whose state was altered names the object', async () => {
    const read = readJournalFile(await fileOf())
    if (E.isLeft(read)) throw new Error(read.left)
    const state = read.right.state.filter((_, i) => i !== 1)
    const replayed = replay(DRIVERS, read.right.journal)
    if (E.isLeft(replayed)) throw new Error(replayed.left.why)
    expect(firstDifference(state, storedObjects(replayed.right))).toEqual({
      key: read.right.state[1]?.key,
      how: 'unexpected',
    })
  })

  test.each([
    ['nothing', () => '', 'line 1 is not the head of a journal'],
    ['another file', () => '{"format":"other"}\n', 'line 1 is not the head of a journal'],
    ['no JSON', () => 'hello\n', 'line 1 is not the head of a journal'],
    [
      'a later version',
      (text: string) => text.replace('"version":1', '"version":2'),
      'the journal has version 2, and this cnm reads version 1',
    ],
    [
      'a file that was cut',
      (text: string) => text.split('\n').slice(0, -2).join('\n'),
      'line 6 is not the end of a journal: it was cut',
    ],
    ['a turn that is none', (text: string) => text.replace('"deeds":[', '"deeds":{}, "x":['), 'line 2 is not a turn'],
    [
      'a checkpoint that is none',
      (text: string) => text.replace('"checkpoint":[]', '"checkpoint":[{"key":1}]'),
      'line 1 holds no checkpoint',
    ],
  ])('refuses %s', async (_, alter, why) => {
    expect(readJournalFile(alter(await fileOf()))).toEqual(E.left(why))
  })
})
