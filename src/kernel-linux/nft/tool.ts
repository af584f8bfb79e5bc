// The firewall through nft(8): a process for each transaction and each look. The second witness, and what is left where
// libnftables cannot be loaded.

import { TABLE } from '../../kernel/firewall/skeleton.ts'
import { E } from '../../prelude.ts'
import { complaintOf, noNamespace } from '../errno.ts'
import type { Firewall } from '../firewall.ts'
import type { Paths } from '../place.ts'
import type { Run } from '../run.ts'
import { failed } from '../transport.ts'
import { type Attempt, carryOut } from './carry-out.ts'
import { readListing } from './listing.ts'

/** A process for each attempt; none once the namespace has turned out not to be there. */
export const attemptIn = (run: Run, where: string | null): Attempt => {
  let outside: string | null = null
  return async ({ text }) => {
    if (outside !== null) return E.right(outside)
    const ran = await run(where, 'nft', ['-f', '-'], text)
    if (E.isLeft(ran)) return ran
    const { status, stderr } = ran.right
    if (status !== 0 && noNamespace(stderr)) outside = stderr
    return E.right(status === 0 ? null : stderr)
  }
}

/** `where`: how `run` calls namespaces. */
export const throughNft = (run: Run, where: Paths): Firewall => ({
  look: async (ns) => {
    const ran = await run(where(ns), 'nft', ['--json', 'list', 'table', 'inet', TABLE])
    if (E.isLeft(ran)) return ran
    const { status, stdout, stderr } = ran.right
    if (status === 0) return await readListing(ns, stdout)
    return noNamespace(stderr) || complaintOf(stderr).errno === 'ENOENT' ? E.right([]) : failed('nft', ran.right)
  },
  run: (ns, ops) => carryOut(attemptIn(run, where(ns)), ops),
  vacate: async () => {},
  close: async () => {},
})
