// Carries operations out by transactions. A transaction is done as a whole or not at all, so one that is refused is tried again
// in parts, in order, until what is refused stands alone: what it says then is its complaint.

import { makeHoldBack } from '../../kernel/hold-back.ts'
import type { KernelOp } from '../../kernel/op.ts'
import { E } from '../../prelude.ts'
import { complaintOf } from '../errno.ts'
import type { RefusedOp } from '../firewall.ts'
import type { Result } from '../transport.ts'
import { namedIn, type Placed, parted, type Script, scriptOf, transactionsOf } from './script.ts'

/** Right: what was said against it, null if it was done. `again`: part of one that was refused. */
export type Attempt = (script: Script, again: boolean) => Result<string | null>

/** As `Firewall.run`. */
export const carryOut = async (attempt: Attempt, ops: ReadonlyArray<KernelOp>): Result<ReadonlyArray<RefusedOp>> => {
  const refused: RefusedOp[] = []
  const holdBack = makeHoldBack()
  const possible = ({ at, op }: Placed): boolean => {
    const held = holdBack.refusalOf(op, at)
    if (held !== null) refused.push({ at, complaint: { errno: held.errno, detail: held.detail ?? '' } })
    return held === null
  }
  const settle = async (group: ReadonlyArray<Placed>, again: boolean): Result<void> => {
    const script = await scriptOf(group.filter(possible))
    if (script.text === '') return E.right(undefined)
    const said = await attempt(script, again)
    if (E.isLeft(said)) return said
    if (said.right === null) return E.right(undefined)
    const [first, second] = script.ops
    if (first !== undefined && second === undefined) {
      const complaint = complaintOf(said.right)
      refused.push({ at: first.at, complaint })
      holdBack.note({ ...first, errno: complaint.errno })
      return E.right(undefined)
    }
    for (const part of parted(script.ops, namedIn(script, said.right))) {
      const settled = await settle(part, true)
      if (E.isLeft(settled)) return settled
    }
    return E.right(undefined)
  }
  for (const group of transactionsOf(ops)) {
    const settled = await settle(group, false)
    if (E.isLeft(settled)) return settled
  }
  return E.right(refused.sort((a, b) => a.at - b.at))
}
