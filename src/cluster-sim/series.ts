// One seed after the other: what came of each, and of one that failed what is least of it, as a report for people. Started as a process of its
// own (scripts/cluster.mjs), it takes an order at a time.

import { argv, resourceUsage } from 'node:process'
import { type Plan, planOf, type Size } from './plan.ts'
import { shrink } from './shrink.ts'
import { type Outcome, simulate } from './simulate.ts'

export type Order = Readonly<{ seed: number; size: Size; whole: boolean; twice: boolean }>

/** `report` null: all was well. */
export type Told = Readonly<{
  seed: number
  digest: string
  counts: Outcome['counts']
  seconds: number
  events: number
  transactions: number
  faults: number
  cleared: number
  tookMs: number
  /** Of the process that told it, so far. */
  peakMb: number
  report: string | null
}>

/** So many plans are tried to find what is least of one that fails. */
const TRIES = 300
const LAST_LINES = 60

/** Ids are long, and their first digits tell them apart. */
const short = (line: string): string => line.replace(/([0-9a-f]{9})0{55}/g, '$1')

const reportOf = (plan: Plan, { findings, why, trace }: Outcome, tries: number): string => {
  const lines = trace.lines().filter((line) => !line.split(' ').includes('finding'))
  return [
    `${plan.acts.length} commands on ${plan.hosts} hosts, ${plan.faults.length} faults (after ${tries} tries for less)`,
    ...findings.map(short),
    ...(why === null ? [] : [short(why())]),
    `The last lines of its trace:`,
    ...lines.slice(-LAST_LINES).map((line) => `  ${short(line)}`),
  ].join('\n')
}

const leastOf = async (plan: Plan): Promise<string> => {
  const fails = async (candidate: Plan): Promise<boolean> => (await simulate(candidate)).findings.length > 0
  const { plan: least, tries } = await shrink(plan, fails, TRIES)
  return reportOf(least, await simulate(least), tries)
}

const reportFor = async (plan: Plan, outcome: Outcome, { whole, twice }: Order): Promise<string | null> => {
  if (outcome.findings.length > 0) return whole ? reportOf(plan, outcome, 0) : leastOf(plan)
  if (!twice) return null
  const again = await simulate(plan)
  const [one, other] = [outcome.trace.lines(), again.trace.lines()]
  const at = one.findIndex((line, i) => line !== other[i])
  if (at < 0 && one.length === other.length) return null
  return `told in two ways, from line ${at + 1} on:\n  ${one[at]}\n  ${other[at]}`
}

export const tell = async (order: Order): Promise<Told> => {
  const start = performance.now()
  const plan = planOf(order.seed, order.size)
  const outcome = await simulate(plan)
  const report = await reportFor(plan, outcome, order)
  const { counts, seconds, events, transactions, cleared, trace } = outcome
  const tookMs = performance.now() - start
  return {
    seed: order.seed,
    digest: trace.digest(),
    counts,
    seconds,
    events,
    transactions,
    faults: plan.faults.length,
    cleared,
    tookMs,
    peakMb: Math.round(resourceUsage().maxRSS / 1024),
    report,
  }
}

if (argv[2] === 'work' && process.send !== undefined) {
  // Who interrupts the whole group wants the sum of what was begun; whoever started it ends it.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {})
  process.on('disconnect', () => process.exit())
  // A cast: who starts it sends orders.
  process.on('message', (order) => {
    void tell(order as Order).then(
      (told) => process.send?.(told),
      (error) => process.send?.({ broken: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    )
  })
}
