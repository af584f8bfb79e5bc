// A vitest reporter that leaves the tally of the run in the file CNM_TALLY. The closing line is printed by whoever started
// vitest, after vitest has ended: other reporters, and vitest itself, may write after this one.

import { writeFileSync } from 'node:fs'
import { tallyOf } from './tally.mjs'

/** @returns {import('vitest/node').Reporter} */
export default function tallyReporter() {
  return {
    onTestRunEnd: (modules, errors) => {
      const file = process.env['CNM_TALLY']
      if (file !== undefined) writeFileSync(file, JSON.stringify(tallyOf(modules, errors.length)))
    },
  }
}
