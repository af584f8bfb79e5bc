// What the control plane makes of what packets have found out about tentative addresses. The one place where closing a plane changes
// what the control plane owns.
// Source: net/ipv6/addrconf.c (addrconf_dad_work).

import { removeIn, sizeOfMap, valuesOf } from '../../net/pmap.ts'
import { isTentative } from '../link-entry.ts'
import type { World } from '../state.ts'
import { decideDad } from './addrconf.ts'
import { draftOf, linkAt, type Space, spaceOf, worldOf } from './draft.ts'

const decide = (space: Space): void => {
  for (const index of valuesOf(space.now.tentative)) {
    const link = linkAt(space, index)
    if (link !== null) decideDad(space, link)
    const now = linkAt(space, index)
    if (now?.addresses.some(isTentative) !== true) space.now.tentative = removeIn(space.now.tentative, String(index))
  }
}

/** Addresses that were found to be unique come into use, with their routes; those that are taken have failed. */
export const withDadDecided = (world: World): World => {
  if (sizeOfMap(world.tentative) === 0) return world
  const draft = draftOf(world)
  for (const ns of valuesOf(world.tentative)) {
    const space = spaceOf(draft, ns)
    if (space !== null) decide(space)
  }
  return worldOf(draft)
}
