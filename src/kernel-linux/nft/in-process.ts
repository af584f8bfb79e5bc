// The firewall through libnftables in this process. Nobody is in the library while somebody else is.
// Contexts are kept for a while because to free one waits for what was deleted through it (libnftables.ts); by then that is over.
// Their cache is no danger: the library asks the kernel for the generation of the ruleset at each run.

import { TABLE } from '../../kernel/firewall/skeleton.ts'
import { E, type Either } from '../../prelude.ts'
import { complaintOf } from '../errno.ts'
import type { Firewall } from '../firewall.ts'
import { limitOf } from '../limit.ts'
import type { NetlinkError } from '../netlink/error.ts'
import { loadLibc } from '../netlink/libc.ts'
import { absent, enter, type Paths, portError } from '../place.ts'
import { unavailable } from '../run.ts'
import { type Attempt, carryOut } from './carry-out.ts'
import { keeping } from './kept.ts'
import { type Context, loadNftables } from './libnftables.ts'
import { readListing } from './listing.ts'
import { hasTable } from './presence.ts'

/** Operations that take less than a millisecond together, so that to go to a worker thread would be the greater part. */
const FEW = 16

/** Of the process, as the library is. */
const inTurn = limitOf(1)

/**
 * To take a table's chains off their hooks may wait, and a transaction that is refused does: for RCU, some 10 ms
 * (__nf_tables_abort). Few are, but part of one that was is likely to be.
 */
const attemptIn =
  (context: Context): Attempt =>
  async ({ text, ops, table }, again) => {
    const turn = !again && !table && ops.length <= FEW ? 'here' : 'aside'
    const said = await (ops.length === 1 ? context.run(text, turn) : context.runFile(text, turn))
    return E.right(E.isRight(said) ? null : said.left)
  }

/** Left: NoLibc, where libnftables or koffi is not there. */
export const throughLibnftables = (paths: Paths): Either<NetlinkError, Firewall> => {
  const libc = loadLibc()
  if (E.isLeft(libc)) return libc
  const nftables = loadNftables()
  if (E.isLeft(nftables)) return nftables
  const contexts = keeping<Context>(inTurn, {
    open: (path) => {
      const opened = enter(libc.right, path, nftables.right.open)
      return E.isLeft(opened) ? opened : opened.right
    },
    works: () => true,
    end: (context) => context.free(),
  })
  const failed = (error: NetlinkError) => E.left(portError('nftables', error))
  return E.right({
    look: async (ns) => {
      const there = await hasTable(paths(ns))
      if (E.isLeft(there)) return absent(there.left) === null ? failed(there.left) : E.right([])
      if (!there.right) return E.right([])
      const said = await contexts.use(paths(ns), false, (context) => context.list(`list table inet ${TABLE}`))
      if (E.isLeft(said)) return absent(said.left) === null ? failed(said.left) : E.right([])
      if (E.isRight(said.right)) return await readListing(ns, said.right.right)
      const { errno, detail } = complaintOf(said.right.left)
      return errno === 'ENOENT' ? E.right([]) : E.left(unavailable(`nftables: ${detail}`))
    },
    run: async (ns, ops) => {
      const ran = await contexts.use(paths(ns), true, (context) => carryOut(attemptIn(context), ops))
      if (E.isRight(ran)) return ran.right
      const complaint = absent(ran.left)
      return complaint === null ? failed(ran.left) : E.right(ops.map((_, at) => ({ at, complaint })))
    },
    vacate: (ns) => contexts.vacate(paths(ns)),
    close: contexts.close,
  })
}
