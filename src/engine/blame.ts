// Which waiting commands asked for what the kernel refused.

import type { Refusal } from '../kernel/kernel.ts'
import { keyOf } from '../kernel/object.ts'
import { commandsOf } from '../kernel/print.ts'
import type { Owner } from '../model/command.ts'
import type { CnmError } from '../model/error.ts'
import { getIn } from '../net/pmap.ts'
import type { Wanted } from './wanted.ts'

/** A refusal in words: the commands the operation stands for, and the errno with the kernel's own words. */
export const inWords = ({ op, errno, detail }: Refusal): Readonly<{ operation: string; errno: string }> => ({
  operation: commandsOf(op, (ns) => ns)
    .map(({ tool, text }) => `${tool} ${text.split('\n')[0]}`)
    .join('; '),
  errno: detail === null ? errno : `${errno} (${detail})`,
})

/** Refusals of what somebody wants. A deletion that is refused is nobody's wish: it is tried again later. */
export const refusedWishes = (refusals: ReadonlyArray<Refusal>): ReadonlyArray<Refusal> =>
  refusals.filter(({ op }) => op.verb !== 'delete')

export const ownersOf = (wanted: Wanted, { op }: Refusal): ReadonlyArray<Owner> =>
  getIn(wanted.owners, keyOf(op.object)) ?? []

const touches = (touched: ReadonlyArray<Owner>, owner: Owner): boolean =>
  touched.some((each) => each.of === owner.of && each.id === owner.id)

/** Those of `done` that changed what an owner of something refused wants, each with the first reason. */
export const blame = <A extends Readonly<{ touched: ReadonlyArray<Owner> }>>(
  wanted: Wanted,
  done: ReadonlyArray<A>,
  refusals: ReadonlyArray<Refusal>,
): ReadonlyMap<A, CnmError> => {
  const blamed = new Map<A, CnmError>()
  for (const refusal of refusals)
    for (const owner of ownersOf(wanted, refusal))
      for (const each of done)
        if (!blamed.has(each) && touches(each.touched, owner))
          blamed.set(each, { tag: 'KernelRefused', ...inWords(refusal) })
  return blamed
}
