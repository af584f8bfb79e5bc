// One program on both kernels, in fresh namespaces: after each request the same errno, and the same stacks; and then the same account
// of what was tried.

import isSame from 'fast-deep-equal'
import type { Ruled } from '../../../properties/arbitraries/stack-rulesets.ts'
import { aimed, type Picks } from '../../../properties/arbitraries/stack-tries.ts'
import { lasting, learned } from '../../../src/kernel/rtnl/lasting.ts'
import type { Request } from '../../../src/kernel/rtnl/request.ts'
import type { Stack } from '../../../src/kernel/rtnl/stack.ts'
import type { Account, Ending, Try } from '../../../src/kernel/traffic.ts'
import type { Stacks } from '../../../src/kernel-linux/rtnl/stack.ts'
import { runTry } from '../../../src/kernel-sim/datapath/traffic.ts'
import { PARTS } from '../../../src/kernel-sim/datapath/wired.ts'
import { nftIn } from '../../../src/kernel-sim/rulesets.ts'
import { stackOf } from '../../../src/kernel-sim/stack.ts'
import type { World } from '../../../src/kernel-sim/state.ts'
import { showIp } from '../../../src/net/ip.ts'
import { isGroup } from '../../../src/net/mac.ts'
import type { Ns } from '../../../src/net/name.ts'
import { keysUnder } from '../../../src/net/pmap.ts'
import { E } from '../../../src/prelude.ts'
import { bareMachine } from './machine.ts'
import { isPredictable, isProbed, isStorm } from './predictable.ts'
import { askQuietly } from './quiet.ts'
import { openRooms, type Rooms } from './rooms.ts'

export type Program = ReadonlyArray<Request>
/** `rules`: what nft is given when the program is done. `tries`: what is sent then. */
export type Case = Readonly<{ program: Program; rules: ReadonlyArray<Ruled>; tries: ReadonlyArray<Try> }>

/** `at`: the request, or the try, after which they differ; `learned`: in what the tries have left behind. `simulated` and `real`: what only one of them says, in lines. */
export type Difference = Readonly<{
  at: number
  of: 'errno' | 'stack' | 'rules' | 'try' | 'learned'
  simulated: ReadonlyArray<string>
  real: ReadonlyArray<string>
}>

/**
 * `answers`: the errno of each request that was compared, null where it was done. `endings`: of each try that was compared. `twice`:
 * the kernels seemed to differ in what takes time, so it was run again, with patience.
 */
export type Outcome = Readonly<{
  answers: ReadonlyArray<string | null>
  endings: ReadonlyArray<Ending>
  difference: Difference | null
  twice: boolean
}>

type Told = Readonly<Record<string, Stack>>

/** The multicast filters of devices are none of the simulation's: they are told among the FDBs, but lead nowhere, unlike a VXLAN's. */
const withoutFilters = (stack: Stack): Stack => ({
  ...stack,
  fdb: stack.fdb.filter(({ mac, flags, dst }) => !(flags.includes('self') && isGroup(mac) && dst === null)),
})

const stacksIn = (world: World): Stacks =>
  new Map(
    keysUnder(world.namespaces, '').flatMap((name) => {
      // Cast: the keys of a world's namespaces are their names.
      const ns = name as Ns
      const stack = stackOf(world, ns)
      return stack === null ? [] : [[ns, stack] as const]
    }),
  )

const lastingIn = (stacks: Stacks): Told =>
  Object.fromEntries([...stacks].map(([ns, stack]) => [ns, withoutFilters(lasting(stack))]))

const simulated = (world: World): Told => lastingIn(stacksIn(world))
const real = async (rooms: Rooms, hurry: boolean): Promise<Told> => lastingIn(await rooms.told(hurry))

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
 * What is waited for, mostly, and again where the kernels seemed to differ, for a machine may be busy. `patienceMs`: how long the kernel
 * has to come to what is expected of it (what it does on work queues: it finishes with an address of IPv6, and takes apart a namespace
 * that was closed), and `firstPauseMs`: how soon it is looked at again. `quietMs`: how long nothing may be heard until a try is over.
 * `hurries`: whether linkwatch is made to look at all devices after each request, as it does in the simulation, or after the last one only.
 * `eachRefusal` false: what a refused request has left half done is looked for with the next one that is obeyed.
 */
