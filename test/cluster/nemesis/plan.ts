// What the nemesis does, and when, from a seed: phases of trouble, each with several faults that begin and end at their own times, and
// after each a calm in which all are well. Invariant: at the end of a phase nobody is dead, stopped or cut off; nobody is killed or
// stopped twice at once.

import type { Dice } from '../../lib/histories.ts'

export const SERVERS = ['s1', 's2', 's3']
export const HOSTS = ['a', 'b', 'c']
export const NODES: ReadonlyArray<string> = [...SERVERS, ...HOSTS]

/** Packets from one node do not come to another. */
export type Cut = Readonly<{ from: string; to: string }>
export type Fault = Readonly<
  { do: 'kill' | 'stop'; node: string } | { do: 'cut'; what: string; cuts: ReadonlyArray<Cut> }
>

/** `fromMs`, `toMs`: since the beginning of the run. */
export type Trouble = Readonly<{ fault: Fault; fromMs: number; toMs: number }>
export type Phase = Readonly<{ fromMs: number; toMs: number; troubles: ReadonlyArray<Trouble> }>

export const showFault = (fault: Fault): string =>
  fault.do === 'cut' ? `cut ${fault.what}` : `${fault.do} ${fault.node}`

const chosen = <A>(dice: Dice, from: ReadonlyArray<A>): A => {
  const one = from[dice(from.length)]
  if (one === undefined) throw new Error('there is nothing to choose from')
  return one
}

const shuffled = <A>(dice: Dice, items: ReadonlyArray<A>): ReadonlyArray<A> => {
  const left = [...items]
  return items.flatMap(() => left.splice(dice(left.length), 1))
}

const between = (some: ReadonlyArray<string>, others: ReadonlyArray<string>): ReadonlyArray<Cut> =>
  some.flatMap((from) => others.map((to) => ({ from, to })))
const apart = (some: ReadonlyArray<string>): ReadonlyArray<Cut> => {
  const others = NODES.filter((node) => !some.includes(node))
  return [...between(some, others), ...between(others, some)]
}

const cutOf = (dice: Dice): Fault => {
  const kind = dice(4)
  if (kind === 0) {
    const node = chosen(dice, NODES)
    return { do: 'cut', what: `off ${node}`, cuts: apart([node]) }
  }
  if (kind === 1) {
    const half = shuffled(dice, NODES).slice(0, 3)
    return { do: 'cut', what: `in halves, ${half.join(' ')} from the others`, cuts: apart(half) }
  }
  if (kind === 2) {
    const node = chosen(dice, NODES)
    const others = NODES.filter((each) => each !== node)
    const isDeaf = dice(2) === 0
    const cuts = isDeaf ? between(others, [node]) : between([node], others)
    return { do: 'cut', what: isDeaf ? `what ${node} should hear` : `what ${node} says`, cuts }
  }
  const [host, server] = [chosen(dice, HOSTS), chosen(dice, SERVERS)]
  return {
    do: 'cut',
    what: `${host} from ${server}`,
    cuts: [...between([host], [server]), ...between([server], [host])],
  }
}

/** Shorter than the time to live of a host's presence, about it, and longer than it takes to be cleared. */
const durationOf = (dice: Dice, ttlMs: number): number => {
  const kind = dice(3)
  if (kind === 0) return ttlMs / 10 + dice(ttlMs / 2)
  return kind === 1 ? ttlMs / 2 + dice(ttlMs) : 2 * ttlMs + dice(ttlMs)
}

const MOST_AT_ONCE = 4

const phaseOf = (dice: Dice, fromMs: number, mostMs: number, ttlMs: number): Phase => {
  const free = [...NODES]
  const troubles = Array.from({ length: 1 + dice(MOST_AT_ONCE) }, (): Trouble => {
    const startMs = fromMs + dice(ttlMs)
    const toMs = Math.min(fromMs + mostMs, startMs + durationOf(dice, ttlMs))
    const kind = dice(5)
    const node = free[dice(free.length)]
    if (kind < 2 || node === undefined) return { fault: cutOf(dice), fromMs: startMs, toMs }
    free.splice(free.indexOf(node), 1)
    return { fault: { do: kind < 4 ? 'kill' : 'stop', node }, fromMs: startMs, toMs }
  })
  return { fromMs, toMs: Math.max(...troubles.map(({ toMs }) => toMs)), troubles }
}

/** Phases until `lengthMs`, at the end of which all is well. */
export const planOf = (dice: Dice, lengthMs: number, ttlMs: number): ReadonlyArray<Phase> => {
  const phases: Phase[] = []
  for (let at = 1000; ; ) {
    const mostMs = Math.min(4 * ttlMs, lengthMs - at)
    if (mostMs < 2 * ttlMs) return phases
    const phase = phaseOf(dice, at, mostMs, ttlMs)
    phases.push(phase)
    at = phase.toMs + 500 + dice(ttlMs)
  }
}
