// Tests that are run as in the machine, here: they end as in vitest.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testProgram } from '../../scripts/vm/bundle.mjs'
import { ROOT } from '../lib/source.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(ROOT, 'node_modules/.cnm-vm-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The status, and what was said of tests, without how long each took. */
const ran = async (pattern: string | null, ...files: ReadonlyArray<string>) => {
  const paths = files.map((name) => join(ROOT, name))
  const file = await testProgram(paths, mkdtempSync(join(folder, 'run-')), { pattern, runs: 7, seed: 3 })
  const env = { ...process.env, CI: '', NO_COLOR: '1', CNM_RUNS: '7', CNM_SEED: '3' }
  const { status, stdout } = spawnSync(process.execPath, [file], { env, encoding: 'utf8' })
  const lines = stdout.split('\n').map((line) => line.replace(/ \(\d+ ms\)$/, ''))
  return { status, stdout, lines: lines.slice(0, -1) }
}

test('what passes, fails, and is skipped, with the reasons', async () => {
  const { status, lines } = await ran(null, 'test/scripts/fixtures/mixed.fixture.ts')
  expect(status).toBe(1)
  expect(lines.filter((line) => /^ {2}[✓✗]/.test(line))).toEqual([
    '  ✓ passes',
    '  ✗ fails',
    '  ✓ a need that is met > runs',
  ])
  expect(lines.filter((line) => line.includes('the hook fails'))).not.toEqual([])
  expect(lines.slice(-5)).toEqual([
    'properties: 7 runs each, seed 3',
    'skipped 1 test: it is Sunday',
    'skipped 1 test: a hook around it failed',
    'skipped 2 tests: needs a unicorn',
    '2 passed, 2 failed, 4 skipped',
  ])
})

test('a file that cannot be loaded is a failure, and those behind it are run', async () => {
  const { status, lines } = await ran(
    null,
    'test/scripts/fixtures/broken.fixture.ts',
    'test/scripts/fixtures/mixed.fixture.ts',
  )
  expect(status).toBe(1)
  expect(lines.at(-1)).toBe('2 passed, 3 failed, 4 skipped')
})

test('those that were selected, where all pass', async () => {
  const { status, lines } = await ran('^passes$', 'test/scripts/fixtures/mixed.fixture.ts')
  expect([status, lines.at(-1)]).toEqual([0, '1 passed, 0 failed, 6 skipped'])
})

test('properties, as often as they were asked to, and files that know where they are', async () => {
  const { status, lines } = await ran(null, 'test/vm/fixtures/place.fixture.ts')
  expect([status, lines.at(-1)]).toEqual([0, '2 passed, 0 failed'])
})
