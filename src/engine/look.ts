// What to look at, and what of the answer is ours: pure parts of comparing the kernel with what we know.

import type { Scope } from '../kernel/kernel.ts'
import { type KernelObject, keyOf } from '../kernel/object.ts'
import { type KernelState, objectsOf, stateOf } from '../kernel/state.ts'
import type { Ns } from '../net/name.ts'
import { getIn } from '../net/pmap.ts'

/** Everything these states mention, so that one look tells how it stands. */
export const scopeOf = (known: ReadonlyArray<KernelState>): Scope => {
  const namespaces = new Set<Ns>()
  const sysctls = new Map<string, Scope['sysctls'][number]>()
  for (const object of known.flatMap(objectsOf)) {
    namespaces.add(object.ns)
    if (object.kind === 'sysctl') sysctls.set(keyOf(object), { ns: object.ns, name: object.name })
  }
  return { namespaces: [...namespaces], sysctls: [...sysctls.values()] }
}

/** What was observed, as far as it is about keys we know. A sysctl's `otherwise` is a note of ours, and is kept. */
export const oursOf = (observed: KernelState, known: ReadonlyArray<KernelState>): KernelState =>
  stateOf(
    objectsOf(observed).flatMap((object): ReadonlyArray<KernelObject> => {
      const note = known.map((state) => getIn(state, keyOf(object))).find((each) => each !== undefined)
      if (note === undefined) return []
      return [object.kind === 'sysctl' && note.kind === 'sysctl' ? { ...object, otherwise: note.otherwise } : object]
    }),
  )
