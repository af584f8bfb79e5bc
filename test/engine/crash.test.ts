// SIGKILL, at any instant, of an engine under load: what was answered is there, nothing is there by half, and the journal
// leads to exactly what is there. On the simulated kernel, so that the store is what is tried; crash-linux.test.ts is about the host.

import { test } from 'vitest'
import { runs } from '../lib/runs.ts'
import { program } from '../lib/victim.ts'
import { freshDir, killing } from './killing.ts'

const victim = program('test/engine/victim.ts')
const { numRuns } = runs(0.1)

test(`${numRuns} kills lose no answered command and leave no half of one`, { timeout: 60_000 + numRuns * 3_000 }, () =>
  killing({ victim, dir: freshDir(), ground: null }, { kills: numRuns, withinMs: 60, check: async () => {} }),
)
