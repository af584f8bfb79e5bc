// From what is there to what is wanted, as operations in an order that always applies.
//
// Laws (properties/diff.properties.ts): applying `diff(there, wanted)` to `there` gives `wanted`; stopping after any
// operation and asking again gives `wanted` too; `diff(x, x)` is empty. Cost: the keys that differ, not the host's size.
//
// Deletes come first, children before parents, without those that a parent's deletion implies. Then creations and
// changes, parents first, each against what is really there by then: a rebuilt link has taken its addresses with it, and
// a veth's other end has come with the first. See `cascade.ts`.

import { HOST } from '../net/name.ts'
import { changesBetween, getIn, hasIn, removeIn, setIn } from '../net/pmap.ts'
import { born, cascade } from './cascade.ts'
import { changeable, type KernelObject, keyOf, type ObjectKey, sameObject } from './object.ts'
import type { KernelOp } from './op.ts'
import { compareRank, RANK } from './order.ts'
import type { KernelState } from './state.ts'

const afterAll = (state: KernelState, op: KernelOp, gone: ReadonlyArray<ObjectKey>): KernelState => {
  let next = state
  for (const key of gone) next = removeIn(next, key)
  if (op.verb === 'delete') return next
  for (const object of [...born(op), op.object]) next = setIn(next, keyOf(object), object)
  return next
}

/** The state after `op`, cascades and births included; what the kernel would hold if it agreed. */
export const after = (state: KernelState, op: KernelOp): KernelState => afterAll(state, op, cascade(state, op))

/** Whether its deletion takes other objects along. */
const isParent = (object: KernelObject): boolean =>
  object.kind === 'netns' || object.kind === 'link' || object.kind === 'nft-table'

/** A loopback device cannot be deleted; it goes with its namespace. */
const deletable = (object: KernelObject): boolean => !(object.kind === 'link' && object.spec.type === 'loopback')

/** The deletions that remain when parents take their children along, children first. */
const deletions = (there: KernelState, unwanted: ReadonlyArray<KernelObject>): ReadonlyArray<KernelOp> => {
  const implied = new Set<ObjectKey>()
  for (const object of [...unwanted].sort(compareRank)) {
    const key = keyOf(object)
    if (!isParent(object) || implied.has(key)) continue
    for (const gone of cascade(there, { verb: 'delete', object })) if (gone !== key) implied.add(gone)
  }
  return unwanted
    .filter((object) => !implied.has(keyOf(object)))
    .sort((a, b) => compareRank(b, a))
    .map((object): KernelOp => ({ verb: 'delete', object }))
}

/** Of a veth's two ends the host's is created, for from there the other's namespace has a name. */
const byCreation = (a: KernelObject, b: KernelObject): number =>
  compareRank(a, b) || Number(a.ns !== HOST) - Number(b.ns !== HOST)

/** The operations that lead from `there` to `wanted`. */
export const diff = (there: KernelState, wanted: KernelState): ReadonlyArray<KernelOp> => {
  const ops: KernelOp[] = []
  const goals: ReadonlyArray<Map<ObjectKey, KernelObject>> = Object.values(RANK).map(() => new Map())
  const aim = (object: KernelObject): void => {
    goals[RANK[object.kind]]?.set(keyOf(object), object)
  }
  let now = there
  const emit = (op: KernelOp): void => {
    ops.push(op)
    const gone = cascade(now, op)
    for (const key of gone) {
      const lost = getIn(wanted, key)
      if (lost !== undefined) aim(lost)
    }
    now = afterAll(now, op, gone)
  }

  const unwanted: KernelObject[] = []
  for (const { before, after: goal } of changesBetween(there, wanted)) {
    if (before !== undefined && goal !== undefined && sameObject(before, goal)) continue
    if (goal !== undefined) aim(goal)
    if (before !== undefined && deletable(before) && !(goal !== undefined && changeable(before, goal)))
      unwanted.push(before)
  }
  for (const op of deletions(there, unwanted)) if (hasIn(now, keyOf(op.object))) emit(op)

  for (const goal of goals) {
    for (const object of [...goal.values()].sort(byCreation)) {
      const held = getIn(now, keyOf(object))
      if (held === undefined) emit({ verb: 'create', object })
      else if (!sameObject(held, object)) emit({ verb: 'change', from: held, object })
    }
  }
  return ops
}
