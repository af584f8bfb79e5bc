// Whether this machine and this user can do it at all, found out before anything is begun: the capabilities (capabilities.ts),
// and then a little of it in earnest: a namespace with a name, the firewall's skeleton in it, and away again.

import { skeletonTable } from '../kernel/firewall/elements.ts'
import type { KernelError } from '../kernel/kernel.ts'
import type { KernelOp } from '../kernel/op.ts'
import { HOST } from '../net/name.ts'
import { E, type Either } from '../prelude.ts'
import { lookAtMachine, lookAtUser, lookAtUserns } from './capabilities/look.ts'
import { BASICS, lackingOf, mayChange } from './capabilities.ts'
import { removeLab } from './lab.ts'
import { linuxKernel } from './linux.ts'
import { type Lab, labNames } from './names.ts'
import { showNetlinkError } from './netlink/error.ts'
import { loadLibc } from './netlink/libc.ts'
import { unavailable } from './run.ts'

export const TRANSPORTS = ['netlink', 'iproute2'] as const
export type TransportName = (typeof TRANSPORTS)[number]

/** `asked` null: netlink, or iproute2 where the C library cannot be called. Left: what was asked for cannot be. */
export const transportFor = (asked: TransportName | null): Either<KernelError, TransportName> => {
  if (asked === 'iproute2') return E.right(asked)
  const libc = loadLibc()
  if (E.isRight(libc)) return E.right('netlink')
  if (asked === null) return E.right('iproute2')
  const [why = ''] = showNetlinkError(libc.left).split('\n')
  return E.left(unavailable(`the transport netlink cannot be used: ${why}`, 'say --transport iproute2'))
}

const AS_ROOT = 'run it as root, or with CAP_NET_ADMIN and CAP_SYS_ADMIN'

/** Null: the user may change networks here. `orElse`: what else he could do. Quick. */
export const withoutRights = (orElse: string): KernelError | null => {
  if (process.platform !== 'linux') return unavailable(`this is ${process.platform}, not Linux`)
  return mayChange(lookAtUser())
    ? null
    : unavailable('this user may not change the networks of this machine', `${AS_ROOT}${orElse}`)
}

/** Null: all that every network needs is there, as far as can be told. */
export const withoutBasics = async (): Promise<KernelError | null> => {
  const lacks = lackingOf(await lookAtMachine(), BASICS)
  return lacks.length === 0
    ? null
    : unavailable(lacks.join('; '), '"cnm doctor --machine" shows what this machine can do')
}

const TRIAL: ReadonlyArray<KernelOp> = [
  { verb: 'create', object: { kind: 'netns', ns: HOST, at: null } },
  { verb: 'create', object: skeletonTable(HOST) },
]
const HINT: Readonly<Record<'netns' | 'nft-table', string>> = {
  netns: AS_ROOT,
  'nft-table': 'the kernel needs nf_tables with inet nat, fib and conntrack support',
}

const tryOut = async (lab: Lab, transport: TransportName): Promise<Either<KernelError, void>> => {
  const kernel = linuxKernel({ names: labNames(lab), transport })
  const tried = await kernel.apply(TRIAL)()
  await kernel.close()
  const removed = await removeLab(lab)
  if (E.isRight(tried)) return removed
  if ('tag' in tried.left) return E.left(tried.left)
  const first = tried.left[0]
  const hint = HINT[first?.op.object.kind === 'nft-table' ? 'nft-table' : 'netns']
  const what = `a namespace with a firewall cannot be made here: ${first?.detail ?? 'no reason was given'}`
  return E.left(unavailable(what, hint))
}

/**
 * Right: namespaces can be made, the tools are there, the kernel has what every network needs. Left: what is missing. The trial is
 * made in an empty lab of this name, which is removed.
 */
export const linuxReady = async (lab: Lab, transport: TransportName): Promise<Either<KernelError, void>> => {
  const userns = mayChange(lookAtUser()) ? null : await lookAtUserns()
  const rights = withoutRights(userns?.is === 'there' ? ', or as this user with --rootless' : '')
  if (rights !== null) return E.left(rights)
  const basics = await withoutBasics()
  return basics === null ? tryOut(lab, transport) : E.left(basics)
}
