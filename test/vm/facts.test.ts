// The stories of facts/, told to the simulated kernel, and those of stacks to the one that runs: both tell what Debian's kernel told.
// Those of packets, which take their time, are told to the one that runs in packets.test.ts.

import { afterAll, describe, expect, test } from 'vitest'
import { needsKind } from '../kernel-linux/netlink/lab.ts'
import { NEEDS, THEMES_OF_PACKETS, THEMES_OF_STACKS, tellsAgain } from './again.ts'
import { THEMES } from './facts/all.ts'
import { linuxOf } from './facts/linux.ts'
import { recorded, textOf } from './facts/recorded.ts'
import { simulated } from './facts/simulated.ts'
import { write } from './facts/told.ts'

const ALL = [...THEMES_OF_STACKS, ...THEMES_OF_PACKETS]

describe('what is recorded', () => {
  test.each(ALL)('of %s is of the stories that there are, and is read as it was written', (theme) => {
    const told = recorded(theme)
    expect(told.map(({ title }) => title)).toEqual(THEMES[theme].map(({ title }) => title))
    expect(write(told)).toBe(textOf(theme))
  })
})

const linux = linuxOf('facts')
afterAll(() => linux.end())
for (const theme of THEMES_OF_STACKS)
  (await needsKind(...NEEDS[theme]))(`Linux tells of ${theme}`, () => tellsAgain(linux, theme))

const DEBIAN = { major: 6, minor: 1 }
describe.each(ALL)('the simulated kernel tells of %s', (theme) => tellsAgain(simulated(DEBIAN), theme))
