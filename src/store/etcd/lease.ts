// etcd's leases: granted, kept alive (../keep-alive.ts), revoked.

import { E, type Either } from '../../prelude.ts'
import type { Clock } from '../clock.ts'
import { keepAlive, type Renewal } from '../keep-alive.ts'
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
export const keepLease = (
  { client, clock }: Readonly<{ client: Client; clock: Clock }>,
  id: string,
  ttlMs: number,
  lost: () => void,
): (() => void) => {
  const ask = async (patienceMs: number): Promise<Renewal> => {
    const answer = await client.ask('keepAlive', { ID: id }, patienceMs)
    if (E.isLeft(answer)) return answer.left.tag === 'NoLease' ? 'over' : 'unheard'
    // A lease that is over is answered without a time to live.
    return numberIn(answer.right, 'TTL') === 0 ? 'over' : 'kept'
  }
  return keepAlive(clock, ask, ttlMs, lost)
}
