// What `npm run mutants` reads: where a patch belongs, how long a counterexample is, what a run of vitest means.

import { describe, expect, test } from 'vitest'
import { counterexampleLength, outcomeOf, placeOf } from '../../scripts/lib/mutants.mjs'

describe('the place of a mutant', () => {
  const files = [
    { path: 'a.ts', text: 'one two' },
    { path: 'b.ts', text: 'two three' },
  ]
  const place = (find: string) => placeOf({ under: 'src', find }, files)

  test('is the file that has its text', () => {
    expect(place('three')).toEqual({ path: 'b.ts' })
  })
  test.each([
    ['four', 'not there'],
    ['two', 'there 2 times'],
  ])('is not known where %s is %s', (find, found) => {
    expect(place(find)).toEqual({ disarmed: `its text is ${found} in src: "${find}"` })
  })
})

describe('the length of a counterexample', () => {
  test.each([
    ['[[{"a":[1,2,3]},{"b":"]"}],7]', 2],
    ['[[],0]', 1],
    ['[3,"[1,2,3,4]"]', 1],
    ['[[1,"\\",[",3,4]]', 4],
    ['[[1,2],schedulerFor()`\n-> [task 1] "[1,2,3]\n`]', 2],
  ])('%s', (text, length) => {
    expect(counterexampleLength(`Property failed after 3 tests\nCounterexample: ${text}\nShrunk 2 time(s)`)).toBe(
      length,
    )
  })
  test('is not known of another failure', () => {
    expect(counterexampleLength('expected 1 to be 2')).toBeNull()
  })
})

describe('a run', () => {
  const report = (...told: ReadonlyArray<readonly [string, string]>) => ({
    testResults: [
      {
        assertionResults: told.map(([fullName, status]) => ({
          fullName,
          status,
          failureMessages: ['Counterexample: [1]'],
        })),
      },
    ],
  })

  test('in which the property fails has found the mutant', () => {
    expect(outcomeOf(report(['a law holds', 'failed']), 'law')).toEqual({
      tag: 'found',
      title: 'a law holds',
      length: 1,
    })
  })
  test('in which it passes has not, whatever else fails', () => {
    expect(outcomeOf(report(['a law holds', 'passed'], ['another', 'failed']), 'law')).toEqual({ tag: 'survived' })
  })
  test('in which it does not take part says nothing', () => {
    expect(outcomeOf(report(['a law holds', 'skipped']), 'law').tag).toBe('broken')
    expect(outcomeOf(null, 'law').tag).toBe('broken')
    expect(outcomeOf({ testResults: [{ message: 'no such file', assertionResults: [] }] }, 'law').tag).toBe('broken')
  })
})