export type Pace = Readonly<{
  patienceMs: Waits
  firstPauseMs: number
  hurries: readonly [mostly: boolean, again: boolean]
  eachRefusal: boolean
  quietMs: Waits
}>
type Waits = readonly [mostly: number, again: number]
const BRISK: Pace = {
  patienceMs: [2000, 15_000],
  firstPauseMs: 0.25,
  hurries: [false, true],
  eachRefusal: true,
  quietMs: [12, 120],
}
/** For who has seen the kernels differ with patience. */
export const AT_ONCE: Pace = { ...BRISK, patienceMs: [2000, 2000], hurries: [true, true] }

type Once = Readonly<{
  patienceMs: number
  firstPauseMs: number
  hurries: boolean
  eachRefusal: boolean
  quietMs: number
}>
const onceOf = ({ patienceMs, hurries, quietMs, ...rest }: Pace, turn: 0 | 1): Once => ({
  ...rest,
  patienceMs: patienceMs[turn],
  hurries: hurries[turn],
  quietMs: quietMs[turn],
})

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/**
 * Null once Linux tells what it should, or what it told at last. The first look takes what linkwatch has found so far, unless it is to
 * `hurry`, as after the last request of a program: who is wrong about what it finds later is found out then.
 */
const unsettled = async (
  rooms: Rooms,
  wanted: Told,
  hurry: boolean,
  { patienceMs, firstPauseMs }: Once,
): Promise<Told | null> => {
  if (!hurry && isSame(await real(rooms, false), wanted)) return null
  const until = performance.now() + patienceMs
  for (let pauseMs = firstPauseMs; ; pauseMs *= 2) {
    const now = await real(rooms, true)
    if (isSame(now, wanted)) return null
    if (performance.now() > until) return now
    await pause(pauseMs)
  }
}

type Asked = Readonly<{ world: World; answers: ReadonlyArray<string | null>; difference: Difference | null }>

const askBoth = async (rooms: Rooms, program: Program, pace: Once): Promise<Asked> => {
  const answers: Array<string | null> = []
  let world = await bareMachine()
  for (const [at, request] of program.entries()) {
    const result = askQuietly(world, request)
    world = result.world
    const errno = await rooms.ask(request)
    if (errno !== result.errno) {
      const difference = { at, of: 'errno', simulated: [String(result.errno)], real: [String(errno)] } as const
      return { world, answers, difference }
    }
    answers.push(errno)
    const last = at + 1 === program.length
    if (errno !== null && !pace.eachRefusal && !last) continue
    const wanted = simulated(world)
    const there = await unsettled(rooms, wanted, last || pace.hurries, pace)
    if (there !== null) return { world, answers, difference: stackDifference(at, wanted, there) }
  }
  return { world, answers, difference: null }
}

const linesOfAccount = ({ ending, arrivals, answer, crossings }: Account): ReadonlyArray<string> => [
  `ended ${shown(ending)}`,
  // The kernel's work queues have an order of their own.
  ...arrivals
    .map(({ ns, from, to, port, ttl }) => `arrived ${ns} ${showIp(from)} > ${showIp(to)} ${port} ttl ${ttl}`)
    .sort(),
  answer === null ? 'no answer' : `answer from ${showIp(answer.from)} ttl ${answer.ttl}`,
  ...crossings.map(({ ns, dev, way, what }) => `crossed ${ns} ${dev} ${way} ${what}`),
]

/** Whether one is a router is not modelled. */
const learnedIn = (stacks: Stacks): ReadonlyArray<string> =>
  [...stacks].flatMap(([ns, stack]) => {
    const { neighbours, fdb } = learned(stack)
    return [
      ...neighbours.map(
        ({ dev, ip, mac, state }) => `learned ${ns} ${dev} ${showIp(ip)} ${mac?.toString(16)} ${state}`,
      ),
      ...fdb.map(
        ({ dev, mac, vlan, dst }) =>
          `learned ${ns} ${dev} ${mac.toString(16)} vlan ${vlan}${dst === null ? '' : ` at ${showIp(dst)}`}`,
      ),
    ]
  })

