// Sets of kernel objects: a fragment (what one owner wants), and a whole state (what a host holds or should hold).

import { emptyMap, getIn, mapOf, type PMap, setIn, valuesOf } from '../net/pmap.ts'
import { E, type Either } from '../prelude.ts'
import { type KernelObject, keyOf, type ObjectKey, sameObject } from './object.ts'

/** Objects by key, in key order. */
export type KernelState = PMap<KernelObject>
/** The objects one owner (a network, an endpoint, a sandbox) wants. */
export type Fragment = ReadonlyArray<KernelObject>
/** Two owners want one key differently. */
export type Clash = Readonly<{ key: ObjectKey; one: KernelObject; other: KernelObject }>

export const EMPTY_STATE: KernelState = emptyMap()
export const stateOf = (objects: Iterable<KernelObject>): KernelState => {
  const entries: Array<readonly [string, KernelObject]> = []
  for (const object of objects) entries.push([keyOf(object), object])
  return mapOf(entries)
}
export const objectsOf = (state: KernelState): ReadonlyArray<KernelObject> => valuesOf(state)

/** The union of fragments. Left: the first key that two of them want differently. */
export const unite = (fragments: Iterable<Fragment>): Either<Clash, KernelState> => {
  let state = EMPTY_STATE
  for (const fragment of fragments) {
    for (const object of fragment) {
      const key = keyOf(object)
      const held = getIn(state, key)
      if (held === undefined) state = setIn(state, key, object)
      else if (!sameObject(held, object)) return E.left({ key, one: held, other: object })
    }
  }
  return E.right(state)
}

/** Whether two states hold the same objects. */
export const sameState = (a: KernelState, b: KernelState): boolean => {
  const left = valuesOf(a)
  const right = valuesOf(b)
  return (
    left.length === right.length &&
    left.every((object, i) => {
      const other = right[i]
      return other !== undefined && keyOf(object) === keyOf(other) && sameObject(object, other)
    })
  )
}
