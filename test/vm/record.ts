// Tells stories to the kernel that runs, and prints what is to be recorded: a line of JSON for each file, [name, text].
// `npm run vm -- --record` writes it down. An argument is a pattern for the names.

import { THEMES } from './facts/all.ts'
import { linuxOf } from './facts/linux.ts'
import { type Told, tellStory, write } from './facts/told.ts'

const [, , pattern = ''] = process.argv
const kernel = linuxOf('record')
try {
  for (const [theme, stories] of Object.entries(THEMES)) {
    if (!new RegExp(pattern).test(theme)) continue
    const told: Told[] = []
    for (const story of stories) {
      process.stderr.write(`${theme}: ${story.title}\n`)
      told.push(await tellStory(kernel, story))
    }
    process.stdout.write(`${JSON.stringify([theme, write(told)])}\n`)
  }
} finally {
  await kernel.end()
}
