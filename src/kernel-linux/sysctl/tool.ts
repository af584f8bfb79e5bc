// Sysctls through sysctl(8). It goes on behind what is refused but names only keys, so halving finds the refused ones; to write
// a sysctl twice changes nothing.

import type { KernelOp } from '../../kernel/op.ts'
import { E } from '../../prelude.ts'
import { decodeSysctls } from '../decode/sysctls.ts'
import { complaintOf, noNamespace } from '../errno.ts'
import type { RefusedOp } from '../firewall.ts'
import type { Paths } from '../place.ts'
import type { Run } from '../run.ts'
import type { Sysctls } from '../sysctls.ts'
import type { Result } from '../transport.ts'
import { type Assignment, assignmentOf } from './assignment.ts'

type Placed = Assignment & Readonly<{ at: number }>

const assignmentsOf = (ops: ReadonlyArray<KernelOp>): ReadonlyArray<Placed> =>
  ops.flatMap((op, at) => {
    const assignment = assignmentOf(op)
    return assignment === null ? [] : [{ ...assignment, at }]
  })

/** `where`: how `run` calls namespaces. */
export const throughSysctl = (run: Run, where: Paths): Sysctls => {
  const halving = async (real: string | null, some: ReadonlyArray<Placed>): Result<ReadonlyArray<RefusedOp>> => {
    if (some.length === 0) return E.right([])
    const ran = await run(real, 'sysctl', ['-qw', ...some.map(({ name, value }) => `${name}=${value}`)])
    if (E.isLeft(ran)) return ran
    const { status, stderr } = ran.right
    if (status === 0) return E.right([])
    if (some.length === 1 || noNamespace(stderr))
      return E.right(some.map(({ at }) => ({ at, complaint: complaintOf(stderr) })))
    const first = await halving(real, some.slice(0, some.length >> 1))
    if (E.isLeft(first)) return first
    const second = await halving(real, some.slice(some.length >> 1))
    return E.isLeft(second) ? second : E.right([...first.right, ...second.right])
  }
  return {
    look: async (ns, asked) => {
      if (asked.length === 0) return E.right([])
      const ran = await run(where(ns), 'sysctl', ['-e', ...asked])
      return E.isLeft(ran) ? ran : E.right(decodeSysctls(ns, asked, ran.right.stdout))
    },
    run: (ns, ops) => halving(where(ns), assignmentsOf(ops)),
  }
}
