// Faults on command, around any kernel: the n-th operation is refused with an errno, the power goes after k operations, or something
// changes behind the engine's back. Operations are counted from 0, from when the fault was set; those that are held back because of
// others (kernel/hold-back.ts) are not counted.
// Invariant: but for its fault, a kernel is as it was.

import type { Errno } from '../kernel/errno.ts'
import { makeHoldBack } from '../kernel/hold-back.ts'
import type { Kernel, KernelError, Refusal } from '../kernel/kernel.ts'
import type { KernelOp } from '../kernel/op.ts'
import { E, type Either } from '../prelude.ts'
import type { SimKernel } from './kernel.ts'
import type { World } from './state.ts'

type Applied = Either<ReadonlyArray<Refusal> | KernelError, void>

/** What becomes of an operation before the kernel sees it: an errno it is refused with; null: it goes on. */
type Fate = () => Errno | null

/** One operation after the other. One promise for all of them: a chain of as many would keep its caller waiting at its end. */
const applyEach = (kernel: Kernel, ops: ReadonlyArray<KernelOp>, fate: Fate): Promise<Applied> => {
  const refusals: Refusal[] = []
  const holdBack = makeHoldBack()
  const refuse = (refusal: Refusal): void => {
    holdBack.note(refusal)
    refusals.push(refusal)
  }
  /** The next operation that the kernel is to be asked for, from here on; null: there is none left. */
  const nextFrom = (start: number): Readonly<{ op: KernelOp; at: number }> | null => {
    for (let at = start; ; at++) {
      const op = ops[at]
      if (op === undefined) return null
      const held = holdBack.refusalOf(op, at)
      const errno = held === null ? fate() : null
      if (held === null && errno === null) return { op, at }
      refuse(held ?? { at, op, errno: errno ?? 'EBUSY', detail: null })
    }
  }
  return new Promise((resolve, reject) => {
    const goOn = (start: number): void => {
      const next = nextFrom(start)
      if (next === null) resolve(refusals.length === 0 ? E.right(undefined) : E.left(refusals))
      else
        kernel
          .apply([next.op])()
          .then((applied) => heard(applied, next.at), reject)
    }
    const heard = (applied: Applied, at: number): void => {
      if (E.isRight(applied)) goOn(at + 1)
      else if ('tag' in applied.left) resolve(applied)
      else {
        for (const refusal of applied.left) refuse({ ...refusal, at })
        goOn(at + 1)
      }
    }
    goOn(0)
  })
}

/** `refuseNext`: the n-th operation from now is refused; null: none is. */
export type Refusing = Readonly<{ refuseNext: (n: number | null, errno?: Errno) => void }>

export const refusing = <K extends Kernel>(kernel: K): K & Refusing => {
  let left: number | null = null
  let said: Errno = 'EBUSY'
  const fate: Fate = () => (left !== null && left-- === 0 ? said : null)
  return {
    ...kernel,
    refuseNext: (n, errno = 'EBUSY') => {
      left = n
      said = errno
    },
    apply: (ops) => () => applyEach(kernel, ops, fate),
  }
}

/** So many steps are done yet, of all who share it; then nobody is answered any more, and `lost` settles. */
export type Power = Readonly<{
  /** Takes steps, as many as there are left of these. */
  take: (steps: number) => number
  silence: <A>() => Promise<A>
  lost: Promise<void>
}>

export const powerFor = (steps: number): Power => {
  let left = steps
  let lose = (): void => {}
  const lost = new Promise<void>((resolve) => {
    lose = resolve
  })
  return {
    take: (wanted) => {
      const taken = Math.min(left, wanted)
      left -= taken
      return taken
    },
    silence: <A>() => {
      lose()
      return new Promise<A>(() => {})
    },
    lost,
  }
}

/** Operations before the power goes have happened, those after have not. */
export const losingPower = <K extends Kernel>(kernel: K, power: Power): K => ({
  ...kernel,
  apply: (ops) => () => {
    const done = power.take(ops.length)
    const answer = kernel.apply(ops.slice(0, done))()
    return done < ops.length ? answer.then(() => power.silence<Applied>()) : answer
  },
})

/** Once so many operations were asked for, somebody else does something to the world, and nobody is told. */
export const changedBehind = (kernel: SimKernel, after: number, change: (world: World) => World): SimKernel => {
  let left = after
  const fate: Fate = () => {
    if (left-- === 0) kernel.reset(change(kernel.world()))
    return null
  }
  return { ...kernel, apply: (ops) => () => applyEach(kernel, ops, fate) }
}
