// A plane as values again: each namespace that packets have changed gets a new entry, all others keep theirs. The control plane has
// the last word on what was found out about addresses.

import { type Draft, draftOf, type PMap } from '../../net/pmap.ts'
import { withDadDecided } from '../control/dad-end.ts'
import type { NsEntry, World } from '../state.ts'
import type { Host, Pending, Plane } from './plane.ts'

/** What is still to happen, in order; but for the timers that are made of addresses (ip/dad.ts). */
export const pendingOf = ({ pending }: Plane): ReadonlyArray<Pending> =>
  pending.filter(({ happening }) => happening.what !== 'dad').sort((a, b) => a.atMs - b.atMs || a.order - b.order)

const namespacesOf = ({ plane, host }: Readonly<{ plane: Plane; host: Host }>): PMap<NsEntry> => {
  let draft: Draft<NsEntry> | null = null
  for (const [ns, space] of host.spaces) {
    if (space === null) continue
    let { entry } = space
    for (const close of plane.parts.close) entry = close(space, entry)
    if (entry === space.entry) continue
    draft ??= draftOf(host.world.namespaces)
    draft.set(ns, entry)
  }
  return draft === null ? host.world.namespaces : draft.done()
}

/** A host as packets left it. `pending` and `random` are the whole plane's: of the only host, or of the fabric. */
export const closeHost = (
  plane: Plane,
  host: Host,
  { random, pending }: Pick<World, 'random' | 'pending'> = host.world,
): World => {
  const namespaces = namespacesOf({ plane, host })
  const { world } = host
  const isSame =
    namespaces === world.namespaces &&
    plane.nowMs === world.nowMs &&
    random === world.random &&
    pending.length + world.pending.length === 0
  return isSame ? world : withDadDecided({ ...world, nowMs: plane.nowMs, random, pending, namespaces })
}
