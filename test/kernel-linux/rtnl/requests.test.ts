// Every form of every request, through rtnetlink and through the tools: the same answer, which is the one in the table, the same
// stack afterwards, and in it what was asked for.

import { afterAll, describe, expect, test } from 'vitest'
import type { Request } from '../../../src/kernel/rtnl/request.ts'
import { commandOf } from '../../../src/kernel/rtnl/words.ts'
import type { LinkInfo } from '../../../src/kernel-linux/netlink/codec/kinds.ts'
import { gate, needs } from '../../lib/need.ts'
import { needsKind } from '../netlink/lab.ts'
import type { Case, Group } from './case.ts'
import { GROUPS } from './cases.ts'
import { DUMMIES, IPVLANS, VLAN_LINKS } from './link-cases.ts'
import { vlans as VLANS } from './port-cases.ts'
import { shows } from './shows.ts'
import { buildWorld, H, type Side, settled, sideOf, WORLD } from './world.ts'

const SIDES: readonly [Side, Side] = [sideOf('cases', 'netlink'), sideOf('cases', 'iproute2')]

const textOf = (request: Request): string => commandOf(request, (ns) => ns).text
const titleOf = ({ ns, ask, errno, before }: Case): string => {
  const after = before.map((one) => `${textOf({ ns: H, ask: one })}; `).join('')
  return `${after}${ns === H ? '' : `${ns}: `}${textOf({ ns, ask })}: ${errno ?? 'done'}`
}

const tried = async ({ ns, ask, errno, before }: Case): Promise<void> => {
  const answers: Array<string | null> = []
  for (const side of SIDES) {
    await buildWorld(side)
    await side.build(before.map((one): Request => ({ ns: H, ask: one })))
    answers.push(await side.answer({ ns, ask }))
  }
  expect(answers).toEqual([errno, errno])
  const [one, other] = await settled(SIDES)
  expect(one).toEqual(other)
  if (errno === null) expect(shows(await SIDES[0].stacks(), ns, ask), 'the stack shows it').toBe(true)
}

const groupOf = ({ what, cases }: Group): void => {
  test.each(cases.map((one) => [`${what}: ${titleOf(one)}`, one] as const))('%s', (_, one) => tried(one))
}

/** A kernel without a part of the vocabulary says so in the summary, in CI too: no machine of ours has them all. */
const lacks = async (what: string, of: Case): Promise<string | null> => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'root on Linux'
  const [side] = SIDES
  await side.clear()
  await side.build(WORLD)
  const errno = await side.answer(of)
  await side.clear()
  return errno === null ? null : `a kernel with ${what} (${errno})`
}

const first = ({ cases: [one] }: Group): Case => {
  if (one === undefined) throw new Error('no case')
  return one
}
const filtering = await lacks('VLAN filtering', first(VLANS))

afterAll(async () => {
  for (const side of SIDES) await side.clear()
})

needs.kernel('requests by rtnetlink and by the tools', () => {
  for (const group of GROUPS) groupOf(group)
})

gate(() => filtering, false)('VLANs of a bridge', () => groupOf(VLANS))

const KINDS: ReadonlyArray<readonly [what: string, group: Group, info: LinkInfo]> = [
  ['dummy', DUMMIES, { kind: 'dummy' }],
  ['802.1Q', VLAN_LINKS, { kind: 'vlan', options: { id: 5 } }],
  ['ipvlan', IPVLANS, { kind: 'ipvlan', options: {} }],
]
for (const [what, group, info] of KINDS) (await needsKind(what, info, what !== 'dummy'))(what, () => groupOf(group))

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
