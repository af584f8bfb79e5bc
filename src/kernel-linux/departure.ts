// Deleting a namespace returns at once; the kernel takes its veths apart some milliseconds later. Until then their other ends
// still hold their names and addresses (departures.ts).

import type { IfName, Ns } from '../net/name.ts'
import { E } from '../prelude.ts'
import { type Departures, type Device, deviceIn } from './departures.ts'
import type { Result, Transport } from './transport.ts'

/** Ends of veths that are about to go, in the namespace that stays, by their indexes there. */
export type Leaving = Readonly<{ ns: Ns; ends: ReadonlyMap<number, IfName> }>

const PATIENCE_MS = { we: 2000, others: 4000 }
const PAUSE_MS = 5
/** The kernel takes many namespaces apart together in less. */
const USUAL_MS = 150

/**
 * Resolves when they are gone, or after some seconds. A packet that waits for a neighbour's answer keeps its namespace for three
 * seconds more; so of a namespace that `we` deleted what is left after the usual time is deleted from this side, which drops the
 * packet. Who only looks deletes nothing: somebody may live on in a namespace that has lost its name.
 */
const gone = async (transport: Transport, { ns, ends }: Leaving, by: 'we' | 'others'): Result<void> => {
  const start = performance.now()
  let deleted = by === 'others'
  while (performance.now() - start < PATIENCE_MS[by]) {
    const left = await transport.remaining(ns, ends)
    if (E.isLeft(left)) return left
    if (left.right.length === 0) break
    if (!deleted && performance.now() - start > USUAL_MS) {
      const dropped = await transport.drop(ns, left.right)
      if (E.isLeft(dropped)) return dropped
      deleted = true
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
  return E.right(undefined)
}

const devicesOf = ({ ns, ends }: Leaving): ReadonlyArray<Device> => [...ends.values()].map((name) => deviceIn(ns, name))

/** What cannot be asked any more is told to whoever looks next. */
export const depart = (
  transport: Transport,
  departures: Departures,
  leaving: ReadonlyArray<Leaving>,
  by: 'we' | 'others',
): void => {
  for (const one of leaving)
    departures.add(devicesOf(one), { gone: gone(transport, one, by).then(() => undefined), hurry: () => {} })
}
