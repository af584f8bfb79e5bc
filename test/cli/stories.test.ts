// The examples as stories: what a newcomer sees, word for word, in test/stories/<example>/. After a change that is meant,
// `npx vitest run test/cli/stories.test.ts -u` writes them anew; read the difference before you commit it.

import { describe, expect, test } from 'vitest'
import { ROOT } from '../lib/source.ts'
import { cnm, EXAMPLES, example } from './cnm.ts'

const TRACES: Readonly<Record<(typeof EXAMPLES)[number], ReadonlyArray<readonly [string, string]>>> = {
  'two-tier': [
    ['web', 'db'],
    ['host', 'web:8080'],
  ],
  internal: [
    ['db', 'internet'],
    ['backup', 'internet'],
  ],
  'published-ports': [
    ['internet', 'web:8080'],
    ['internet', 'admin:9000'],
  ],
  mistake: [['shop', 'db:5432']],
}

const told = async (args: ReadonlyArray<string>): Promise<string> => {
  const { exit, out, err } = await cnm(args)
  return `$ cnm ${args.join(' ')}\n${out}${err}[exit ${exit}]\n`
}

describe.each(EXAMPLES)('the example %s', (name) => {
  const story = (file: string): string => `${ROOT}test/stories/${name}/${file}`

  test('runs', async () => {
    await expect(await told(['run', example(name)])).toMatchFileSnapshot(story('run.txt'))
  })

  test('is checked', async () => {
    await expect(await told(['check', example(name)])).toMatchFileSnapshot(story('check.txt'))
  })

  test.each(TRACES[name])('tells the journey from %s to %s', async (from, to) => {
    const file = `trace-${from}-${to.replace(':', '-')}.txt`
    await expect(await told(['trace', example(name), from, to])).toMatchFileSnapshot(story(file))
  })
})

test('two-tier becomes a plan', async () => {
  const { exit, out, err } = await cnm(['plan', example('two-tier')])
  expect([exit, err]).toEqual([0, ''])
  await expect(out).toMatchFileSnapshot(`${ROOT}test/stories/two-tier/plan.sh`)
})

test('the mistake is found, and only there', async () => {
  const exits = await Promise.all(EXAMPLES.map(async (name) => (await cnm(['check', example(name)])).exit))
  expect(exits).toEqual([0, 0, 0, 1])
})
