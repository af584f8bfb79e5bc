// The counters of a namespace's devices, through ip(8) whatever the transport: nobody waits for them in a hurry.

import type { Counters } from '../kernel/kernel.ts'
import { E } from '../prelude.ts'
import { decodeCounters } from './decode/counters.ts'
import { documents } from './decode/json.ts'
import { noNamespace } from './errno.ts'
import type { Run } from './run.ts'
import { failed, type Result } from './transport.ts'

/** `real`: a name below /run/netns, or null for the namespace of this process. */
export const counters = async (run: Run, real: string | null): Result<ReadonlyArray<Counters>> => {
  const ran = await run(real, 'ip', ['-json', '-statistics', 'link', 'show'])
  if (E.isLeft(ran)) return ran
  const { status, stdout, stderr } = ran.right
  if (noNamespace(stderr)) return E.right([])
  return status === 0 ? E.right(decodeCounters(documents(stdout)[0])) : failed('ip', ran.right)
}
