// The closing line of `npm test` is what others trust without reading more: it must not be green when something is red.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { judge, linesOf } from '../../scripts/lib/tally.mjs'
import { ROOT } from '../lib/source.ts'

const green = { passed: 3, failed: 0, skipped: [] }

describe('the closing line', () => {
  test('counts what passed and failed', () => {
    expect(linesOf(green)).toEqual(['3 passed, 0 failed'])
  })

  test('comes after the reasons of what was skipped', () => {
    const skipped = [
      { why: 'needs root', tests: 2 },
      { why: 'needs docker', tests: 1 },
    ]
    expect(linesOf({ ...green, skipped })).toEqual([
      'skipped 2 tests: needs root',
      'skipped 1 test: needs docker',
      '3 passed, 0 failed, 3 skipped',
    ])
  })

  test('is green only after tests that passed, in a vitest that ended well', () => {
    expect(judge(green, 0).failed).toBe(0)
    expect(judge({ ...green, failed: 2 }, 1).failed).toBe(2)
    expect(judge(green, 1).failed).toBe(1)
    expect(judge({ ...green, passed: 0 }, 0).failed).toBe(1)
    expect(judge(null, 0).failed).toBe(1)
  })
})

describe('a real run of vitest', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'cnm-tally-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const closing = (ci: string): ReadonlyArray<string> => {
    const file = join(folder, `tally-${ci}.json`)
    const config = 'test/scripts/fixtures/vitest.config.ts'
    const args = ['node_modules/vitest/vitest.mjs', 'run', '--config', config, '--reporter=./scripts/lib/reporter.mjs']
    const vitest = spawnSync(process.execPath, args, { cwd: ROOT, env: { ...process.env, CI: ci, CNM_TALLY: file } })
    return linesOf(judge(JSON.parse(readFileSync(file, 'utf8')), vitest.status ?? 1))
  }

  test('counts a failed hook and a file that cannot be loaded as failures, and says why tests were skipped', () => {
    expect(closing('')).toEqual([
      'skipped 1 test: it is Sunday',
      'skipped 1 test: a hook around it failed',
      'skipped 2 tests: needs a unicorn',
      '2 passed, 3 failed, 4 skipped',
    ])
  })

  test('in CI, counts a need that is not met as a failure', () => {
    expect(closing('true').at(-1)).toBe('2 passed, 4 failed, 2 skipped')
  })
})
