// The scenarios that need a part which a kernel may lack: dummies, 802.1Q links, ipvlans and the VLANs of bridges. `npm run vm` runs them
// on a kernel that has all of these.

import type { LinkInfo } from '../../src/kernel-linux/netlink/codec/kinds.ts'
import { missingKind } from '../kernel-linux/netlink/lab.ts'
import { gate } from '../lib/need.ts'
import { SCENARIOS } from './all.ts'
import { onLinux } from './on-linux.ts'
import type { Need } from './scenario.ts'

const PARTS: Readonly<Record<Need, readonly [what: string, info: LinkInfo, below: boolean]>> = {
  vlan: ['802.1Q', { kind: 'vlan', options: { id: 5 } }, true],
  'vlan-filtering': ['VLAN filtering', { kind: 'bridge', options: { vlanFiltering: true } }, false],
  ipvlan: ['ipvlan', { kind: 'ipvlan', options: {} }, true],
  dummy: ['dummy', { kind: 'dummy' }, false],
}

const missing = new Map<Need, string | null>()
// Casts: the keys of PARTS.
for (const need of Object.keys(PARTS) as ReadonlyArray<Need>) missing.set(need, await missingKind(...PARTS[need]))

for (const [what, scenarios] of SCENARIOS)
  for (const needs of new Set(
    scenarios.map(({ needs: parts = [] }) => parts.join(' ')).filter((text) => text !== ''),
  )) {
    const those = scenarios.filter(({ needs: parts = [] }) => parts.join(' ') === needs)
    const why = those[0]?.needs?.map((need) => missing.get(need) ?? null).find((one) => one !== null) ?? null
    gate(() => why, false)(`${what} on a kernel with ${needs}`, () => onLinux(`${what} ${needs}`, those))
  }
