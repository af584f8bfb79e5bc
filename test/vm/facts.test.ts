// The stories of facts/, told to the kernel that runs and to the simulated one: both tell what Debian's kernel told.

import { afterAll, describe, expect, test } from 'vitest'
import type { LinkInfo } from '../../src/kernel-linux/netlink/codec/kinds.ts'
import { needsKind } from '../kernel-linux/netlink/lab.ts'
import { THEMES, type Theme } from './facts/all.ts'
import { linuxOf } from './facts/linux.ts'
import { recorded, textOf } from './facts/recorded.ts'
import { simulated } from './facts/simulated.ts'
import { factsOf, type Kernel, tellStory, write } from './facts/told.ts'

const ALL = Object.entries(THEMES).map(
  ([theme, stories]) =>
    [
      // The keys of THEMES, which Object.entries forgets.
      theme as Theme,
      stories,
    ] as const,
)

describe('what is recorded', () => {
  test.each(ALL)('of %s is of the stories that there are, and is read as it was written', (theme, stories) => {
    const told = recorded(theme)
    expect(told.map(({ title }) => title)).toEqual(stories.map(({ title }) => title))
    expect(write(told)).toBe(textOf(theme))
  })
})

const tellsAgain = (kernel: Kernel, theme: Theme, titles: ReadonlyArray<string> | null = null): void => {
  const told = recorded(theme)
  const stories = THEMES[theme].map((story, i) => [story.title, story, told[i]] as const)
  const chosen = stories.filter(([title]) => titles === null || titles.includes(title))
  test.each(chosen)('%s', async (_, story, wanted) => {
    if (wanted === undefined) throw new Error('not recorded')
    expect(factsOf(await tellStory(kernel, story, wanted))).toEqual(factsOf(wanted))
  })
}

const linux = linuxOf('facts')
afterAll(() => linux.end())

const NEEDS: Readonly<Record<Theme, readonly [what: string, info: LinkInfo, below: boolean]>> = {
  dummy: ['dummy', { kind: 'dummy' }, false],
  vlan: ['802.1Q', { kind: 'vlan', options: { id: 5 } }, true],
  ipvlan: ['ipvlan', { kind: 'ipvlan', options: {} }, true],
  filtering: ['VLAN filtering', { kind: 'bridge', options: { vlanFiltering: true } }, false],
}
for (const [theme] of ALL) (await needsKind(...NEEDS[theme]))(`Linux tells of ${theme}`, () => tellsAgain(linux, theme))

/** The stories that the simulated kernel has all parts for; null: all of a theme. */
const SIMULATED: ReadonlyArray<readonly [Theme, ReadonlyArray<string> | null]> = [
  ['dummy', ['a new dummy', 'a dummy that is changed']],
]
describe.each(SIMULATED)('the simulated kernel tells of %s', (theme, titles) => tellsAgain(simulated(), theme, titles))
