// A lease on servers, renewed a few times in its time to live. Our clock for it begins when a renewal is sent, the server's when that
// arrives; so we call it lost first.

import type { Clock } from './clock.ts'
import { RENEWALS } from './lease.ts'

/** `over`: the server says that there is no such lease any more; `unheard`: it did not answer. */
export type Renewal = 'kept' | 'over' | 'unheard'

/** Renews it until it is stopped or lost; `lost` is called once. Returns how to stop. */
export const keepAlive = (
  clock: Clock,
  ask: (patienceMs: number) => Promise<Renewal>,
  ttlMs: number,
  lost: () => void,
): (() => void) => {
  let isOver = false
  let withdrawNext = (): void => {}
  let withdrawEnd = (): void => {}
  const end = (): void => {
    isOver = true
    withdrawNext()
    withdrawEnd()
  }
  const lose = (): void => {
    if (isOver) return
    end()
    lost()
  }
  const renew = async (): Promise<void> => {
    const sentAt = performance.now()
    const renewal = await ask(ttlMs / RENEWALS)
    if (isOver) return
    if (renewal === 'over') return lose()
    if (renewal === 'kept') {
      withdrawEnd()
      withdrawEnd = clock.after(ttlMs - (performance.now() - sentAt), lose)
    }
    withdrawNext = clock.after(renewal === 'kept' ? ttlMs / RENEWALS : ttlMs / RENEWALS / 4, renew)
  }
  withdrawEnd = clock.after(ttlMs, lose)
  withdrawNext = clock.after(ttlMs / RENEWALS, renew)
  return end
}
