// Namespaces that are to go. The store forgets a sandbox before the kernel removes its namespace; if the process dies in
// between, only this note, written with the forgetting, says that the namespace is ours. It goes with a later commit, or
// when the engine closes, once the kernel has done it. (What we make in the host's namespace bears our mark and needs none.)
// The note says where it was adopted from: of such a one nothing inside goes by itself.

import { type Netns, netnsKey, sameObject } from '../kernel/object.ts'
import type { KernelState } from '../kernel/state.ts'
import type { Model } from '../model/types.ts'
import type { Ns } from '../net/name.ts'
import { changesBetween, getIn } from '../net/pmap.ts'
import type { Entry, Write } from '../store/store.ts'

export const CONDEMNED = 'condemned/'

/** Each with where it was adopted from; null: we made it. */
export type Condemned = ReadonlyMap<Ns, string | null>

/** A cast: written by `condemnedWrites`. */
export const readCondemned = (entries: ReadonlyArray<Entry>): Condemned =>
  new Map(entries.map(({ key, value }) => [key.slice(CONDEMNED.length) as Ns, value === '' ? null : value]))

/** As objects that are there for all we know. */
export const condemnedState = (condemned: Condemned): ReadonlyArray<Netns> =>
  [...condemned].map(([ns, at]) => ({ kind: 'netns', ns, at }))

type Side = Readonly<{ model: Model; wanted: Readonly<{ state: KernelState }> }>

const netnsIn = (state: KernelState, ns: Ns): Netns | null => {
  const found = getIn(state, netnsKey(ns))
  return found?.kind === 'netns' ? found : null
}

const isIn = (state: KernelState, netns: Netns): boolean => {
  const held = netnsIn(state, netns.ns)
  return held !== null && sameObject(held, netns)
}

/** Those that are condemned after a step: not wanted any more as they are, and still there as far as we believe. */
export const condemnedAfter = (former: Condemned, before: Side, after: Side, believed: KernelState): Condemned => {
  const dropped = changesBetween(before.model.sandboxes, after.model.sandboxes).flatMap(({ before: sandbox }) => {
    const netns = sandbox === undefined ? null : netnsIn(before.wanted.state, sandbox.ns)
    return netns === null ? [] : [netns]
  })
  const kept = condemnedState(former).filter(({ ns }) => {
    const held = netnsIn(believed, ns)
    return held !== null && !isIn(after.wanted.state, held)
  })
  return new Map(
    [...kept, ...dropped].flatMap((netns) => (isIn(after.wanted.state, netns) ? [] : [[netns.ns, netns.at]])),
  )
}

export const condemnedWrites = (before: Condemned, after: Condemned): ReadonlyArray<Write> => [
  ...[...after]
    .filter(([ns, at]) => before.get(ns) !== at)
    .map(([ns, at]) => ({ key: CONDEMNED + ns, value: at ?? '' })),
  ...[...before.keys()].filter((ns) => !after.has(ns)).map((ns) => ({ key: CONDEMNED + ns, value: null })),
]
