// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of Compose look like that.

import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { explainCompose } from '../../src/compose/error.ts'
import { loadProject } from '../../src/compose/load.ts'
import { E } from '../../src/prelude.ts'

let directory = ''
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cnm-Load-'))
})
afterEach(() => rm(directory, { recursive: true }))

const write = async (name: string, content: string | Uint8Array): Promise<string> => {
  const path = join(directory, name)
  await writeFile(path, content)
  return path
}
const load = (...paths: string[]) => loadProject(paths, { env: {}, profiles: [] })()
const refusals = async (...paths: string[]): Promise<ReadonlyArray<string>> => {
  const result = await load(...paths)
  return E.isLeft(result) ? result.left.map((error) => explainCompose(error).replaceAll(`${directory}/`, '')) : []
}

test('reads files in order, with the .env beside the first', async () => {
  await write('.env', 'NAME=from-env\n')
  const base = await write('a.yaml', 'services: {a: {hostname: "${NAME}"}}')
  const over = await write('b.yaml', 'services: {b: {}}')
  const result = await load(base, over)
  expect(result).toMatchObject({ right: { containers: [{ hostname: 'from-env' }, { name: 'b' }] } })
  expect(E.isRight(result) && result.right.name).toMatch(/^cnm-load-[a-z0-9]+$/)
})

test('what cannot be read is told, all of it', async () => {
  const good = await write('a.yaml', 'services: {a: {}}')
  expect(await refusals(good, join(directory, 'none.yaml'), directory)).toEqual([
    'none.yaml:1:1: no such file',
    `${directory}:1:1: this is a directory, not a Compose file`,
  ])
})

test('a file that is too big is not read', async () => {
  const path = await write('big.yaml', '')
  await truncate(path, 10 * 2 ** 30)
  expect(await refusals(path)).toEqual([
    'big.yaml:1:1: the file has 10737418240 bytes; a Compose file may have 1048576',
  ])
})

test('an endless device is given up', async () => {
  expect((await refusals('/dev/zero'))[0]).toMatch(/^\/dev\/zero:1:1: the file has \d+ bytes; a Compose file may have/)
})

test('other encodings than UTF-8 are refused, a byte order mark is not', async () => {
  expect(await refusals(await write('utf16.yaml', Buffer.from('\ufeffservices: {}', 'utf16le')))).toEqual([
    'utf16.yaml:1:1: this is not a text file: it is not UTF-8',
  ])
  expect(await refusals(await write('bom.yaml', '\ufeffservices: {a: {}}'))).toEqual([])
})

test('a mistake in .env has its place there', async () => {
  await write('.env', 'A=1\n-\n')
  expect(await refusals(await write('a.yaml', 'services: {a: {}}'))).toEqual(['.env:2:1: this line: is not NAME=value'])
})

test('another file of variables may be named, and must then exist', async () => {
  const path = await write('a.yaml', 'services: {a: {hostname: "${NAME}"}}')
  const envFile = await write('prod.env', 'NAME=prod\n')
  const options = { env: {}, profiles: [] }
  expect(await loadProject([path], { ...options, envFile })()).toMatchObject({
    right: { containers: [{ hostname: 'prod' }] },
  })
  expect(await loadProject([path], { ...options, envFile: `${envFile}x` })()).toMatchObject({
    left: [{ tag: 'CannotRead', code: 'ENOENT', at: { file: `${envFile}x` } }],
  })
})
