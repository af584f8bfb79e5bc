// What to look at, and what of the answer is ours: pure parts of comparing the kernel with what we know. Ours is what we
// know by its key, and what bears our mark (kernel/owned.ts): the remains of what is in no model any more.

import type { Scope } from '../kernel/kernel.ts'
import { type KernelObject, keyOf } from '../kernel/object.ts'
import { ownedPart } from '../kernel/owned.ts'
import { type KernelState, objectsOf, stateOf } from '../kernel/state.ts'
import { HOST, type Ns } from '../net/name.ts'
import { getIn, hasIn } from '../net/pmap.ts'

/** Everything these states mention, so that one look tells how it stands. */
export const scopeOf = (known: ReadonlyArray<KernelState>): Scope => {
  const namespaces = new Set<Ns>([HOST])
  const sysctls = new Map<string, Scope['sysctls'][number]>()
  for (const object of known.flatMap(objectsOf)) {
    namespaces.add(object.ns)
    if (object.kind === 'sysctl') sysctls.set(keyOf(object), { ns: object.ns, name: object.name })
  }
  return { namespaces: [...namespaces], sysctls: [...sysctls.values()] }
}

/** What was observed, as far as it is ours. A sysctl's `otherwise` is a note of ours, and is kept. */
export const oursOf = (observed: KernelState, known: ReadonlyArray<KernelState>): KernelState => {
  const note = (object: KernelObject): KernelObject | undefined =>
    known.map((state) => getIn(state, keyOf(object))).find((each) => each !== undefined)
  const made = new Set(known.flatMap(objectsOf).flatMap((object) => (object.kind === 'netns' ? [object.ns] : [])))
  const marked = ownedPart(observed, (ns) => made.has(ns))
  return stateOf(
    objectsOf(observed).flatMap((object): ReadonlyArray<KernelObject> => {
      const ours = note(object)
      if (ours === undefined && !hasIn(marked, keyOf(object))) return []
      return [object.kind === 'sysctl' && ours?.kind === 'sysctl' ? { ...object, otherwise: ours.otherwise } : object]
    }),
  )
}
