// Network namespaces. Sources: ip-netns(8), net/core/net_namespace.c (cleanup_net), net/core/dev.c (default_device_exit).

// An adopted namespace is somebody else's, who keeps it: here every path has one, fresh when it is first asked for, and no two are
// the same. Without a name it is known by its path.

import type { Errno } from '../../kernel/errno.ts'
import type { Netns } from '../../kernel/object.ts'
import { HOST, type IfName, ifName, type Ns } from '../../net/name.ts'
import type { LinkEntry, Place } from '../link-entry.ts'
import { emptyNs, isNameless, namelessAt, nsWith } from '../state.ts'
import { removeLink } from './dellink.ts'
import {
  addSpace,
  change,
  type Draft,
  found,
  linkOf,
  linksOf,
  removeSpace,
  renameSpace,
  type Space,
  spaceFrom,
  spaceOf,
} from './draft.ts'
import { installLoopback } from './newlink.ts'
import { followPlace } from './relations.ts'
import { move } from './setlink.ts'
import { renameNet, sendersBy } from './vxlan.ts'

/** Everything that names a namespace: the other ends of its veths, and where devices on others are. */
const rename = (space: Space, ns: Ns): void => {
  const moved = renameSpace(space, ns)
  renameNet(moved, space.ns)
  for (const link of linksOf(moved)) {
    const from = { ns: space.ns, name: link.name }
    const to = { ns, name: link.name }
    if (link.below?.ns === space.ns) change(moved, link, { below: { ns, name: link.below.name } })
    if (link.spec.type === 'veth' && link.spec.peer.ns === space.ns)
      change(moved, linkOf(moved, link.name) ?? link, {
        spec: { type: 'veth', peer: { ns, name: link.spec.peer.name } },
      })
    followPlace(moved, linkOf(moved, link.name) ?? link, from, to)
  }
}

const adopt = (draft: Draft, ns: Ns, at: string): Errno | null => {
  const known = spaceFrom(draft, at)
  if (known === null) installLoopback(addSpace(draft, nsWith(emptyNs(ns), { at })))
  else if (isNameless(known.ns)) rename(known, ns)
  else return 'EEXIST'
  return null
}

/** A fresh namespace has a loopback device, which is down. An adopted one has one name. */
export const createNetns = (draft: Draft, { ns, at }: Pick<Netns, 'ns' | 'at'>): Errno | null => {
  if (spaceOf(draft, ns) !== null) return 'EEXIST'
  if (at !== null) return adopt(draft, ns, at)
  installLoopback(addSpace(draft, emptyNs(ns)))
  return null
}

/** Whether devices of other namespaces go with this one, or hold on to it. */
const reaches = ({ spec, below, above }: LinkEntry, ns: Ns): boolean =>
  (spec.type === 'veth' && spec.peer.ns !== ns) ||
  (spec.type === 'vxlan' && spec.net !== ns) ||
  (below !== null && below.ns !== ns) ||
  above.some((place) => place.ns !== ns)

/** A name that is free at home: its own, or one by its number (default_device_exit_net). */
const nameAtHome = (home: Space, { name, index }: LinkEntry): IfName => {
  if (linkOf(home, name) === null) return name
  const numbered = ifName(`dev${index}`)
  if (linkOf(home, numbered) === null) return numbered
  for (let n = 0; ; n++) if (linkOf(home, `dev${n}`) === null) return ifName(`dev${n}`)
}

/** Cards cannot go: they are in the machine's own namespace again. */
const sendHome = (space: Space): void => {
  const home = spaceOf(space.draft, HOST)
  if (home === null || home === space) return
  for (const link of linksOf(space)) if (link.spec.type === 'nic') move(space, link, home, nameAtHome(home, link))
}

/** Everything inside goes with it but the machine's cards, and the other ends of its veths; an adopted one loses its name, and nothing else. */
export const deleteNetns = (draft: Draft, ns: Ns): Errno | null => {
  const space = spaceOf(draft, ns)
  if (space === null) return 'ENOENT'
  const { at } = space.now
  if (at !== null) {
    rename(space, namelessAt(at))
    return null
  }
  sendHome(space)
  for (const { link, space: there } of sendersBy(space)) removeLink(there, link)
  const ends: Place[] = []
  for (const { name } of linksOf(space)) {
    const link = linkOf(space, name)
    if (link === null || !reaches(link, ns)) continue
    if (link.spec.type === 'veth' && link.above.length === 0) ends.push(link.spec.peer)
    else removeLink(space, link)
  }
  removeSpace(space)
  // With their own ends gone already, which nobody can look at any more.
  for (const place of ends) {
    const end = found(space, place)
    if (end !== null) removeLink(end.space, end.link)
  }
  return null
}
