// When the scripts install and build again, and when they leave things as they are.

import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fingerprint, firstMissing, modulesProblem } from '../../scripts/lib/stale.mjs'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cnm-stale-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const write = (path: string, text: string): void => {
  mkdirSync(join(root, path, '..'), { recursive: true })
  writeFileSync(join(root, path), text)
}

describe('node_modules', () => {
  const locked = {
    '': { version: '1.0.0' },
    'node_modules/a': { version: '2.0.0', integrity: 'sha512-aa' },
    'node_modules/other-platform': { version: '1.0.0', integrity: 'sha512-oo', optional: true },
  }

  test.for([
    ['as locked, without the packages of other platforms', { 'node_modules/a': locked['node_modules/a'] }, null],
    ['empty', {}, 'node_modules/a'],
    ['with another version', { 'node_modules/a': { version: '1.9.0', integrity: 'sha512-aa' } }, 'node_modules/a'],
    ['with other contents', { 'node_modules/a': { version: '2.0.0', integrity: 'sha512-bb' } }, 'node_modules/a'],
  ] as const)('%s', ([, installed, missing]) => {
    expect(firstMissing(locked, installed)).toBe(missing)
  })

  test('that npm never finished counts as missing', () => {
    write('package-lock.json', JSON.stringify({ packages: locked }))
    write('node_modules/a/package.json', '{}')
    expect(modulesProblem(root)).toBe('node_modules is missing')
  })

  test('stays fresh when a checkout gives the lock another time', () => {
    write('package-lock.json', JSON.stringify({ packages: locked }))
    write('node_modules/.package-lock.json', JSON.stringify({ packages: locked }))
    utimesSync(join(root, 'package-lock.json'), Date.now() / 1000 + 60, Date.now() / 1000 + 60)
    expect(modulesProblem(root)).toBeNull()
  })
})

describe('the fingerprint of inputs', () => {
  const now = (): string => fingerprint(root, ['src', 'package.json', 'absent.json'])
  beforeEach(() => {
    write('src/a.ts', 'a')
    write('src/deep/b.ts', 'b')
    write('package.json', '{}')
  })

  test('stays the same while nothing changes', () => {
    expect(now()).toBe(now())
  })

  test.for([
    ['an edited file', () => write('src/deep/b.ts', 'bb')],
    ['a new file', () => write('src/deep/c.ts', 'c')],
    ['a removed file', () => rmSync(join(root, 'src/deep/b.ts'))],
    ['a file set back to an older one of the same size', () => utimesSync(join(root, 'src/a.ts'), 1, 1)],
    ['an input beside the folder', () => write('package.json', '{ }')],
  ] as const)('changes with %s', ([, change]) => {
    const before = now()
    change()
    expect(now()).not.toBe(before)
  })
})
