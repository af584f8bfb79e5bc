// From what is there to what is wanted, as operations in an order that always applies.
//
// Laws (properties/diff.properties.ts): applying `diff(there, wanted)` to `there` gives `wanted`; stopping after any
// operation and asking again gives `wanted` too; `diff(x, x)` is empty; what `mayTouch` refuses is never touched.
//
// Deletes come first, children before parents, without those that a parent's deletion implies. Then creations and
// changes, parents first, each against what is really there by then: a rebuilt link has taken its addresses with it, and
// a veth's other end has come with the first. See `cascade.ts`.

import { HOST } from '../net/name.ts'
import { entriesOf, getIn, hasIn, removeIn, setIn } from '../net/pmap.ts'
import { born, cascade } from './cascade.ts'
import { changeable, type KernelObject, keyOf, type ObjectKey, sameObject } from './object.ts'
import type { KernelOp } from './op.ts'
import { compareRank } from './order.ts'
import type { KernelState } from './state.ts'

/** The state after `op`, cascades and births included; what the kernel would hold if it agreed. */
export const after = (state: KernelState, op: KernelOp): KernelState => {
  let next = state
  for (const key of cascade(state, op)) next = removeIn(next, key)
  if (op.verb === 'delete') return next
  for (const object of [...born(op), op.object]) next = setIn(next, keyOf(object), object)
  return next
}

/** Whether deleting this takes other objects along, so that it is worth doing before looking at them. */
const isParent = (object: KernelObject): boolean =>
  object.kind === 'netns' || object.kind === 'link' || object.kind === 'nft-table'

/** A fresh loopback cannot be deleted, only brought down. */
const deletable = (object: KernelObject): boolean => !(object.kind === 'link' && object.spec.type === 'loopback')

const unwanted = (there: KernelState, wanted: KernelState): ReadonlyArray<KernelObject> => {
  const objects: KernelObject[] = []
  for (const [key, object] of entriesOf(there)) {
    const goal = getIn(wanted, key)
    const stays = goal !== undefined && (sameObject(object, goal) || changeable(object, goal))
    if (!stays && deletable(object)) objects.push(object)
  }
  return objects
}

/** The deletions that are needed once parents have taken their children, in order: children first. */
const deletions = (there: KernelState, wanted: KernelState): ReadonlyArray<KernelOp> => {
  const candidates = unwanted(there, wanted)
  const implied = new Set<ObjectKey>()
  for (const object of [...candidates].sort(compareRank)) {
    const key = keyOf(object)
    if (!isParent(object) || implied.has(key)) continue
    for (const gone of cascade(there, { verb: 'delete', object })) if (gone !== key) implied.add(gone)
  }
  return candidates
    .filter((object) => !implied.has(keyOf(object)))
    .sort((a, b) => compareRank(b, a))
    .map((object): KernelOp => ({ verb: 'delete', object }))
}

/** The end of a veth that is created first: the host's, so that the pair can be named from there. */
const leads = (object: KernelObject): number => (object.ns === HOST ? 0 : 1)

const byCreation = (a: KernelObject, b: KernelObject): number => compareRank(a, b) || leads(a) - leads(b)

/** The operations that lead from `there` to `wanted`. */
export const diff = (there: KernelState, wanted: KernelState): ReadonlyArray<KernelOp> => {
  const ops: KernelOp[] = []
  let now = there
  const emit = (op: KernelOp): void => {
    ops.push(op)
    now = after(now, op)
  }
  for (const op of deletions(there, wanted)) if (hasIn(now, keyOf(op.object))) emit(op)

  const goals: KernelObject[] = []
  for (const [key, goal] of entriesOf(wanted)) if (getIn(there, key) !== goal || !hasIn(now, key)) goals.push(goal)
  for (const object of goals.sort(byCreation)) {
    const held = getIn(now, keyOf(object))
    if (held === undefined) emit({ verb: 'create', object })
    else if (!sameObject(held, object)) emit({ verb: 'change', from: held, object })
  }
  return ops
}
