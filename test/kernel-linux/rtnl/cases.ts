// Each form of each request in the small network of world.ts, and what Linux answers: null, or an errno. `before` is done first.
// Measured on Linux 6.18; both ways of asking must find the same.

import { addresses, neighbours, others, rules } from './address-cases.ts'
import type { Group } from './case.ts'
import { links, newLinks, taps } from './link-cases.ts'
import { forwarding, ports } from './port-cases.ts'
import { routes4, routes6 } from './route-cases.ts'

export const GROUPS: ReadonlyArray<Group> = [
  newLinks,
  links,
  taps,
  ports,
  addresses,
  routes4,
  routes6,
  rules,
  neighbours,
  forwarding,
  others,
]
