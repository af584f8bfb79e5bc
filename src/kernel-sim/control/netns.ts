// Network namespaces. Sources: ip-netns(8), net/core/net_namespace.c (cleanup_net), net/core/dev.c (default_device_exit).

import type { Errno } from '../../kernel/errno.ts'
import type { Ns } from '../../net/name.ts'
import { emptyNs } from '../state.ts'
import { addSpace, type Draft, linksOf, removeSpace, spaceOf } from './draft.ts'
import { installLoopback, removeLink } from './link.ts'

/** A fresh namespace has a loopback device, which is down. */
export const createNetns = (draft: Draft, ns: Ns): Errno | null => {
  if (spaceOf(draft, ns) !== null) return 'EEXIST'
  installLoopback(addSpace(draft, emptyNs(ns)))
  return null
}

/** Everything inside goes with it, and the other ends of its veths. */
export const deleteNetns = (draft: Draft, ns: Ns): Errno | null => {
  const space = spaceOf(draft, ns)
  if (space === null) return 'ENOENT'
  for (const link of linksOf(space)) if (link.spec.type === 'veth' && link.spec.peer.ns !== ns) removeLink(space, link)
  removeSpace(space)
  return null
}
