// Deleting a namespace returns at once; the kernel takes its veths apart some milliseconds later. Until then their other
// ends still hold their names and addresses, so whoever deletes waits for those ends to go.

import type { Ns } from '../net/name.ts'
import { E } from '../prelude.ts'
import type { RawLink } from './decode/links.ts'
import type { Eyes } from './observe.ts'
import type { Result, Transport } from './transport.ts'

/** Ends of veths in a namespace that are about to go. */
export type Leaving = Readonly<{ ns: Ns; indexes: ReadonlySet<number> }>

/** The ends in `ns` whose other ends are in one of the namespaces `gone`; to be asked before they are deleted. */
export const leaving = async (transport: Transport, ns: Ns, gone: ReadonlySet<string>): Result<Leaving> => {
  const ends = await transport.ends(ns, gone)
  if (E.isLeft(ends)) return ends
  const { links, names } = ends.right
  const indexes = links.flatMap(({ index, type }) => {
    const nsid = type.type === 'veth' ? type.peer.nsid : null
    return nsid !== null && gone.has(names.get(nsid) ?? '') ? [index] : []
  })
  return E.right({ ns, indexes: new Set(indexes) })
}

const PATIENCE_MS = 2000
const PAUSE_MS = 5
/** The kernel takes many namespaces apart together in less. */
const USUAL_MS = 150

const remaining = async (transport: Transport, { ns, indexes }: Leaving): Result<ReadonlyArray<RawLink>> => {
  const ends = await transport.ends(ns, [])
  return E.isLeft(ends) ? ends : E.right(ends.right.links.filter(({ index }) => indexes.has(index)))
}

/**
 * Resolves when they are gone, at the latest after two seconds. A packet that waits for a neighbour's answer keeps its
 * namespace for three seconds more; so what is left after the usual time is deleted from this side, which drops the packet.
 */
export const departed = async ({ run, names, transport }: Eyes, leavingEnds: Leaving): Result<void> => {
  if (leavingEnds.indexes.size === 0) return E.right(undefined)
  const start = performance.now()
  let deleted = false
  while (performance.now() - start < PATIENCE_MS) {
    const left = await remaining(transport, leavingEnds)
    if (E.isLeft(left)) return left
    if (left.right.length === 0) break
    if (!deleted && performance.now() - start > USUAL_MS) {
      const script = left.right.map(({ name }) => `link delete dev ${name}\n`).join('')
      const ran = await run(names(leavingEnds.ns), 'ip', ['-force', '-batch', '-'], script)
      if (E.isLeft(ran)) return ran
      deleted = true
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
  return E.right(undefined)
}
