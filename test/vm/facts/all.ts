// The stories, by the names of the files that they are recorded in.

import { DUMMY } from './dummy.ts'
import { FILTERING } from './filtering.ts'
import { IPVLAN } from './ipvlan.ts'
import type { Story } from './story.ts'
import { VLAN } from './vlan.ts'

export type Theme = 'vlan' | 'ipvlan' | 'dummy' | 'filtering'

export const THEMES: Readonly<Record<Theme, ReadonlyArray<Story>>> = {
  vlan: VLAN,
  ipvlan: IPVLAN,
  dummy: DUMMY,
  filtering: FILTERING,
}
