// Namespaces for peers that are given them, as a container runtime gives them.

import { createNetns } from '../../../src/kernel-linux/netlink/netns.ts'
import { nsOf } from '../commands.ts'
import { upTo } from '../ours.ts'
import { type Later, labFor, makeSpace, pathIn, right } from '../tidy.ts'

/** A lab's host, and containers of it that are given their namespaces; the files of both. */
export const roomsFor = (later: Later, what: string, containers: number) => {
  const lab = labFor(later, what)
  const host = makeSpace(lab)
  const pathOf = (n: number): string => pathIn(lab, nsOf(n))
  for (const n of upTo(containers)) right(createNetns(pathOf(n)))
  return { host, pathOf }
}
