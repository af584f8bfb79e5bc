// What differs between the host as it should be and as it is. Pure. Every object that differs is found once; for people those
// that follow from another (what sat on a link that is gone) are counted with it.

import { eitherOf, oursOf } from '../../engine/look.ts'
import { ownerName } from '../../engine/step.ts'
import { ownersOfKey, type Wanted } from '../../engine/wanted.ts'
import { type KernelObject, type ObjectKey, parentsOf, sameObject } from '../../kernel/object.ts'
import { compareRank } from '../../kernel/order.ts'
import type { KernelState } from '../../kernel/state.ts'
import type { Model } from '../../model/types.ts'
import { HOST } from '../../net/name.ts'
import { changesBetween, getIn } from '../../net/pmap.ts'

/**
 * `missing`: should be there. `changed`: is there, and ours, but otherwise. `surplus`: ours, and nobody wants it. `foreign`:
 * somebody else's, under a name that we need; it is never touched.
 */
export type State = 'missing' | 'changed' | 'surplus' | 'foreign'
export type Finding = Readonly<{
  state: State
  key: ObjectKey
  object: KernelObject
  /** Who wants it, in words; empty for what is surplus. */
  owners: ReadonlyArray<string>
  /** The key of the finding that it follows from, if any. */
  follows: ObjectKey | null
}>

type Difference = Omit<Finding, 'follows' | 'owners'>

const differenceOf = (
  key: ObjectKey,
  is: KernelObject | undefined,
  goal: KernelObject | undefined,
  observed: KernelState,
): Difference | null => {
  if (goal === undefined) return is === undefined ? null : { state: 'surplus', key, object: is }
  if (is !== undefined) return sameObject(is, goal) ? null : { state: 'changed', key, object: goal }
  // A sysctl that nobody knows to be ours yet is only to be set.
  const other = getIn(observed, key)
  if (other === undefined || other.kind === 'sysctl') return { state: 'missing', key, object: goal }
  return { state: 'foreign', key, object: goal }
}

/** Of a veth's two ends the host's is told, and the other with it. */
const elsewhere = ({ object }: Difference): number => Number(object.ns !== HOST)

/**
 * In order of creation. `left`: what is ours and was to go when a process died. `observed`: what the kernel showed of all that
 * is wanted and left.
 */
export const findingsOf = (
  model: Model,
  wanted: Wanted,
  left: KernelState,
  observed: KernelState,
): ReadonlyArray<Finding> => {
  const ours = oursOf(observed, eitherOf(left, wanted.state))
  const differences = changesBetween(ours, wanted.state)
    .flatMap(({ key, before, after }) => differenceOf(key, before, after, observed) ?? [])
    .sort((a, b) => compareRank(a.object, b.object) || elsewhere(a) - elsewhere(b))
  const told = new Map<ObjectKey, Finding>()
  for (const difference of differences) {
    const { state, key, object } = difference
    const parent = parentsOf(object)
      .map((each) => told.get(each))
      .find((each) => each !== undefined && (each.state === state || each.state === 'foreign'))
    const owners = ownersOfKey(wanted, key).map((owner) => ownerName(model, owner))
    told.set(key, { ...difference, owners, follows: parent === undefined ? null : (parent.follows ?? parent.key) })
  }
  return [...told.values()]
}
