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

type Need = readonly [what: string, info: LinkInfo, below: boolean]
const LINK_VLAN: Need = ['802.1Q', { kind: 'vlan', options: { id: 5 } }, true]
const LINK_IPVLAN: Need = ['ipvlan', { kind: 'ipvlan', options: {} }, true]
const FILTER: Need = ['VLAN filtering', { kind: 'bridge', options: { vlanFiltering: true } }, false]
const NEEDS: Readonly<Record<Theme, Need>> = {
  dummy: ['dummy', { kind: 'dummy' }, false],
  vlan: LINK_VLAN,
  ipvlan: LINK_IPVLAN,
  filtering: FILTER,
  'vlan-packets': LINK_VLAN,
  'ipvlan-packets': LINK_IPVLAN,
  'filtering-packets': FILTER,
  'macvlan-packets': ['macvlan', { kind: 'macvlan', options: {} }, true],
}
for (const [theme] of ALL) (await needsKind(...NEEDS[theme]))(`Linux tells of ${theme}`, () => tellsAgain(linux, theme))

for (const [theme] of ALL)
  describe(`the simulated kernel tells of ${theme}`, () => tellsAgain(simulated({ major: 6, minor: 1 }), theme))
