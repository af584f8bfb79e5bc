// What to look at, and what of the answer is ours: pure parts of comparing the kernel with what we know.

import type { Scope } from '../kernel/kernel.ts'
import { type KernelObject, keyOf, sameObject } from '../kernel/object.ts'
import { ownedPart, type Title } from '../kernel/owned.ts'
import { type KernelState, objectsOf, stateOf } from '../kernel/state.ts'
import { sysctlDevice } from '../kernel/sysctl.ts'
import { HOST, type Ns } from '../net/name.ts'
import { getIn } from '../net/pmap.ts'

/** Everything these states mention, so that one look tells how it stands. */
export const scopeOf = (known: ReadonlyArray<KernelState>): Scope => {
  const namespaces = new Set<Ns>([HOST])
  const firewalls = new Set<Ns>([HOST])
  const sysctls = new Map<string, Scope['sysctls'][number]>()
  for (const object of known.flatMap(objectsOf)) {
    namespaces.add(object.ns)
    if (object.kind === 'nft-table') firewalls.add(object.ns)
    if (object.kind === 'sysctl') sysctls.set(keyOf(object), { ns: object.ns, name: object.name })
  }
  return { namespaces: [...namespaces], firewalls: [...firewalls], sysctls: [...sysctls.values()] }
}

/** Adopted from where nobody knows. */
const SOMEWHERE = '?'

/**
 * All that may be there when either state may be. Of a namespace that is another in each it is not known which it is: it is taken
 * for an adopted one, of which nothing goes by itself.
 */
export const eitherOf = (one: KernelState, other: KernelState): KernelState =>
  stateOf([
    ...objectsOf(one),
    ...objectsOf(other).map((object): KernelObject => {
      const held = object.kind === 'netns' ? getIn(one, keyOf(object)) : undefined
      return held?.kind !== 'netns' || sameObject(held, object) ? object : { ...held, at: held.at ?? SOMEWHERE }
    }),
  ])

/**
 * What was observed, as far as it is ours: everything in namespaces that we know to have made; in those that we adopted what leads
 * to us; in the host's what bears our mark, and sysctls that we know to have set. Notes of ours are kept: a sysctl's `otherwise`,
 * where a namespace was adopted from. A stranger's link of a name that we want is not ours.
 */
export const oursOf = (observed: KernelState, known: KernelState): KernelState => {
  const places = new Map(
    objectsOf(known).flatMap((object) => (object.kind === 'netns' ? [[object.ns, object.at] as const] : [])),
  )
  const titleOf = (ns: Ns): Title => {
    const at = places.get(ns)
    return at === undefined ? null : at === null ? 'made' : 'adopted'
  }
  const marked = ownedPart(observed, titleOf, known)
  return stateOf(
    objectsOf(observed).flatMap((object): ReadonlyArray<KernelObject> => {
      const key = keyOf(object)
      const note = getIn(known, key)
      const own = getIn(marked, key)
      if (object.kind === 'netns')
        return own === undefined ? [] : [{ ...object, at: object.at ?? places.get(object.ns) ?? null }]
      if (object.kind !== 'sysctl') return own === undefined ? [] : [own]
      const ofDevice = sysctlDevice(object.name) !== null
      if (note?.kind !== 'sysctl' || (ofDevice && own === undefined)) return []
      return [{ ...object, otherwise: note.otherwise }]
    }),
  )
}
