// Whether this machine and this user can do it at all, found out by doing a little of it: a namespace, the firewall's
// skeleton in it, and away again.

import { skeletonTable } from '../kernel/firewall/elements.ts'
import type { KernelError } from '../kernel/kernel.ts'
import type { KernelOp } from '../kernel/op.ts'
import { HOST } from '../net/name.ts'
import { E, type Either } from '../prelude.ts'
import { apply } from './apply.ts'
import { removeLab } from './lab.ts'
import { type Lab, labNames } from './names.ts'
import { runWithin, TOOLS, unavailable } from './run.ts'
import { throughIproute2 } from './transport.ts'

const AS_ROOT = 'run it as root, or with CAP_NET_ADMIN and CAP_SYS_ADMIN'
const HINT: Readonly<Record<'netns' | 'nft-table', string>> = {
  netns: AS_ROOT,
  'nft-table': 'the kernel needs nf_tables with inet nat, fib and conntrack support',
}

const TRIAL: ReadonlyArray<KernelOp> = [
  { verb: 'create', object: { kind: 'netns', ns: HOST } },
  { verb: 'create', object: skeletonTable(HOST) },
]

const tryOut = async (lab: Lab): Promise<Either<KernelError, void>> => {
  const run = runWithin(1)
  const names = labNames(lab)
  const machine = { run, names, transport: throughIproute2(run, names), vacate: async () => {} }
  const tried = await apply(machine, TRIAL)
  const removed = await removeLab(lab)
  if (E.isRight(tried)) return removed
  if ('tag' in tried.left) return E.left(tried.left)
  const first = tried.left[0]
  const hint = HINT[first?.op.object.kind === 'nft-table' ? 'nft-table' : 'netns']
  const what = `a namespace with a firewall cannot be made here: ${first?.detail ?? 'no reason was given'}`
  return E.left(unavailable(what, hint))
}

/**
 * Right: namespaces can be made, the tools are there, nft knows what the firewall needs. Left: what is missing. The trial is
 * made in an empty lab of this name, which is removed.
 */
export const linuxReady = async (lab: Lab): Promise<Either<KernelError, void>> => {
  if (process.platform !== 'linux') return E.left(unavailable(`this is ${process.platform}, not Linux`))
  const run = runWithin(1)
  for (const tool of TOOLS) {
    const ran = await run(null, tool, ['-V'])
    if (E.isLeft(ran)) return ran
  }
  return tryOut(lab)
}
