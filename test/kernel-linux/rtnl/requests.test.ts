// Every form of every request, through rtnetlink and through the tools. What a kernel may lack is in lacked.test.ts.

import { afterAll, describe, expect, test } from 'vitest'
import { needs } from '../../lib/need.ts'
import { GROUPS } from './cases.ts'
import { sidesOf, titleOf, tryAll } from './trial.ts'

const SIDES = sidesOf('cases')

afterAll(async () => {
  for (const side of SIDES) await side.clear()
})

needs.kernel('requests by rtnetlink and by the tools', () => {
  for (const group of GROUPS) tryAll(SIDES, group)
})

describe('the table of requests', () => {
  test('has no case twice, and both outcomes of each group', () => {
    for (const { cases } of GROUPS) {
      const titles = cases.map(titleOf)
      expect(new Set(titles).size).toBe(titles.length)
      expect(cases.some(({ errno }) => errno === null)).toBe(true)
      expect(cases.some(({ errno }) => errno !== null)).toBe(true)
    }
  })
})
