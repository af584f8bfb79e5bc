// The build, on a small project of its own: what is stale is built, what is fresh is left, and builds at once do not clash.

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ensureBuilt, isBuilt } from '../../scripts/lib/build.mjs'

let root = ''
const write = (path: string, text: string): void => {
  mkdirSync(join(root, path, '..'), { recursive: true })
  writeFileSync(join(root, path), text)
}
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cnm-build-'))
  write('package.json', '{ "type": "module" }')
  write('src/cli/main.ts', `const { word } = await import('../word.ts')\nconsole.log(word)\n`)
  write('src/kernel-linux/agent.ts', `import { word } from '../word.ts'\nconsole.log('agent', word)\n`)
  write('src/word.ts', `export const word: string = 'one'\n`)
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const output = (name: string): string =>
  execFileSync(process.execPath, [join(root, 'dist', name)], { encoding: 'utf8' })

test('both programs run, and share a chunk that is loaded when it is needed', async () => {
  expect(await ensureBuilt({ root })).toBe(true)
  expect(output('cnm.js')).toBe('one\n')
  expect(output('agent.js')).toBe('agent one\n')
  expect(readFileSync(join(root, 'dist/cnm.js'), 'utf8')).not.toContain('"one"')
})

test('a fresh dist is left alone, an edit builds it again', async () => {
  await ensureBuilt({ root })
  expect(await ensureBuilt({ root })).toBe(false)
  write('src/word.ts', `export const word: string = 'other'\n`)
  expect(isBuilt(root)).toBe(false)
  expect(await ensureBuilt({ root })).toBe(true)
  expect(output('cnm.js')).toBe('other\n')
})

test('a chunk of an earlier build stays for those who run it, until a clean build', async () => {
  const chunks = (): ReadonlyArray<string> =>
    readdirSync(join(root, 'dist/chunks')).filter((name) => name.endsWith('.js'))
  await ensureBuilt({ root })
  const before = chunks()
  write('src/word.ts', `export const word: string = 'other'\n`)
  await ensureBuilt({ root })
  expect(chunks()).toEqual(expect.arrayContaining([...before]))
  await ensureBuilt({ root, clean: true })
  expect(chunks().filter((name) => before.includes(name))).toEqual([])
})

test('builds at the same time end with one that works, and leave nothing beside it', async () => {
  await Promise.all(Array.from({ length: 4 }, () => ensureBuilt({ root })))
  expect(output('cnm.js')).toBe('one\n')
  expect(isBuilt(root)).toBe(true)
  expect(readdirSync(join(root, 'dist')).sort()).toEqual(
    ['.stamp', 'agent.js', 'agent.js.map', 'chunks', 'cnm.js', 'cnm.js.map'].sort(),
  )
})

test('a missing entry is named, and dist stays as it was', async () => {
  await ensureBuilt({ root })
  const before = statSync(join(root, 'dist/cnm.js')).mtimeMs
  rmSync(join(root, 'src/cli/main.ts'))
  await expect(ensureBuilt({ root })).rejects.toThrow('src/cli/main.ts not found')
  expect(statSync(join(root, 'dist/cnm.js')).mtimeMs).toBe(before)
})

test('an error in the source stops the build, and dist stays as it was', async () => {
  await ensureBuilt({ root })
  write('src/word.ts', 'export const word = ')
  await expect(ensureBuilt({ root })).rejects.toThrow('the build failed')
  expect(output('cnm.js')).toBe('one\n')
})
