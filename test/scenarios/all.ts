// All scenarios, by what they are about.

import { BRIDGE } from './bridge.ts'
import { FIB } from './fib.ts'
import { NEIGHBOUR } from './neighbour.ts'
import { NETFILTER } from './netfilter.ts'
import { NFTABLES } from './nftables.ts'
import type { Scenario } from './scenario.ts'
import { IPVLAN, MACVLAN } from './stacked.ts'
import { TAP } from './tap.ts'
import { DUMMIES, FILTER, TAGGED } from './vlan.ts'
import { VXLAN } from './vxlan.ts'

export const SCENARIOS: ReadonlyArray<readonly [what: string, scenarios: ReadonlyArray<Scenario>]> = [
  ['bridge', BRIDGE],
  ['routes', FIB],
  ['neighbours', NEIGHBOUR],
  ['vxlan', VXLAN],
  ['VLANs of bridges', FILTER],
  ['802.1Q', TAGGED],
  ['dummies', DUMMIES],
  ['macvlan', MACVLAN],
  ['ipvlan', IPVLAN],
  ['taps', TAP],
  ['nftables', NFTABLES],
  ['netfilter', NETFILTER],
]
