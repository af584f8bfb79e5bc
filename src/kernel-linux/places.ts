// Which devices links are bound to: a veth to its other end, a macvlan to the device that it is on. A link knows that one's index,
// and the other namespace only by a number of its own (link_netnsid). `ip netns list-id` in one namespace turns its numbers into names;
// a resolved end of a veth resolves its other end too. Host namespaces hold one end of most pairs, so asking the namespace with
// the most open ends settles nearly all.

import type { Place } from '../kernel/object.ts'
import type { IfName, Ns } from '../net/name.ts'
import type { RawLink } from './decode/links.ts'

/** What was seen of each namespace that was looked at: `names` of all its devices, by index. */
export type Dumps = ReadonlyMap<Ns, Readonly<{ links: ReadonlyArray<RawLink>; names: ReadonlyMap<number, IfName> }>>
/** For each namespace that was asked: the namespaces behind its numbers, as far as we looked at them. */
export type Nsids = ReadonlyMap<Ns, ReadonlyMap<number, Ns>>
/** The device that a link is bound to, by the link's `endKey`. */
export type Places = ReadonlyMap<string, Place>

export const endKey = (ns: Ns, index: number): string => `${index} ${ns}`

/** A link whose device is nowhere in the dumps has no entry: its namespace was not looked at, or is going away. */
export const placesOf = (dumps: Dumps, nsids: Nsids): Places => {
  const places = new Map<string, Place>()
  for (const [ns, { links }] of dumps) {
    for (const { index, name, spec, to } of links) {
      if (to === null) continue
      const there = to.nsid === null ? ns : nsids.get(ns)?.get(to.nsid)
      const device = there === undefined ? undefined : dumps.get(there)?.names.get(to.index)
      if (there === undefined || device === undefined) continue
      places.set(endKey(ns, index), { ns: there, name: device })
      if (spec.type === 'veth') places.set(endKey(there, to.index), { ns, name })
    }
  }
  return places
}

/** The namespace to ask next, or null when asking would not help. */
export const nextToAsk = (dumps: Dumps, nsids: Nsids, places: Places): Ns | null => {
  let next: Ns | null = null
  let most = 0
  for (const [ns, { links }] of dumps) {
    if (nsids.has(ns)) continue
    const open = links.filter(({ to, index }) => to !== null && !places.has(endKey(ns, index))).length
    if (open > most) {
      next = ns
      most = open
    }
  }
  return next
}
