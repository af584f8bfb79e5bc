// The Kernel port over a simulated world. The only state of this folder: which world is now. It stays open for packets from one
// probe to the next, and is a value again when it is looked at or changed.

import { makeHoldBack } from '../kernel/hold-back.ts'
import type { Kernel, Probe, Refusal, Scope } from '../kernel/kernel.ts'
import type { KernelOp } from '../kernel/op.ts'
import { E } from '../prelude.ts'
import { draftOf, worldOf } from './control/draft.ts'
import { hostWorld, perform } from './control.ts'
import { countersIn } from './counters.ts'
import { probeOver } from './datapath/probe.ts'
import { PARTS } from './datapath/wired.ts'
import { type Names, NO_NAMES } from './datapath/words.ts'
import { closeWorld, type OpenWorld, openWorld } from './datapath/world.ts'
import { atRest } from './elapse.ts'
import { factsOf } from './facts.ts'
import { observe } from './observe.ts'
import type { World } from './state.ts'

/** `world` is the present one, a value that stays as it is; `reset` goes back (or elsewhere). */
export type SimKernel = Kernel & Readonly<{ world: () => World; reset: (world: World) => void }>

/** The world after all operations that were not refused, and those that were, by their place in the list. */
export const applyAll = (
  world: World,
  ops: ReadonlyArray<KernelOp>,
): Readonly<{ world: World; refusals: ReadonlyArray<Refusal> }> => {
  const refusals: Refusal[] = []
  const holdBack = makeHoldBack()
  const draft = draftOf(world)
  ops.forEach((op, at) => {
    const held = holdBack.refusalOf(op, at)
    const errno = held === null ? perform(draft, op) : null
    const refusal = errno === null ? held : { at, op, errno, detail: null }
    if (refusal === null) return
    holdBack.note(refusal)
    refusals.push(refusal)
  })
  return { world: worldOf(draft), refusals }
}

/**
 * A simulated kernel; without `initial`, of a machine with nothing but its own namespace. Always available. Only probes move its clock:
 * each begins once no address is asked about any more. `names` are asked for at each, for what is there is often named only after it
 * was built.
 */
export const simKernel = (initial: World = hostWorld(), names: () => Names = () => NO_NAMES): SimKernel => {
  let closed = initial
  let open: OpenWorld | null = null
  const present = (): World => {
    if (open !== null) closed = closeWorld(open)
    open = null
    return closed
  }
  return {
    name: 'sim',
    marksAtOnce: true,
    observe: (scope: Scope) => async () => E.right(observe(present(), scope)),
    apply: (ops: ReadonlyArray<KernelOp>) => async () => {
      const result = applyAll(present(), ops)
      closed = result.world
      return result.refusals.length === 0 ? E.right(undefined) : E.left(result.refusals)
    },
    facts: (question) => async () => E.right(factsOf(present(), question)),
    settled: async () => {},
    probe: (probe: Probe) => async () => {
      open ??= openWorld(PARTS, atRest(PARTS, closed))
      return E.right(probeOver(open.plane, open.host, probe, names()))
    },
    counters: (ns) => async () => E.right(countersIn(present(), ns)),
    world: present,
    reset: (next) => {
      open = null
      closed = next
    },
  }
}
