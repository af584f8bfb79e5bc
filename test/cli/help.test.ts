// What the command says of itself, and how it dresses its words.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ROOT } from '../lib/source.ts'
import { cnm, example } from './cnm.ts'

const VERBS = ['run', 'down', 'trace', 'check', 'plan']
const COLOR = '\x1b['

describe('--help', () => {
  test('names every verb, teaches by examples and documents the exit statuses', async () => {
    const { exit, out, err } = await cnm(['--help'])
    expect([exit, err]).toEqual([0, ''])
    for (const verb of VERBS) expect(out).toMatch(new RegExp(`^  ${verb} `, 'm'))
    expect(out).toContain('cnm run examples/two-tier/compose.yaml')
    expect(out).toContain('Exit status: 0')
  })

  test.each(VERBS)('of %s says what it is for and shows examples', async (verb) => {
    const { exit, out, err } = await cnm([verb, '--help'])
    expect([exit, err]).toEqual([0, ''])
    expect(out.startsWith(`Usage: cnm ${verb} `)).toBe(true)
    expect(out).toMatch(new RegExp(`Examples:\n(.*\n)*.*cnm ${verb} `))
    expect(out).toContain('Exit status: 0')
  })

  test('loads no verb: what it needs is small', async () => {
    await cnm(['--version'])
    const dist = join(ROOT, 'dist')
    const seen = new Set<string>()
    const load = (file: string): number => {
      if (seen.has(file)) return 0
      seen.add(file)
      const text = readFileSync(join(dist, file), 'utf8')
      const inner = [...text.matchAll(/^(?:import|\} from) ?[^;(]*?"(\.[^"]+)";$/gm)].map(([, path = '']) =>
        join(file, '..', path),
      )
      return inner.reduce((sum, path) => sum + load(path), text.length)
    }
    expect(load('cnm.js')).toBeLessThan(200_000)
  })
})

test('--version prints the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  expect((await cnm(['--version'])).out).toBe(`${version}\n`)
})

describe('colour', () => {
  test.each([
    ['is left out of a pipe', {}, false],
    ['is left out with NO_COLOR, whatever else is set', { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
    ['is left out in CI', { CI: 'true' }, false],
    ['is there when forced', { FORCE_COLOR: '1' }, true],
  ])('%s', async (_, env, colored) => {
    const { out } = await cnm(['check', example('mistake')], { env })
    expect(out.includes(COLOR)).toBe(colored)
  })
})
