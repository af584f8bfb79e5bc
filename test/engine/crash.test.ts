// SIGKILL, at any instant, of an engine under load: what was answered is there, nothing is there by half, and the journal
// leads to exactly what is there.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as path } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { DRIVERS } from '../../src/drivers/registry.ts'
import { openEngine } from '../../src/engine/engine.ts'
import { CHECKPOINTS, readJournal, replay, TURNS } from '../../src/engine/journal.ts'
import { removeLab } from '../../src/kernel-linux/lab.ts'
import { labNames, labOfName } from '../../src/kernel-linux/names.ts'
import { explain } from '../../src/model/error.ts'
import { violations } from '../../src/model/invariants.ts'
import { endpointsIn } from '../../src/model/queries.ts'
import type { Model } from '../../src/model/types.ts'
import { HOST } from '../../src/net/name.ts'
import { hasIn, valuesOf } from '../../src/net/pmap.ts'
import { E } from '../../src/prelude.ts'
import { explainStore } from '../../src/store/error.ts'
import { lmdbStore } from '../../src/store/lmdb/lmdb.ts'
import type { Store } from '../../src/store/store.ts'
import { labOf, rightOf } from '../kernel-linux/labs.ts'
import { box } from '../lib/model.ts'
import { needs } from '../lib/need.ts'
import { ownLab } from '../lib/own-names.ts'
import { runs } from '../lib/runs.ts'
import { program, type Running, started, wait } from '../lib/victim.ts'
import { CALLERS, kernelOf, numberOf } from './load.ts'

const victim = program('test/engine/victim.ts')
const dirs: string[] = []
const freshDir = (): string => {
  const dir = mkdtempSync(path(tmpdir(), 'cnm-engine-'))
  dirs.push(dir)
  return dir
}
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true })
})

/** Where a victim works: its store, and a lab of Linux (null: the simulated kernel). */
type Place = Readonly<{ dir: string; lab: string | null }>

const start = ({ dir, lab }: Place): Running => started(process.execPath, victim, dir, ...(lab === null ? [] : [lab]))

const entriesOf = async (store: Store, prefix: string) => {
  const listed = await store.list(prefix)()
  if (E.isLeft(listed)) throw new Error(explainStore(listed.left))
  return listed.right.entries
}

/** The model after the crash, proved to be what the journal says and what the kernel holds. */
const recovered = async ({ dir, lab }: Place): Promise<Model> => {
  const store = await lmdbStore({ dir })()
  if (E.isLeft(store)) throw new Error(explainStore(store.left))
  const engine = await openEngine({ kernel: kernelOf(lab), store: store.right, checkpointTurns: 50 })
  if (E.isLeft(engine)) throw new Error(explain(engine.left))
  expect(violations(engine.right.model())).toEqual([])
  expect(await engine.right.differences()).toEqual(E.right([]))
  const journal = readJournal([
    ...(await entriesOf(store.right, CHECKPOINTS)),
    ...(await entriesOf(store.right, TURNS)),
  ])
  if (E.isLeft(journal)) throw new Error(journal.left)
  const givenUp = journal.right.turns.flatMap(({ deeds }) =>
    deeds.filter(({ command }) => command.tag === 'KernelRefused'),
  )
  expect(givenUp).toEqual([])
  const replayed = replay(DRIVERS, journal.right)
  if (E.isLeft(replayed)) throw new Error(`turn ${replayed.left.turn}: ${replayed.left.why}`)
  expect(replayed.right).toEqual(engine.right.model())
  await engine.right.close()
  return engine.right.model()
}

/** The last answer of a caller. */
const lastOf = (said: ReadonlyArray<string>, caller: number): Readonly<{ word: string; n: number }> | null => {
  const line = said.filter((each) => each.startsWith(`${caller} `)).at(-1)
  const [, word = '', n = ''] = line?.split(' ') ?? []
  return line === undefined ? null : { word, n: Number(n) }
}

/** Kills so many lives of a victim, and proves after each that nothing answered is lost and nothing is there by half. */
const killing = async (place: Place, kills: number, lastMs: number, check: (model: Model) => void): Promise<void> => {
  let answers = 0
  for (let kill = 0; kill < kills; kill++) {
    const { said, complaint, kill: end } = start(place)
    const opened = kill % 5 !== 4
    if (opened)
      await expect.poll(() => said().includes('open') || complaint(), { timeout: 20_000, interval: 2 }).toBeTruthy()
    await wait(Math.random() * (opened ? lastMs : 250))
    await end()
    expect(complaint()).toBe('')
    // A tool that the victim had started may still be at work; it ends by itself.
    if (place.lab !== null) await wait(200)
    const model = await recovered(place)
    check(model)
    answers += said().length
    for (let caller = 1; caller <= CALLERS; caller++) {
      const there = hasIn(model.sandboxes, box(caller))
      const last = lastOf(said(), caller)
      expect(endpointsIn(model, box(caller)), `half a container of caller ${caller}`).toHaveLength(there ? 1 : 0)
      if (last === null) continue
      // What came after the last answer may have happened or not.
      const n = numberOf(model, caller)
      expect(last.word === 'made' ? [0, last.n] : [0, last.n + 1], `caller ${caller}`).toContain(n)
    }
  }
  expect(answers).toBeGreaterThan(kills)
}

const KILLS = runs(0.1).numRuns

test(`${KILLS} kills lose no answered command and leave no half of one`, { timeout: 60_000 + KILLS * 3_000 }, () =>
  killing({ dir: freshDir(), lab: null }, KILLS, 60, () => {}),
)

needs.kernel('on Linux', () => {
  const kills = runs(0.05).numRuns
  const lab = labOf(ownLab('kill'))
  afterAll(async () => {
    rightOf(await removeLab(lab))
  })

  test(`${kills} kills leave exactly the namespaces of the model`, { timeout: 60_000 + kills * 10_000 }, async () => {
    const host = labNames(lab)(HOST) ?? ''
    expect(spawnSync('ip', ['netns', 'add', host]).status).toBe(0)
    const place = { dir: freshDir(), lab }
    await killing(place, kills, 1_000, (model) => {
      const there = readdirSync('/run/netns').filter((name) => labOfName(name) === lab && name !== host)
      const wanted = valuesOf(model.sandboxes).map(({ ns }) => labNames(lab)(ns) ?? '')
      expect(there.sort()).toEqual(wanted.sort())
    })
  })
})
