// Calls and returns of the operations that must happen, in the order of time, as a doubly linked list from which one that has
// been placed is taken out, and into which it is put back (Knuth's dancing links). What is taken out last is put back first.

import type { Operation } from './event.ts'

export type Timeline = Readonly<{
  /** Which operations may come next: those called before the first return of all that are still here. In the order of calls. */
  ready: () => ReadonlyArray<number>
  /** The time of that return; Infinity when nothing is here. */
  until: () => number
  left: () => number
  take: (index: number) => void
  putBack: (index: number) => void
}>

/** Operations are told by their index; all of them return. */
export const timelineOf = (operations: ReadonlyArray<Operation<unknown, unknown>>): Timeline => {
  const count = operations.length
  // Nodes: a call under its operation's index, its return `count` behind that, then the list's two ends in one.
  const end = 2 * count
  const time = [...operations.map(({ called }) => called), ...operations.map(({ returned }) => returned), Infinity]
  const next = new Int32Array(end + 1)
  const before = new Int32Array(end + 1)
  // Casts: every link is that of a node.
  const at = (links: Int32Array, node: number): number => links[node] as number
  const join = (one: number, other: number): void => {
    next[one] = other
    before[other] = one
  }
  const inTime = Array.from({ length: end }, (_, node) => node).sort((a, b) => (time[a] ?? 0) - (time[b] ?? 0))
  let last = end
  for (const node of inTime) {
    join(last, node)
    last = node
  }
  join(last, end)
  let left = count

  const firstReturn = (): number => {
    let node = at(next, end)
    while (node < count) node = at(next, node)
    return node
  }
  const unlink = (node: number): void => join(at(before, node), at(next, node))
  const relink = (node: number): void => {
    next[at(before, node)] = node
    before[at(next, node)] = node
  }

  return {
    ready: () => {
      const calls: number[] = []
      for (let node = at(next, end); node < count; node = at(next, node)) calls.push(node)
      return calls
    },
    until: () => time[firstReturn()] ?? Infinity,
    left: () => left,
    take: (index) => {
      unlink(index)
      unlink(index + count)
      left -= 1
    },
    putBack: (index) => {
      relink(index + count)
      relink(index)
      left += 1
    },
  }
}
