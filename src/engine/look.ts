// What to look at, and what of the answer is ours: pure parts of comparing the kernel with what we know.

import type { Scope } from '../kernel/kernel.ts'
import { type KernelObject, keyOf } from '../kernel/object.ts'
import { ownedPart } from '../kernel/owned.ts'
import { type KernelState, objectsOf, stateOf } from '../kernel/state.ts'
import { sysctlDevice } from '../kernel/sysctl.ts'
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

/**
 * What was observed, as far as it is ours: everything in namespaces that we know to have made; in the host's what bears our
 * mark, and sysctls that we know to have set (their `otherwise`, a note of ours, is kept). A stranger's link of a name that
 * we want is not ours.
 */
export const oursOf = (observed: KernelState, known: KernelState): KernelState => {
  const made = new Set(objectsOf(known).flatMap((object) => (object.kind === 'netns' ? [object.ns] : [])))
  const marked = ownedPart(observed, (ns) => made.has(ns), known)
  return stateOf(
    objectsOf(observed).flatMap((object): ReadonlyArray<KernelObject> => {
      const key = keyOf(object)
      const note = getIn(known, key)
      if (object.kind !== 'sysctl') return hasIn(marked, key) ? [object] : []
      const ofDevice = sysctlDevice(object.name) !== null
      if (note?.kind !== 'sysctl' || (ofDevice && !hasIn(marked, key))) return []
      return [{ ...object, otherwise: note.otherwise }]
    }),
  )
}
