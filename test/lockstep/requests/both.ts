// One program on both kernels, in fresh namespaces: after each request the same errno, and the same stacks.

import { isDeepStrictEqual } from 'node:util'
import { lasting } from '../../../src/kernel/rtnl/lasting.ts'
import type { Request } from '../../../src/kernel/rtnl/request.ts'
import type { Stack } from '../../../src/kernel/rtnl/stack.ts'
import { askWorld } from '../../../src/kernel-sim/control.ts'
import { stackOf } from '../../../src/kernel-sim/stack.ts'
import type { World } from '../../../src/kernel-sim/state.ts'
import { isGroup } from '../../../src/net/mac.ts'
import type { Ns } from '../../../src/net/name.ts'
import { keysUnder } from '../../../src/net/pmap.ts'

import { bareMachine } from './machine.ts'

import { openRooms, type Rooms } from './rooms.ts'

export type Program = ReadonlyArray<Request>

/** `at`: the request after which they differ. `simulated` and `real`: what only one of them says, in lines. */
export type Difference = Readonly<{
  at: number
  of: 'errno' | 'stack'
  simulated: ReadonlyArray<string>
  real: ReadonlyArray<string>
}>

/** `answers`: the errno of each request that was compared, null where it was done. */
export type Outcome = Readonly<{ answers: ReadonlyArray<string | null>; difference: Difference | null }>

type Told = Readonly<Record<string, Stack>>

/** The multicast filters of devices are none of the simulation's: they are told among the FDBs, but lead nowhere, unlike a VXLAN's. */
const withoutFilters = (stack: Stack): Stack => ({
  ...stack,
  fdb: stack.fdb.filter(({ mac, flags, dst }) => !(flags.includes('self') && isGroup(mac) && dst === null)),
})

const simulated = (world: World): Told =>
  Object.fromEntries(
    keysUnder(world.namespaces, '').flatMap((ns) => {
      // Cast: the keys of a world's namespaces are their names.
      const stack = stackOf(world, ns as Ns)
      return stack === null ? [] : [[ns, withoutFilters(lasting(stack))]]
    }),
  )

const real = async (rooms: Rooms): Promise<Told> =>
  Object.fromEntries([...(await rooms.told())].map(([ns, stack]) => [ns, withoutFilters(lasting(stack))]))

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The same text for what is the same; BigInts as people read them. */
const shown = (value: unknown): string =>
  JSON.stringify(value, (_, part) => {
    if (typeof part === 'bigint') return `0x${part.toString(16)}`
    return isRecord(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part
  })

const linesOf = (told: Told): ReadonlyArray<string> =>
  Object.entries(told).flatMap(([ns, stack]) => [
    `${ns}`,
    ...Object.entries(stack).flatMap(([what, facts]) => facts.map((fact: unknown) => `${ns} ${what} ${shown(fact)}`)),
  ])

/** The lines of one that the other has not; all, where only their order differs. */
const only = (mine: ReadonlyArray<string>, others: ReadonlyArray<string>): ReadonlyArray<string> => {
  const left = new Map<string, number>()
  for (const line of others) left.set(line, (left.get(line) ?? 0) + 1)
  return mine.filter((line) => {
    const count = left.get(line) ?? 0
    left.set(line, count - 1)
    return count <= 0
  })
}

const stackDifference = (at: number, wanted: Told, there: Told): Difference => {
  const [ours, theirs] = [linesOf(wanted), linesOf(there)]
  const [simulated, real] = [only(ours, theirs), only(theirs, ours)]
  return simulated.length + real.length > 0
    ? { at, of: 'stack', simulated, real }
    : { at, of: 'stack', simulated: ours, real: theirs }
}

/**
 * How long the kernel has to come to what is expected of it (what it does on work queues: it finishes with an address of IPv6, and takes
 * apart a namespace that was closed), and how soon it is looked at again. `eachRefusal` false: what a refused request has left half done
 * is looked for with the next one that is obeyed.
 */
export type Pace = Readonly<{ patienceMs: number; firstPauseMs: number; eachRefusal: boolean }>
const BRISK: Pace = { patienceMs: 2000, firstPauseMs: 0.25, eachRefusal: true }

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** What Linux tells once it tells what it should, or at last. */
const settled = async (rooms: Rooms, wanted: Told, { patienceMs, firstPauseMs }: Pace): Promise<Told> => {
  const until = performance.now() + patienceMs
  for (let pauseMs = firstPauseMs; ; pauseMs *= 2) {
    const now = await real(rooms)
    if (isDeepStrictEqual(now, wanted) || performance.now() > until) return now
    await pause(pauseMs)
  }
}

export const runBoth = async (program: Program, pace = BRISK): Promise<Outcome> => {
  const rooms = openRooms()
  const answers: Array<string | null> = []
  let world = await bareMachine()
  try {
    for (const [at, request] of program.entries()) {
      const result = askWorld(world, request)
      world = result.world
      const errno = await rooms.ask(request)
      if (errno !== result.errno) {
        const difference = { at, of: 'errno', simulated: [String(result.errno)], real: [String(errno)] } as const
        return { answers, difference }
      }
      answers.push(errno)
      if (errno !== null && !pace.eachRefusal && at + 1 < program.length) continue
      const wanted = simulated(world)
      const there = await settled(rooms, wanted, pace)
      if (!isDeepStrictEqual(there, wanted)) return { answers, difference: stackDifference(at, wanted, there) }
    }
    return { answers, difference: null }
  } finally {
    await rooms.close()
  }
}
