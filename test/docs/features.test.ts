// docs/drivers/features.md: no row without a test or a reason, and every test that is named is there.

import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const ROOT = new URL('../..', import.meta.url).pathname
const PAGE = readFileSync(`${ROOT}docs/drivers/features.md`, 'utf8')

/** The files by their short names, as the page's head has them. */
const FILES: Readonly<Record<string, string>> = Object.fromEntries([
  ...[...PAGE.matchAll(/\*\*([a-z-]+)\*\* `([^`]+)`/g)].map(([, name = '', path = '']) => [name, path]),
  ...['reach', 'joins'].map((name) => [name, `properties/${name}.properties.ts`]),
])

const ROWS = PAGE.split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| rule ') && !/^\| option( or rule)? \|/.test(line))
  .map((line) => line.slice(2, -2).split(' | '))

const textOf = (name: string): string | null => {
  const path = FILES[name]
  return path === undefined || !existsSync(`${ROOT}${path}`) ? null : readFileSync(`${ROOT}${path}`, 'utf8')
}

/** What is wrong with a row; empty where it names tests that are there, or says why there is none. */
const wrongs = (tests: string): ReadonlyArray<string> => {
  if (/^none: .{10}/.test(tests)) return []
  return tests.split('; ').flatMap((one) => {
    const [, name = '', words = ''] = /^([a-z-]+): (.+)$/.exec(one) ?? []
    const text = textOf(name)
    if (text === null) return [`${one}: there is no such file`]
    return text.replaceAll('’', "'").includes(words.replaceAll('’', "'")) ? [] : [`${one}: there is no such test`]
  })
}

test('there are rows', () => {
  expect(ROWS.length).toBeGreaterThan(60)
})

test.each(ROWS)('%s', (_, tests = '') => {
  expect(wrongs(tests)).toEqual([])
})
