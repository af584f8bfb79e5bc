// Network namespaces. Sources: ip-netns(8), net/core/net_namespace.c (cleanup_net), net/core/dev.c (default_device_exit).

// An adopted namespace is somebody else's, who keeps it: here every path has one, fresh when it is first asked for, and no two are
// the same. Without a name it is known by its path.

import type { Errno } from '../../kernel/errno.ts'
import type { Netns, NftElement } from '../../kernel/object.ts'
import type { Ns } from '../../net/name.ts'
import { entriesOf, mapOf, type PMap } from '../../net/pmap.ts'
import { emptyNs, type FirewallEntry, isNameless, namelessAt, nsWith } from '../state.ts'
import {
  addSpace,
  change,
  type Draft,
  linkOf,
  linksOf,
  removeSpace,
  renameSpace,
  type Space,
  spaceFrom,
  spaceOf,
} from './draft.ts'
import { installLoopback, removeLink } from './link.ts'

const withNs = (firewall: FirewallEntry, ns: Ns): FirewallEntry => {
  const moved = (set: PMap<NftElement>) =>
    mapOf([...entriesOf(set)].map(([key, element]) => [key, { ...element, ns }] as const))
  const sets = Object.fromEntries(Object.entries(firewall.sets).map(([name, set]) => [name, moved(set)]))
  return { ...firewall, sets }
}

/** Everything that names a namespace: the other ends of its veths, and its firewall. */
const rename = (space: Space, ns: Ns): void => {
  const moved = renameSpace(space, ns)
  const { firewall } = moved.now
  if (firewall !== null) moved.now.firewall = withNs(firewall, ns)
  for (const { spec } of linksOf(moved)) {
    if (spec.type !== 'veth') continue
    const other = spec.peer.ns === space.ns ? moved : spaceOf(moved.draft, spec.peer.ns)
    const end = other === null ? null : linkOf(other, spec.peer.name)
    if (other !== null && end?.spec.type === 'veth')
      change(other, end, { spec: { type: 'veth', peer: { ns, name: end.spec.peer.name } } })
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

/** Everything inside goes with it, and the other ends of its veths; an adopted one loses its name, and nothing else. */
export const deleteNetns = (draft: Draft, ns: Ns): Errno | null => {
  const space = spaceOf(draft, ns)
  if (space === null) return 'ENOENT'
  const { at } = space.now
  if (at !== null) {
    rename(space, namelessAt(at))
    return null
  }
  for (const link of linksOf(space)) if (link.spec.type === 'veth' && link.spec.peer.ns !== ns) removeLink(space, link)
  removeSpace(space)
  return null
}
