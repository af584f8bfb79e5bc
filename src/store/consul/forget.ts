// The log forgets its oldest epochs, so that the rest still holds as many transactions as a watch may look back.

import { E } from '../../prelude.ts'
import type { Ground } from './ground.ts'
import { beginOf, epochAt, loggedIn } from './layout.ts'
import { isAt, MOST_OPS, treeRemovalOf } from './txn.ts'

/** What may go: all epochs before those that hold the last `keep`. */
const oldIn = (
  counts: ReadonlyMap<number, number>,
  keep: number,
): Readonly<{ old: ReadonlyArray<number>; oldest: number }> => {
  const epochs = [...counts.keys()].sort((a, b) => b - a)
  let held = 0
  const kept = epochs.filter((epoch) => {
    const isKept = held < keep
    held += counts.get(epoch) ?? 0
    return isKept
  })
  return { old: epochs.slice(kept.length).reverse(), oldest: kept.at(-1) ?? 0 }
}

/** Best effort: whoever ends the next epoch does it, too. */
export const forget = async ({ client, layout, history }: Ground): Promise<void> => {
  const names = await client.names(layout.log, false)
  if (E.isLeft(names)) return
  const counts = new Map<number, number>()
  for (const name of names.right) {
    const logged = loggedIn(layout, name)
    if (logged !== null) counts.set(logged.epoch, (counts.get(logged.epoch) ?? 0) + (logged.word === null ? 0 : 1))
  }
  const { old, oldest } = oldIn(counts, history)
  if (old.length === 0) return
  // Of another store that was made here meanwhile nothing is removed: this is not one of its epochs.
  const begin = await client.get(beginOf(layout, oldest))
  if (E.isLeft(begin) || begin.right === null) return
  const removals = old.slice(0, MOST_OPS - 1).map((epoch) => treeRemovalOf(epochAt(layout, epoch)))
  await client.txn([isAt(beginOf(layout, oldest), begin.right.index), ...removals], true)
}
