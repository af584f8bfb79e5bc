// The forms of requests that a kernel may lack a part for: dummies, 802.1Q links, ipvlans and the VLANs of bridges. `npm run vm` tries
// them on a kernel that has all of these.

import { afterAll } from 'vitest'
import type { LinkInfo } from '../../../src/kernel-linux/netlink/codec/kinds.ts'
import { gate } from '../../lib/need.ts'
import { needsKind } from '../netlink/lab.ts'
import type { Case, Group } from './case.ts'
import { DUMMIES, IPVLANS, VLAN_LINKS } from './link-cases.ts'
import { vlans as VLANS } from './port-cases.ts'
import { sidesOf, tryAll } from './trial.ts'
import { WORLD } from './world.ts'

const SIDES = sidesOf('lacked')

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

gate(() => filtering, false)('VLANs of a bridge', () => tryAll(SIDES, VLANS))

const KINDS: ReadonlyArray<readonly [what: string, group: Group, info: LinkInfo]> = [
  ['dummy', DUMMIES, { kind: 'dummy' }],
  ['802.1Q', VLAN_LINKS, { kind: 'vlan', options: { id: 5 } }],
  ['ipvlan', IPVLANS, { kind: 'ipvlan', options: {} }],
]
for (const [what, group, info] of KINDS)
  (await needsKind(what, info, what !== 'dummy'))(what, () => tryAll(SIDES, group))
