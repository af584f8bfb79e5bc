// Deleting a namespace returns at once; the kernel takes its veths apart some milliseconds later. Until then their other
// ends still hold their names and addresses, so whoever deletes waits for those ends to go.

import type { KernelError } from '../kernel/kernel.ts'
import { E, type Either } from '../prelude.ts'
import { documents } from './decode/json.ts'
import { decodeLinks } from './decode/links.ts'
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

/** Resolves when they are gone, or after two seconds: something else may keep the namespace alive. */
export const departed = async (run: Run, { real, indexes }: Leaving): Promise<Either<KernelError, void>> => {
  const deadline = performance.now() + PATIENCE_MS
  while (indexes.size > 0 && performance.now() < deadline) {
    const dumped = await dump(run, real)
    if (E.isLeft(dumped)) return dumped
    if (!decodeLinks(dumped.right[0]).some(({ index }) => indexes.has(index))) break
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
  return E.right(undefined)
}
