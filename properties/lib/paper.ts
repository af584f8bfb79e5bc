// A kernel on paper: it holds what `after` says and refuses the operations it is told to. For laws about the engine, which
// must hold whatever kernel is below.

import { after } from '../../src/kernel/diff.ts'
import type { Kernel, Refusal } from '../../src/kernel/kernel.ts'
import { keyOf } from '../../src/kernel/object.ts'
import type { KernelOp } from '../../src/kernel/op.ts'
import { EMPTY_STATE, type KernelState, objectsOf, stateOf } from '../../src/kernel/state.ts'
import { hasIn } from '../../src/net/pmap.ts'
import { TE } from '../../src/prelude.ts'

export type PaperKernel = Kernel &
  Readonly<{ state: () => KernelState; refuseNext: (n: number | null) => void; applied: () => number }>

/** What a real kernel would say no to: creating what is there, touching what is not. */
const impossible = (state: KernelState, op: KernelOp): boolean =>
  hasIn(state, keyOf(op.object)) === (op.verb === 'create')

export const paperKernel = (): PaperKernel => {
  let state = EMPTY_STATE
  let countdown: number | null = null
  let count = 0
  return {
    name: 'sim',
    state: () => state,
    applied: () => count,
    refuseNext: (n) => {
      countdown = n
    },
    observe: ({ namespaces, sysctls }) =>
      TE.fromIO(() =>
        stateOf(
          objectsOf(state).filter((object) =>
            object.kind === 'sysctl'
              ? sysctls.some(({ ns, name }) => ns === object.ns && name === object.name)
              : namespaces.includes(object.ns),
          ),
        ),
      ),
    apply: (ops) => async () => {
      const refusals: Refusal[] = []
      ops.forEach((op, at) => {
        const chosen = countdown !== null && countdown-- === 0
        if (chosen) countdown = null
        if (chosen || impossible(state, op)) refusals.push({ at, op, errno: chosen ? 'EBUSY' : 'EEXIST', detail: null })
        else {
          state = after(state, op)
          count += 1
        }
      })
      return refusals.length === 0 ? { _tag: 'Right', right: undefined } : { _tag: 'Left', left: refusals }
    },
    probe: () => TE.left({ tag: 'KernelUnavailable', what: 'paper carries no packets', hint: null }),
  }
}
