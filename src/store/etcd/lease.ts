// etcd's leases: granted, kept alive a few times in their time to live, revoked. Our clock for one begins when a renewal is sent, the
// server's when it arrives; so we call it lost first.

import { E, type Either } from '../../prelude.ts'
import type { Clock } from '../clock.ts'
import { RENEWALS } from '../lease.ts'
import { numberIn } from './answer.ts'
import type { Client } from './client.ts'
import type { Fault } from './fault.ts'

/** `id` has more digits than a number. `ttlMs`: the server may give more than was asked for. */
type Granted = Readonly<{ id: string; ttlMs: number }>

/** If no answer comes it may be granted all the same: it then ends unused. */
export const grant = async (client: Client, ttlMs: number): Promise<Either<Fault, Granted>> => {
  const answer = await client.ask('grant', { TTL: String(Math.ceil(ttlMs / 1000)) })
  return E.isLeft(answer)
    ? answer
    : E.right({ id: String(answer.right['ID']), ttlMs: 1000 * numberIn(answer.right, 'TTL') })
}

const REVOKE_PATIENCE_MS = 1000

/** Best effort: it ends by itself. */
export const revoke = async (client: Client, id: string): Promise<void> => {
  await client.ask('revoke', { ID: id }, REVOKE_PATIENCE_MS)
}

/** Renews it until it is stopped or lost; `lost` is called once. Returns how to stop. */
export const keepAlive = (
  { client, clock }: Readonly<{ client: Client; clock: Clock }>,
  id: string,
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
    const answer = await client.ask('keepAlive', { ID: id }, ttlMs / RENEWALS)
    if (isOver) return
    if (E.isLeft(answer)) {
      if (answer.left.tag === 'NoLease') return lose()
      withdrawNext = clock.after(ttlMs / RENEWALS / 4, renew)
      return
    }
    // A lease that is over is answered without a time to live.
    if (numberIn(answer.right, 'TTL') === 0) return lose()
    withdrawEnd()
    withdrawEnd = clock.after(ttlMs - (performance.now() - sentAt), lose)
    withdrawNext = clock.after(ttlMs / RENEWALS, renew)
  }
  withdrawEnd = clock.after(ttlMs, lose)
  withdrawNext = clock.after(ttlMs / RENEWALS, renew)
  return end
}