type Filtered = Readonly<{ world: World; difference: Difference | null }>

/** Both take a script, or neither does. */
const filterBoth = async (rooms: Rooms, begun: World, rules: ReadonlyArray<Ruled>): Promise<Filtered> => {
  let world = begun
  for (const [at, { ns, script }] of rules.entries()) {
    const ruled = nftIn(world, ns, script, { file: null, json: false, handles: false })
    world = ruled?.world ?? world
    const ours = ruled === null ? 'there is no such namespace' : ruled.outcome.stderr
    const theirs = (await rooms.nft(ns, script)) ?? ''
    if ((ours === '') !== (theirs === ''))
      return { world, difference: { at, of: 'rules', simulated: [ours], real: [theirs] } }
  }
  return { world, difference: null }
}

type Tried = Readonly<{ endings: ReadonlyArray<Ending>; difference: Difference | null }>

const tryBoth = async (rooms: Rooms, begun: World, tries: ReadonlyArray<Try>, quietMs: number): Promise<Tried> => {
  const endings: Ending[] = []
  if (tries.length === 0 || !isPredictable(begun)) return { endings, difference: null }
  const traffic = await rooms.traffic(quietMs)
  let world = begun
  try {
    for (const [at, attempt] of tries.entries()) {
      const tried = runTry(PARTS, world, attempt)
      if (isStorm(tried) || isProbed(tried)) break
      world = tried.world
      const account = await traffic.attempt(attempt)
      if (E.isLeft(account)) throw new Error(account.left.what)
      const [ours, theirs] = [linesOfAccount(tried.account), linesOfAccount(account.right)]
      const [simulated, real] = [only(ours, theirs), only(theirs, ours)]
      if (simulated.length + real.length > 0) return { endings, difference: { at, of: 'try', simulated, real } }
      endings.push(account.right.ending)
    }
    const [ours, theirs] = [learnedIn(stacksIn(world)), learnedIn(await rooms.told(true))]
    const [simulated, real] = [only(ours, theirs), only(theirs, ours)]
    const difference = { at: tries.length - 1, of: 'learned', simulated, real } as const
    return { endings, difference: simulated.length + real.length === 0 ? null : difference }
  } finally {
    traffic.close()
  }
}

const runOnce = async ({ program, rules, tries }: Case, pace: Once): Promise<Outcome> => {
  const rooms = openRooms()
  try {
    const { world, answers, difference } = await askBoth(rooms, program, pace)
    if (difference !== null) return { answers, endings: [], difference, twice: false }
    const filtered = await filterBoth(rooms, world, rules)
    if (filtered.difference !== null) return { answers, endings: [], difference: filtered.difference, twice: false }
    return { answers, twice: false, ...(await tryBoth(rooms, filtered.world, tries, pace.quietMs)) }
  } finally {
    await rooms.close()
  }
}

/** Whether more time may make the kernels agree. */
const isHasty = ({ of }: Difference, { patienceMs, quietMs }: Pace): boolean => {
  const [wait, longer] = of === 'stack' ? patienceMs : quietMs
  return of !== 'errno' && of !== 'rules' && longer > wait
}

export const runBoth = async (one: Case, pace = BRISK): Promise<Outcome> => {
  const outcome = await runOnce(one, onceOf(pace, 0))
  return outcome.difference !== null && isHasty(outcome.difference, pace)
    ? { ...(await runOnce(one, onceOf(pace, 1))), twice: true }
    : outcome
}

/** A program with what it sends at last, by what the simulation has then. */
export const caseOf = async (program: Program, rules: ReadonlyArray<Ruled>, some: Picks): Promise<Case> => {
  let world = await bareMachine()
  for (const request of program) world = askQuietly(world, request).world
  return { program, rules, tries: aimed(simulated(world), some) }
}
