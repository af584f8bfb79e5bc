// How Linux answers where the simulation once did otherwise (test/lockstep/requests/found.ts); what the stacks hold then is compared
// with Linux itself in test/lockstep/requests.test.ts.

import { expect, test } from 'vitest'
import { FOUND } from '../../lockstep/requests/found.ts'
import { last } from './story.ts'

test.each(FOUND)('$says', ({ asks, errno }) => {
  expect(last(...asks)).toBe(errno)
})
