// Several servers as one: a request goes to the one that answered last, to the next when that one does not, and again until the
// patience is over. What may have been done is sent again only if the caller says that doing it twice does no harm.

import { setTimeout as sleep } from 'node:timers/promises'
import { E, type Either } from '../../prelude.ts'
import type { Member } from '../url.ts'
import type { Fault } from './fault.ts'

const BETWEEN_ROUNDS_MS = 100

export type Effort = Readonly<{
  /** The place of the first that is asked; those after it count on. */
  first: number
  /** Also after a request that may have been done. */
  again: boolean
  patienceMs: number
}>

/** `at` counts on beyond the last, to the first again. */
export const memberAt = (members: ReadonlyArray<Member>, at: number): Member => {
  const member = members[at % members.length]
  if (member === undefined) throw new Error('a cluster has members')
  return member
}

/** `F`: what one attempt may also end with, which is nothing that another server could do better. */
export const persist = async <A, F extends Readonly<{ tag: string }>>(
  attempt: (at: number) => Promise<Either<Fault | F, A>>,
  members: number,
  { first, again, patienceMs }: Effort,
): Promise<Either<Fault | F, A>> => {
  const start = performance.now()
  let denials = 0
  for (let at = 0; ; at++) {
    const answer = await attempt(first + at)
    if (E.isRight(answer)) return answer
    const fault = answer.left
    const isRefused = 'error' in fault
    if (!isRefused && fault.tag !== 'Elsewhere' && !(again && fault.tag === 'Unclear')) return answer
    // Another member may have a better certificate.
    denials = isRefused ? denials + 1 : 0
    if (isRefused && (fault.error.tag !== 'StoreDenied' || denials === members)) return answer
    if (performance.now() - start > patienceMs) return answer
    if ((at + 1) % members === 0) await sleep(BETWEEN_ROUNDS_MS)
  }
}
