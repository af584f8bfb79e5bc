// Namespaces that are to go. The store forgets a sandbox before the kernel removes its namespace; if the process dies in
// between, only this note, written with the forgetting, says that the namespace is ours. It goes with a later commit, or
// when the engine closes, once the kernel has done it. (What we make in the host's namespace bears our mark and needs none.)

import { type Netns, netnsKey } from '../kernel/object.ts'
import type { KernelState } from '../kernel/state.ts'
import type { Model } from '../model/types.ts'
import type { Ns } from '../net/name.ts'
import { changesBetween, hasIn } from '../net/pmap.ts'
import type { Entry, Write } from '../store/store.ts'

export const CONDEMNED = 'condemned/'

export type Condemned = ReadonlySet<Ns>

/** A cast: written by `condemnedWrites`. */
export const readCondemned = (entries: ReadonlyArray<Entry>): Condemned =>
  new Set(entries.map(({ key }) => key.slice(CONDEMNED.length) as Ns))

/** As objects that are there for all we know. */
export const condemnedState = (condemned: Condemned): ReadonlyArray<Netns> =>
  [...condemned].map((ns) => ({ kind: 'netns', ns, at: null }))

type Side = Readonly<{ model: Model; wanted: Readonly<{ state: KernelState }> }>

/** Those that are condemned after a step: not wanted any more, and still there as far as we believe. */
export const condemnedAfter = (former: Condemned, before: Side, after: Side, believed: KernelState): Condemned => {
  const dropped = changesBetween(before.model.sandboxes, after.model.sandboxes).flatMap(({ before: sandbox }) =>
    sandbox !== undefined && hasIn(before.wanted.state, netnsKey(sandbox.ns)) ? [sandbox.ns] : [],
  )
  const candidates = [...[...former].filter((ns) => hasIn(believed, netnsKey(ns))), ...dropped]
  return new Set(candidates.filter((ns) => !hasIn(after.wanted.state, netnsKey(ns))))
}

export const condemnedWrites = (before: Condemned, after: Condemned): ReadonlyArray<Write> => [
  ...[...after].filter((ns) => !before.has(ns)).map((ns) => ({ key: CONDEMNED + ns, value: '' })),
  ...[...before].filter((ns) => !after.has(ns)).map((ns) => ({ key: CONDEMNED + ns, value: null })),
]
