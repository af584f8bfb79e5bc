// What follows from a refusal within one list of operations: when something could not be made, nothing is done to it. There
// may be a stranger's of the same name, whose address or port that would become.

import { born } from './cascade.ts'
import type { Refusal } from './kernel.ts'
import { keyOf, type ObjectKey, parentsOf } from './object.ts'
import type { KernelOp } from './op.ts'

/** The keys of what could not be made, and of what would have come with it. */
export type Missing = ReadonlySet<ObjectKey>

export const missingOf = (refusals: Iterable<Refusal>): Missing => {
  const missing = new Set<ObjectKey>()
  for (const { op } of refusals) {
    if (op.verb !== 'create') continue
    for (const object of [op.object, ...born(op)]) missing.add(keyOf(object))
  }
  return missing
}

/** The refusal of an operation that is not attempted, or null if it may be. */
export const heldBack = (missing: Missing, op: KernelOp, at: number): Refusal | null =>
  op.verb !== 'delete' && missing.size > 0 && parentsOf(op.object).some((key) => missing.has(key))
    ? { at, op, errno: 'ENOENT', detail: 'not attempted: what it belongs to was refused' }
    : null
