// What is to happen in a simulation, from a seed, as data: who asks for what and when, and what goes wrong. Which object a command is about is
// a number that is taken of those that there are then. So a plan from which something was left out is a plan.

import { type Random, randomOf } from './random.ts'

/** `growth`: the commands are endpoints on shared networks, and nothing goes wrong. */
export type Size = Readonly<{ hosts: number; commands: number; faults: boolean; growth?: boolean }>

export type Deed =
  | 'share network'
  | 'make network'
  | 'drop shared network'
  | 'drop network'
  | 'share endpoint'
  | 'share wished endpoint'
  | 'run on shared network'
  | 'make endpoint'
  | 'drop endpoint'
  | 'drop endpoint of another'
  | 'rename endpoint'
  | 'make sandbox'
  | 'drop sandbox'
  | 'refresh sandbox'
  | 'rename sandbox'
  | 'join'
  | 'leave'

/** At this time, or when the client has heard of what it asked before. `picks` choose among what there is. */
export type Act = Readonly<{ at: number; client: number; deed: Deed; picks: readonly [number, number, number] }>

/** `cut`: its line; `lossy`: the line loses messages. All end after `forMs`: it is healed, goes on, or is started. */
export type Fault = Readonly<{
  at: number
  forMs: number
  host: number
  what: 'cut' | 'lossy' | 'pause' | 'crash' | 'reboot' | 'stop'
}>

/** How many there are of each that commands choose from; addresses, subnets: that are asked for; `bits`: of those subnets. */
export type Names = Readonly<{ networks: number; endpoints: number; addresses: number; subnets: number; bits: number }>
const FEW: Names = { networks: 2, endpoints: 8, addresses: 2, subnets: 2, bits: 24 }
const MANY: Names = { networks: 6, endpoints: 60, addresses: 4, subnets: 4, bits: 24 }
const LARGE: Names = { networks: 8, endpoints: 2 ** 30, addresses: 4, subnets: 8, bits: 16 }

/** `lagsMs`: how late each host's news is. `history`: how many transactions the store remembers. `broken`: the share of requests that are given up at once. `endsAt`: when everything is healed. */
export type Plan = Readonly<{
  seed: number
  hosts: number
  names: Names
  lagsMs: ReadonlyArray<number>
  history: number
  broken: number
  acts: ReadonlyArray<Act>
  faults: ReadonlyArray<Fault>
  endsAt: number
  /** A host that is not heard of is cleared by the others. */
  mortal: boolean
}>

export const CLIENTS_OF_A_HOST = 2

const WEIGHTS: ReadonlyArray<readonly [Deed, number]> = [
  ['share network', 5],
  ['make network', 2],
  ['drop shared network', 5],
  ['drop network', 2],
  ['share endpoint', 18],
  ['share wished endpoint', 14],
  ['run on shared network', 8],
  ['make endpoint', 4],
  ['drop endpoint', 24],
  ['drop endpoint of another', 3],
  ['rename endpoint', 6],
  ['make sandbox', 6],
  ['drop sandbox', 4],
  ['refresh sandbox', 1],
  ['rename sandbox', 1],
  ['join', 9],
  ['leave', 5],
]
const WHOLE = WEIGHTS.reduce((sum, [, weight]) => sum + weight, 0)

const deedOf = (random: Random): Deed => {
  let left = random.below(WHOLE)
  for (const [deed, weight] of WEIGHTS) {
    if (left < weight) return deed
    left -= weight
  }
  return 'leave'
}

/** So many commands come together, and then there is quiet for a while. */
const BURST = 40
const BURST_MS = [300, 1500] as const
const QUIET_MS = [2000, 90_000] as const

/** Between two endpoints of one that only grows. */
const GROWTH_MS = 5

const pick = (random: Random): number => random.below(2 ** 30)

const WHAT = ['cut', 'cut', 'cut', 'lossy', 'lossy', 'pause', 'pause', 'crash', 'crash', 'reboot', 'stop'] as const

const faultOf = (random: Random, hosts: number, from: number, lastsMs: number): Fault => {
  const what = random.oneOf(WHAT)
  const isLong = random.chance(0.3)
  return {
    at: from + random.between(-0.2, 1) * lastsMs,
    forMs: isLong ? random.between(3000, 15_000) : random.between(50, 2500),
    host: random.below(hosts),
    what,
  }
}

/** A fault of one host is over before its next begins. */
const apart = (faults: ReadonlyArray<Fault>): ReadonlyArray<Fault> => {
  const until = new Map<number, number>()
  return [...faults]
    .sort((a, b) => a.at - b.at)
    .filter(({ at, forMs, host }) => {
      if (at < 100 || at < (until.get(host) ?? 0)) return false
      until.set(host, at + forMs)
      return true
    })
}

const mixtureOf = (seed: number, { hosts, commands, faults: isFaulty }: Size): Plan => {
  const random = randomOf(seed, 'plan')
  const acts: Act[] = []
  const faults: Fault[] = []
  let from = 500
  const worst = random.oneOf([1, 3, 8])
  while (acts.length < commands) {
    const count = Math.min(BURST, commands - acts.length)
    const lastsMs = random.between(...BURST_MS)
    for (let i = 0; i < count; i++)
      acts.push({
        at: from + random.between(0, lastsMs),
        client: random.below(hosts * CLIENTS_OF_A_HOST),
        deed: deedOf(random),
        picks: [pick(random), pick(random), pick(random)],
      })
    const wrong = random.chance(0.2) ? 0 : random.below(worst) + 1
    for (let i = 0; isFaulty && i < wrong; i++) faults.push(faultOf(random, hosts, from, lastsMs))
    from += lastsMs + random.between(...QUIET_MS)
  }
  return {
    seed,
    hosts,
    names: random.oneOf([FEW, FEW, MANY]),
    lagsMs: Array.from({ length: hosts }, () => random.oneOf([0, 0, 15, 150])),
    broken: isFaulty ? random.oneOf([0, 0.005, 0.02]) : 0,
    history: random.oneOf([20, 100, 1000]),
    acts: acts.sort((a, b) => a.at - b.at),
    faults: apart(faults),
    endsAt: from,
    mortal: isFaulty && random.chance(0.5),
  }
}

/** Eight networks, and nothing but endpoints on them: how large it may become. */
const growthOf = (seed: number, { hosts, commands: endpoints }: Size): Plan => {
  const random = randomOf(seed, 'growth')
  const networks = Array.from({ length: LARGE.networks }, (_, n): Act => {
    // A third number asks for a subnet (commands.ts).
    return { at: 1000 + 200 * n, client: 0, deed: 'share network', picks: [n, 3 * n, 1] }
  })
  const from = 4000
  const acts = Array.from({ length: endpoints }, (_, n): Act => {
    const at = from + n * GROWTH_MS
    return {
      at,
      client: n % (hosts * CLIENTS_OF_A_HOST),
      deed: 'share endpoint',
      picks: [pick(random), pick(random), 1],
    }
  })
  return {
    seed,
    hosts,
    names: LARGE,
    lagsMs: [],
    broken: 0,
    history: 1000,
    acts: [...networks, ...acts],
    faults: [],
    endsAt: from + endpoints * GROWTH_MS,
    mortal: false,
  }
}

export const planOf = (seed: number, size: Size): Plan => (size.growth === true ? growthOf : mixtureOf)(seed, size)
