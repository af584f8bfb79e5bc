// Kills lives of a victim (victim.ts), one after the other on the same store and ground, and proves after each that nothing that was
// answered is lost and nothing is there by half.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as path } from 'node:path'
import { afterAll, expect } from 'vitest'
import type { Engine } from '../../src/engine/engine.ts'
import type { Model } from '../../src/model/types.ts'
import { type Running, started, wait } from '../lib/victim.ts'
import { anyRound, CALLERS, type Ground, kernelOf, leftAfter, leftOfCaller, wholes } from './load.ts'
import { recover } from './recovered.ts'

const dirs: string[] = []
export const freshDir = (): string => {
  const dir = mkdtempSync(path(tmpdir(), 'cnm-engine-'))
  dirs.push(dir)
  return dir
}
afterAll(() => {
  for (const dir of dirs) rmSync(dir, { recursive: true, force: true })
})

/** `victim`: the bundle. */
export type Place = Readonly<{ victim: string; dir: string; ground: Ground }>

export const start = ({ victim, dir, ground }: Place, ...more: ReadonlyArray<string>): Running =>
  started(process.execPath, victim, dir, ...(ground === null ? [] : [ground.lab, ground.transport]), ...more)

/** A tool that the victim had started may still be at work; it ends by itself. */
const TOOLS_END_MS = 200

/** Kills it and waits until nothing of it is at work any more. */
export const endOf = async ({ ground }: Place, running: Running): Promise<void> => {
  await running.kill()
  expect(running.complaint()).toBe('')
  if (ground?.transport === 'iproute2') await wait(TOOLS_END_MS)
}

/** Opens what is there as the next process would, in this one. */
export const recovering = async <A>(place: Place, use: (engine: Engine) => Promise<A>): Promise<A> => {
  const { kernel, close } = kernelOf(place.ground)
  try {
    return await recover(place.dir, kernel, use)
  } finally {
    await close()
  }
}

/** How many of its calls were answered, as a victim said last of a caller; null if it said nothing of it. */
const answeredOf = (said: ReadonlyArray<string>, caller: number): number | null => {
  const line = said.findLast((each) => each.startsWith(`${caller} `))
  return line === undefined ? null : Number(line.split(' ')[1])
}

const expectWhole = (model: Model, said: ReadonlyArray<string>): void => {
  for (const caller of CALLERS) {
    const left = leftOfCaller(model, caller)
    expect(wholes(caller), `half of a call of caller ${caller}`).toContain(anyRound(left))
    const answered = answeredOf(said, caller)
    // What came after the last answer may have happened or not.
    if (answered !== null)
      expect([leftAfter(caller, answered), leftAfter(caller, answered + 1)], `caller ${caller}`).toContain(left)
  }
}

export type Killing = Readonly<{
  kills: number
  /** A life that has opened lasts at most so long. */
  withinMs: number
  /** What must be true of the place after each. */
  check: (engine: Engine) => Promise<void>
}>

/** Every fifth life ends before it has opened. */
export const killing = async (place: Place, { kills, withinMs, check }: Killing): Promise<void> => {
  let answers = 0
  for (let kill = 0; kill < kills; kill++) {
    const running = start(place)
    const { said, complaint } = running
    const opened = kill % 5 !== 4
    if (opened)
      await expect.poll(() => said().includes('open') || complaint(), { timeout: 60_000, interval: 2 }).toBeTruthy()
    await wait(Math.random() * (opened ? withinMs : 250))
    await endOf(place, running)
    await recovering(place, async (engine) => {
      expectWhole(engine.model(), said())
      await check(engine)
    })
    answers += said().length
  }
  expect(answers).toBeGreaterThan(kills)
}
