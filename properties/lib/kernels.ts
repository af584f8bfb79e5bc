// Kernels for laws about the engine, which must hold whatever kernel is below: one on paper, which holds what `after` says,
// and the simulated one. Both can be told to refuse an operation.

import { scopeOf } from '../../src/engine/look.ts'
import { after } from '../../src/kernel/diff.ts'
import { makeHoldBack } from '../../src/kernel/hold-back.ts'
import type { Kernel, Refusal } from '../../src/kernel/kernel.ts'
import { type KernelObject, keyOf } from '../../src/kernel/object.ts'
import type { KernelOp } from '../../src/kernel/op.ts'
import { EMPTY_STATE, type KernelState, objectsOf, stateOf } from '../../src/kernel/state.ts'
import { hostWorld } from '../../src/kernel-sim/control.ts'
import { simKernel } from '../../src/kernel-sim/kernel.ts'
import { observe } from '../../src/kernel-sim/observe.ts'
import { isNameless, type World } from '../../src/kernel-sim/state.ts'
import { LO } from '../../src/net/name.ts'
import { hasIn, valuesOf } from '../../src/net/pmap.ts'
import { E, TE } from '../../src/prelude.ts'

export type TestKernel = Kernel &
  Readonly<{
    /** All it holds, but for what a host has anyway; of its sysctls those that `known` names. */
    objects: (known: KernelState) => ReadonlyArray<KernelObject>
    /** Refuses the n-th operation from now, counted from 0; null: none. */
    refuseNext: (n: number | null) => void
  }>

/** What a real kernel would say no to: creating what is there, touching what is not. */
const impossible = (state: KernelState, op: KernelOp): boolean =>
  hasIn(state, keyOf(op.object)) === (op.verb === 'create')

/** Counts down over operations, and says when it is time to refuse. */
const fuse = () => {
  let left: number | null = null
  return {
    set: (n: number | null): void => {
      left = n
    },
    blows: (): boolean => left !== null && left-- === 0,
  }
}

/** The refusals of a list, and what they hold back. */
const refusing = () => {
  const refusals: Refusal[] = []
  const holdBack = makeHoldBack()
  const refuse = (refusal: Refusal): void => {
    holdBack.note(refusal)
    refusals.push(refusal)
  }
  return { refusals, refuse, refusalOf: holdBack.refusalOf }
}

export const paperKernel = (): TestKernel => {
  let state = EMPTY_STATE
  const { set, blows } = fuse()
  return {
    name: 'sim',
    marksAtOnce: true,
    settled: async () => {},
    objects: () => objectsOf(state),
    refuseNext: set,
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
      const { refusals, refuse, refusalOf } = refusing()
      ops.forEach((op, at) => {
        const held = refusalOf(op, at)
        const chosen = held === null && blows()
        if (held !== null) refuse(held)
        else if (chosen || impossible(state, op)) refuse({ at, op, errno: chosen ? 'EBUSY' : 'EEXIST', detail: null })
        else state = after(state, op)
      })
      return refusals.length === 0 ? E.right(undefined) : E.left(refusals)
    },
    probe: () => TE.left({ tag: 'KernelUnavailable', what: 'paper carries no packets', hint: null }),
    counters: () => TE.left({ tag: 'KernelUnavailable', what: 'paper counts no packets', hint: null }),
  }
}

/** Others have their namespaces, and loopback in them; what else is in one without a name, we have left there. */
const isTheirs = (object: KernelObject): boolean =>
  isNameless(object.ns) && (object.kind === 'netns' || (object.kind === 'link' && object.name === LO))

const everything = (world: World, known: KernelState): ReadonlyArray<KernelObject> => {
  const { sysctls } = scopeOf([known])
  const all = observe(world, { namespaces: valuesOf(world.namespaces).map(({ ns }) => ns), sysctls })
  return objectsOf(all).filter((object) => !isTheirs(object))
}

export const faultySim = (): TestKernel => {
  const kernel = simKernel()
  const anyway = new Set(everything(hostWorld(), EMPTY_STATE).map(keyOf))
  const { set, blows } = fuse()
  return {
    ...kernel,
    objects: (known) => everything(kernel.world(), known).filter((object) => !anyway.has(keyOf(object))),
    refuseNext: set,
    apply: (ops) => async () => {
      const { refusals, refuse, refusalOf } = refusing()
      for (const [at, op] of ops.entries()) {
        const held = refusalOf(op, at)
        if (held !== null) {
          refuse(held)
          continue
        }
        const applied = blows()
          ? E.left([{ at, op, errno: 'EBUSY' as const, detail: null }])
          : await kernel.apply([op])()
        if (E.isRight(applied)) continue
        if ('tag' in applied.left) return applied
        for (const refusal of applied.left) refuse({ ...refusal, at })
      }
      return refusals.length === 0 ? E.right(undefined) : E.left(refusals)
    },
  }
}
