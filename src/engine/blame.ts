// Which waiting commands asked for what the kernel refused.

import type { Refusal } from '../kernel/kernel.ts'
import { keyOf, type ObjectKey, parentsOf } from '../kernel/object.ts'
import { commandsOf } from '../kernel/print.ts'
import type { Owner } from '../model/command.ts'
import type { CnmError } from '../model/error.ts'
import { ownersOfKey, type Wanted } from './wanted.ts'

/** A refusal in words: the commands the operation stands for, and the errno with the kernel's own words. */
export const inWords = ({ op, errno, detail }: Refusal): Readonly<{ operation: string; errno: string }> => ({
  operation: commandsOf(op, (ns) => ns)
    .map(({ tool, text }) => `${tool} ${text.split('\n')[0]}`)
    .join('; '),
  errno: detail === null ? errno : `${errno} (${detail})`,
})

/**
 * Refusals of what somebody wants, without those that follow from another: a link in a namespace that was refused. A
 * deletion that is refused is nobody's wish: it is tried again later.
 */
export const refusedWishes = (refusals: ReadonlyArray<Refusal>): ReadonlyArray<Refusal> => {
  const wishes = refusals.filter(({ op }) => op.verb !== 'delete')
  const before = new Set<ObjectKey>()
  return wishes.filter(({ op }) => {
    const follows = parentsOf(op.object).some((key) => before.has(key))
    before.add(keyOf(op.object))
    return !follows
  })
}

export const ownersOf = (wanted: Wanted, { op }: Refusal): ReadonlyArray<Owner> => ownersOfKey(wanted, keyOf(op.object))

const touches = (touched: ReadonlyArray<Owner>, owner: Owner): boolean =>
  touched.some((each) => each.of === owner.of && each.id === owner.id)

/** What a command did to the wishes, as `step` tells it. */
type Deed = Readonly<{ touched: ReadonlyArray<Owner>; asked: ReadonlyArray<ObjectKey> }>

/** Those who asked for the object; if nobody did (it was lost with another), those who touched an owner of it. */
const culprits = <A extends Deed>(wanted: Wanted, done: ReadonlyArray<A>, refusal: Refusal): ReadonlyArray<A> => {
  const asked = done.filter((deed) => deed.asked.includes(keyOf(refusal.op.object)))
  if (asked.length > 0) return asked
  const owners = ownersOf(wanted, refusal)
  return done.filter((deed) => owners.some((owner) => touches(deed.touched, owner)))
}

/** The deeds to withdraw, each with the first reason. */
export const blame = <A extends Deed>(
  wanted: Wanted,
  done: ReadonlyArray<A>,
  refusals: ReadonlyArray<Refusal>,
): ReadonlyMap<A, CnmError> => {
  const blamed = new Map<A, CnmError>()
  for (const refusal of refusals)
    for (const deed of culprits(wanted, done, refusal))
      if (!blamed.has(deed)) blamed.set(deed, { tag: 'KernelRefused', ...inWords(refusal) })
  return blamed
}
