// What follows from a refusal within one list of operations. When something could not be made, nothing is done to it: there may be
// a stranger's of the same name, whose address or port that would become. When something of ours could not be taken out of an
// adopted namespace, that keeps its name: without it nobody could find what is left.

import { born } from './cascade.ts'
import type { Errno } from './errno.ts'
import type { Refusal } from './kernel.ts'
import { keyOf, netnsKey, type ObjectKey, parentsOf } from './object.ts'
import type { KernelOp } from './op.ts'

type Refused = Omit<Refusal, 'detail'>

export type HoldBack = Readonly<{
  note: (refusal: Refused) => void
  /** The refusal of an operation that is not attempted, or null if it may be. */
  refusalOf: (op: KernelOp, at: number) => Refusal | null
}>

const GONE: ReadonlyArray<Errno> = ['ENODEV', 'ENOENT']

type Places = Map<ObjectKey, number>

const put = (places: Places, key: ObjectKey, at: number): void => {
  places.set(key, Math.min(at, places.get(key) ?? at))
}
const isBefore = (places: Places, key: ObjectKey, at: number): boolean => (places.get(key) ?? at) < at

/** A refusal holds back what comes behind it in the list, also when it is known before that. */
export const makeHoldBack = (refusals: Iterable<Refused> = []): HoldBack => {
  /** What could not be made, with what would have come along, each by the first place in the list. */
  const missing: Places = new Map()
  /** The namespaces that something could not be taken out of. */
  const kept: Places = new Map()

  const note = ({ at, op, errno }: Refused): void => {
    const { verb, object } = op
    if (verb === 'create') for (const one of [object, ...born(op)]) put(missing, keyOf(one), at)
    if (verb !== 'delete' || object.kind !== 'link' || GONE.includes(errno)) return
    put(kept, netnsKey(object.ns), at)
    if (object.spec.type === 'veth') put(kept, netnsKey(object.spec.peer.ns), at)
  }

  for (const refusal of refusals) note(refusal)
  return {
    note,
    refusalOf: (op, at) => {
      const { verb, object } = op
      if (verb !== 'delete')
        return missing.size > 0 && parentsOf(object).some((key) => isBefore(missing, key, at))
          ? { at, op, errno: 'ENOENT', detail: 'not attempted: what it belongs to was refused' }
          : null
      return object.kind === 'netns' && object.at !== null && isBefore(kept, keyOf(object), at)
        ? { at, op, errno: 'EBUSY', detail: 'not attempted: something of ours is left in it' }
        : null
    },
  }
}
