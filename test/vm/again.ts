// Tests that a kernel tells again what is recorded.

import { expect, test } from 'vitest'
import type { LinkInfo } from '../../src/kernel-linux/netlink/codec/kinds.ts'
import { THEMES, type Theme } from './facts/all.ts'
import { recorded } from './facts/recorded.ts'
import { factsOf, type Kernel, tellStory } from './facts/told.ts'

export const tellsAgain = (kernel: Kernel, theme: Theme): void => {
  const told = recorded(theme)
  test.each(THEMES[theme].map((story, i) => [story.title, story, told[i]] as const))('%s', async (_, story, wanted) => {
    if (wanted === undefined) throw new Error('not recorded')
    expect(factsOf(await tellStory(kernel, story, wanted))).toEqual(factsOf(wanted))
  })
}

// Cast: the keys of THEMES, which Object.keys forgets.
const ALL = Object.keys(THEMES) as ReadonlyArray<Theme>
const isOfPackets = (theme: Theme): boolean => theme.endsWith('-packets')
export const THEMES_OF_STACKS = ALL.filter((theme) => !isOfPackets(theme))
export const THEMES_OF_PACKETS = ALL.filter(isOfPackets)

type Need = readonly [what: string, info: LinkInfo, below: boolean]
const VLAN: Need = ['802.1Q', { kind: 'vlan', options: { id: 5 } }, true]
const IPVLAN: Need = ['ipvlan', { kind: 'ipvlan', options: {} }, true]
const FILTERING: Need = ['VLAN filtering', { kind: 'bridge', options: { vlanFiltering: true } }, false]

/** What a kernel must have to tell of a theme. */
export const NEEDS: Readonly<Record<Theme, Need>> = {
  dummy: ['dummy', { kind: 'dummy' }, false],
  vlan: VLAN,
  ipvlan: IPVLAN,
  filtering: FILTERING,
  'vlan-packets': VLAN,
  'ipvlan-packets': IPVLAN,
  'filtering-packets': FILTERING,
  'macvlan-packets': ['macvlan', { kind: 'macvlan', options: {} }, true],
}
