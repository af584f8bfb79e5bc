// What killed tests left behind is known by its name, and nothing else is.

import { describe, expect, test } from 'vitest'
import { labNames } from '../../src/kernel-linux/names.ts'
import { HOST } from '../../src/net/name.ts'
import { leftBehind, ownLab, ownNamespace, ownProject, strangersNamespace } from '../lib/own-names.ts'
import { labOf } from './labs.ts'

const NOBODY: ReadonlySet<number> = new Set()
const us = new Set([process.pid])

describe('a namespace of a test', () => {
  test.each([
    ['a lab', labNames(labOf(ownLab('networks')))(HOST) ?? ''],
    ['a lab of a run of its project', labNames(labOf(`${ownProject}-bcdfg`))(HOST) ?? ''],
    ['a plan of its project', `cnm-${ownProject}-web-1`],
    ['none', ownNamespace('nl-links')],
    ['a stranger, as it is played', strangersNamespace('theirs')],
  ])('of %s is left behind when its process is dead, and not before', (_, name) => {
    expect(leftBehind([name], us)).toEqual([])
    expect(leftBehind([name], NOBODY)).toEqual([name])
    expect(leftBehind([name], new Set([Math.floor(process.pid / 10), process.pid * 10 + 1]))).toEqual([name])
  })
})

test('only those of the dead are left behind', () => {
  const [dead, alive] = ['cnm-own.tests.pid17.kill-host', 'cnm-own.tests.pid170.kill-host']
  expect(leftBehind([dead, alive], new Set([1, 170]))).toEqual([dead])
})

test.each([
  'cnm-web',
  'cnm-shop.bcdfg-web',
  'cnm-kill.4711-host',
  'cnm-own-web',
  'cnm-own.tests-web',
  'cnm-own.tests.pid-web',
  'cnm-own.tests.pid0.x-host',
  'cnm-own.tests.pid4711x-web',
  'cnm-own.tests-pid4711.x-web',
  'cnm-my.own.tests.pid4711.x-web',
  'own.tests.pid4711.x-web',
  'ours-cnm-own.tests.pid4711.x-web',
])('%s is nothing of a test', (name) => {
  expect(leftBehind([name], NOBODY)).toEqual([])
})
