// What can happen to an engine from below: the power goes, an answer is late, the store or the kernel cannot be asked. Each
// is a wrapper around a kernel and a store that behave otherwise as they are.

import type fc from 'fast-check'
import type { Kernel } from '../../src/kernel/kernel.ts'
import { losingPower as kernelLosing, powerFor } from '../../src/kernel-sim/faults.ts'
import { E, type TaskEither } from '../../src/prelude.ts'
import type { Store } from '../../src/store/store.ts'

export type Below = Readonly<{ kernel: Kernel; store: Store }>

/**
 * Stops after `steps` operations of the kernel and transactions of the store: those before have happened, those after have
 * not, and nobody is answered any more. `lost` settles when that is so.
 */
export const losingPower = ({ kernel, store }: Below, steps: number): Below & Readonly<{ lost: Promise<void> }> => {
  const power = powerFor(steps)
  return {
    lost: power.lost,
    kernel: kernelLosing(kernel, power),
    store: {
      ...store,
      transact: (transaction) => async () => (power.take(1) === 0 ? power.silence() : store.transact(transaction)()),
    },
  }
}

/** Each answer comes when the scheduler says so; the kernel stops half-way through a list of operations. */
export const answeringLate = ({ kernel, store }: Below, scheduler: fc.Scheduler): Below => {
  const late = <X, A>(what: string, task: TaskEither<X, A>): TaskEither<X, A> => {
    return async () => {
      await scheduler.schedule(Promise.resolve(), `${what} begins`)
      const answer = await task()
      await scheduler.schedule(Promise.resolve(), `${what} ends`)
      return answer
    }
  }
  return {
    kernel: {
      ...kernel,
      observe: (scope) => late('a look', kernel.observe(scope)),
      apply: (ops) =>
        late('work of the kernel', async () => {
          const half = ops.length >> 1
          if (half === 0) return kernel.apply(ops)()
          const first = await kernel.apply(ops.slice(0, half))()
          await scheduler.schedule(Promise.resolve(), 'work of the kernel is half done')
          const second = await kernel.apply(ops.slice(half))()
          if (E.isRight(first)) {
            if (E.isRight(second) || 'tag' in second.left) return second
            return E.left(second.left.map((refusal) => ({ ...refusal, at: refusal.at + half })))
          }
          if (E.isRight(second) || 'tag' in first.left) return first
          if ('tag' in second.left) return second
          return E.left([...first.left, ...second.left.map((refusal) => ({ ...refusal, at: refusal.at + half }))])
        }),
    },
    store: { ...store, transact: (transaction) => late('a transaction', store.transact(transaction)) },
  }
}

/** The n-th call from now (counted from 0) cannot be made: of a look, of work for the kernel, or of a transaction. */
export const failingOnce = ({
  kernel,
  store,
}: Below): Below & Readonly<{ failNext: (n: number) => void; failed: () => boolean }> => {
  let left = Number.POSITIVE_INFINITY
  let failed = false
  const fails = (): boolean => {
    const now = left === 0
    left -= 1
    if (now) failed = true
    return now
  }
  const nobody = { what: 'nobody is there', hint: null }
  return {
    failNext: (n) => {
      left = n
    },
    failed: () => failed,
    kernel: {
      ...kernel,
      observe: (scope) => async () =>
        fails() ? E.left({ tag: 'KernelUnavailable', ...nobody }) : kernel.observe(scope)(),
      apply: (ops) => async () => (fails() ? E.left({ tag: 'KernelUnavailable', ...nobody }) : kernel.apply(ops)()),
    },
    store: {
      ...store,
      transact: (transaction) => async () =>
        fails() ? E.left({ tag: 'StoreUnavailable', ...nobody }) : store.transact(transaction)(),
    },
  }
}
