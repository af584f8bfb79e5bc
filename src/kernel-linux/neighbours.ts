// Which namespaces veths lead to, as far as operations and looks have told. When one goes, the other ends of its veths go
// too, a little later, in these (departure.ts); nothing else says where to look for them.

import type { KernelObject } from '../kernel/object.ts'
import { HOST, type Ns } from '../net/name.ts'

export type Neighbours = Readonly<{
  /** Of what is made or was seen: a veth's two ends know each other's namespace. */
  note: (objects: Iterable<KernelObject>) => void
  /** Where other ends of veths in `going` may be, without these: the host's, always, and whatever was noted. */
  of: (going: ReadonlyArray<Ns>) => ReadonlyArray<Ns>
  /** They are gone. */
  forget: (gone: ReadonlyArray<Ns>) => void
}>

export const makeNeighbours = (): Neighbours => {
  const known = new Map<Ns, Set<Ns>>()
  const meet = (one: Ns, other: Ns): void => {
    known.set(one, (known.get(one) ?? new Set()).add(other))
  }
  return {
    note: (objects) => {
      for (const object of objects) {
        if (object.kind !== 'link' || object.spec.type !== 'veth' || object.ns === object.spec.peer.ns) continue
        meet(object.ns, object.spec.peer.ns)
        meet(object.spec.peer.ns, object.ns)
      }
    },
    of: (going) => {
      const all = new Set([HOST, ...going.flatMap((ns) => [...(known.get(ns) ?? [])])])
      for (const ns of going) all.delete(ns)
      return [...all]
    },
    forget: (gone) => {
      for (const ns of gone) {
        for (const other of known.get(ns) ?? []) known.get(other)?.delete(ns)
        known.delete(ns)
      }
    },
  }
}
