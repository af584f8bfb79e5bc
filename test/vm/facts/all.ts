// The stories, by the names of the files that they are recorded in.

import { DUMMY } from './dummy.ts'
import { FILTERING } from './filtering.ts'
import { FILTERING_PACKETS } from './filtering-packets.ts'
import { IPVLAN } from './ipvlan.ts'
import { IPVLAN_PACKETS } from './ipvlan-packets.ts'
import { MACVLAN_PACKETS } from './macvlan-packets.ts'
import type { Story } from './story.ts'
import { VLAN } from './vlan.ts'
import { VLAN_PACKETS } from './vlan-packets.ts'

export type Theme =
  | 'vlan'
  | 'ipvlan'
  | 'dummy'
  | 'filtering'
  | 'vlan-packets'
  | 'ipvlan-packets'
  | 'filtering-packets'
  | 'macvlan-packets'

export const THEMES: Readonly<Record<Theme, ReadonlyArray<Story>>> = {
  vlan: VLAN,
  ipvlan: IPVLAN,
  dummy: DUMMY,
  filtering: FILTERING,
  'vlan-packets': VLAN_PACKETS,
  'ipvlan-packets': IPVLAN_PACKETS,
  'filtering-packets': FILTERING_PACKETS,
  'macvlan-packets': MACVLAN_PACKETS,
}
