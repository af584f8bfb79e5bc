// .ci/run believes only a green closing line in the last place, from a run that also ended well. Here `node` and `npm` are
// stand-ins, so that each way a run can end is tried.

import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ROOT } from '../lib/source.ts'

let bin = ''
beforeEach(() => {
  bin = mkdtempSync(join(tmpdir(), 'cnm-ci-'))
})
afterEach(() => rmSync(bin, { recursive: true, force: true }))

const program = (name: string, text: string): void => {
  writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`)
  chmodSync(join(bin, name), 0o755)
}

const ci = (npm: string, node = 'exit 0'): Readonly<{ green: boolean; last: string | undefined }> => {
  program('npm', npm)
  program('node', node)
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` }
  const { status, stdout } = spawnSync(join(ROOT, '.ci/run'), { env, encoding: 'utf8' })
  return { green: status === 0, last: stdout.trimEnd().split('\n').at(-1) }
}

test('a green run ends with its closing line', () => {
  expect(ci('echo 12 passed, 0 failed')).toEqual({ green: true, last: '12 passed, 0 failed' })
  expect(ci('echo 12 passed, 0 failed, 3 skipped')).toEqual({ green: true, last: '12 passed, 0 failed' })
})

test.for([
  ['tests that fail', 'echo 12 passed, 1 failed; exit 1'],
  ['a failure that npm forgets', 'echo 12 passed, 1 failed'],
  ['a green line from a run that failed', 'echo 12 passed, 0 failed; exit 1'],
  ['no test', 'echo 0 passed, 0 failed'],
  ['no line', 'exit 0'],
  ['something after the line', 'echo 12 passed, 0 failed; echo and a word more'],
] as const)('%s is red', ([, npm]) => {
  expect(ci(npm).green).toBe(false)
})

test('a check that fails is red before any test', () => {
  expect(ci('echo 12 passed, 0 failed', 'case $1 in *check*) echo check: failed; exit 1;; esac')).toEqual({
    green: false,
    last: 'check: failed',
  })
})
