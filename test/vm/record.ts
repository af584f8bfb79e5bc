// Tells stories to the kernel that runs, and prints what is to be recorded: a line of JSON for each file, [name, text].
// `npm run vm -- --record` writes it down. An argument is a pattern for `theme: title`; the others of a file stay as they are.

import { THEMES, type Theme } from './facts/all.ts'
import { linuxOf } from './facts/linux.ts'
import { isRecorded, recorded } from './facts/recorded.ts'
import { type Told, tellStory, write } from './facts/told.ts'

const [, , pattern = ''] = process.argv
const kernel = linuxOf('record')
try {
  // Cast: the keys of THEMES, which Object.keys forgets.
  for (const theme of Object.keys(THEMES) as ReadonlyArray<Theme>) {
    const isMeant = ({ title }: Readonly<{ title: string }>) => new RegExp(pattern).test(`${theme}: ${title}`)
    if (!THEMES[theme].some(isMeant)) continue
    const before = isRecorded(theme) ? recorded(theme) : []
    const told: Told[] = []
    for (const story of THEMES[theme]) {
      const kept = isMeant(story) ? undefined : before.find(({ title }) => title === story.title)
      if (kept === undefined) process.stderr.write(`${theme}: ${story.title}\n`)
      told.push(kept ?? (await tellStory(kernel, story)))
    }
    process.stdout.write(`${JSON.stringify([theme, write(told)])}\n`)
  }
} finally {
  await kernel.end()
}
