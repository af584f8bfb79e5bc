// Deleting a namespace returns at once; the kernel takes its veths apart some milliseconds later. Until then their other
// ends still hold their names and addresses, so whoever deletes waits for those ends to go.

import type { KernelError } from '../kernel/kernel.ts'
import { E, type Either } from '../prelude.ts'
import { documents } from './decode/json.ts'
import { decodeLinks, type RawLink } from './decode/links.ts'
import { decodeNsids } from './decode/nsids.ts'
import type { Run } from './run.ts'

/** Ends of veths in a namespace (`real`) that are about to go. */
export type Leaving = Readonly<{ real: string | null; indexes: ReadonlySet<number> }>

const dump = async (run: Run, real: string | null): Promise<Either<KernelError, ReadonlyArray<unknown>>> => {
  const ran = await run(real, 'ip', ['-json', '-details', '-batch', '-'], 'address show\nnetns list-id\n')
  return E.isLeft(ran) ? ran : E.right(documents(ran.right.stdout))
}

/** The ends in `real` whose other ends are in one of the namespaces `gone`; to be asked before they are deleted. */
export const leaving = async (
  run: Run,
  real: string | null,
  gone: ReadonlySet<string>,
): Promise<Either<KernelError, Leaving>> => {
  const dumped = await dump(run, real)
  if (E.isLeft(dumped)) return dumped
  const [links, ids] = dumped.right
  const names = decodeNsids(ids)
  const indexes = decodeLinks(links).flatMap(({ index, type }) => {
    const nsid = type.type === 'veth' ? type.peer.nsid : null
    return nsid !== null && gone.has(names.get(nsid) ?? '') ? [index] : []
  })
  return E.right({ real, indexes: new Set(indexes) })
}

const PATIENCE_MS = 2000
const PAUSE_MS = 5
/** The kernel takes many namespaces apart together in less. */
const USUAL_MS = 150

const remaining = async (
  run: Run,
  { real, indexes }: Leaving,
): Promise<Either<KernelError, ReadonlyArray<RawLink>>> => {
  const dumped = await dump(run, real)
  return E.isLeft(dumped) ? dumped : E.right(decodeLinks(dumped.right[0]).filter(({ index }) => indexes.has(index)))
}

/**
 * Resolves when they are gone, at the latest after two seconds. A packet that waits for a neighbour's answer keeps its
 * namespace for three seconds more; so what is left after the usual time is deleted from this side, which drops the packet.
 */
export const departed = async (run: Run, leavingEnds: Leaving): Promise<Either<KernelError, void>> => {
  if (leavingEnds.indexes.size === 0) return E.right(undefined)
  const start = performance.now()
  let deleted = false
  while (performance.now() - start < PATIENCE_MS) {
    const left = await remaining(run, leavingEnds)
    if (E.isLeft(left)) return left
    if (left.right.length === 0) break
    if (!deleted && performance.now() - start > USUAL_MS) {
      const script = left.right.map(({ name }) => `link delete dev ${name}\n`).join('')
      const ran = await run(leavingEnds.real, 'ip', ['-force', '-batch', '-'], script)
      if (E.isLeft(ran)) return ran
      deleted = true
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
  return E.right(undefined)
}
