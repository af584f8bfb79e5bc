// Lockstep (test/lockstep/requests) on the kernel that runs, as one program: `npm run vm -- --lockstep`. Where everything is emulated, asking
// takes long, and a kernel before 6.8 finds carrier up to a second late: so each processor has a process, each process several programs
// under way, and what a refusal has left is looked for later. A program that differs is told as it is; alone (`--only`) it is shrunk.

import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { type Case, type Outcome, type Pace, runBoth } from '../lockstep/requests/both.ts'
import { report } from '../lockstep/requests/script.ts'
import { PIECE, pieceOf } from '../lockstep/requests/series.ts'
import { shrink } from '../lockstep/requests/shrink.ts'
import { NOTHING, plus, type Tally, tallyOf } from '../lockstep/requests/tally.ts'

type Plan = Readonly<{ seed: number; programs: number; only: number | null }>
type Result = Readonly<{ tally: Tally; differing: number }>

const PACE: Pace = {
  patienceMs: [15_000, 15_000],
  firstPauseMs: 60,
  hurries: [false, true],
  eachRefusal: false,
  quietMs: [200, 800],
}
const UNDER_WAY = 4

const caseAt = ({ seed }: Plan, at: number): Promise<Case> => {
  const make = pieceOf(seed, Math.floor(at / PIECE))[at % PIECE]
  if (make === undefined) throw new Error(`a piece has ${PIECE} programs`)
  return make()
}

const tell = async (plan: Plan, at: number, one: Case, difference: NonNullable<Outcome['difference']>) => {
  const found = { ...one, difference }
  const least = plan.only === null ? found : await shrink(found, (smaller) => runBoth(smaller, PACE))
  const title = `# Program ${at} of seed ${plan.seed} (--lockstep --seed ${plan.seed} --only ${at})`
  process.stdout.write(`${title}\n${report(least, least.difference)}\n\n`)
}

/** The programs from `first` on, each `step` after the one before. */
const carryOut = async (plan: Plan, first: number, step: number): Promise<Result> => {
  let [next, tally, differing] = [first, NOTHING, 0]
  const work = async () => {
    while (next < plan.programs) {
      const at = next
      next += step
      const one = await caseAt(plan, at)
      const outcome = await runBoth(one, PACE)
      tally = plus(tally, tallyOf(one, outcome))
      if (outcome.difference === null) continue
      differing += 1
      await tell(plan, at, one, outcome.difference)
    }
  }
  await Promise.all(Array.from({ length: plan.only === null ? UNDER_WAY : 1 }, work))
  return { tally, differing }
}

/** In a process of its own: this program again. */
const inProcess = (first: number, step: number): Promise<Result> =>
  new Promise((resolve, reject) => {
    const child = fork(process.argv[1] ?? '', [...process.argv.slice(2), String(first), String(step)])
    let result: Result | null = null
    child.on('message', (message: Result) => {
      result = message
    })
    child.on('error', reject)
    child.on('close', (status) => {
      if (result === null) reject(new Error(`a process of lockstep ended with ${status} before it reported`))
      else resolve(result)
    })
  })

const main = async (): Promise<number> => {
  const [, , planText = '', first, step] = process.argv
  const plan: Plan = JSON.parse(planText)
  if (first !== undefined && step !== undefined) {
    const result = await carryOut(plan, Number(first), Number(step))
    await new Promise((resolve) => process.send?.(result, resolve))
    return 0
  }
  const begin = performance.now()
  const jobs = availableParallelism()
  const results =
    plan.only === null
      ? await Promise.all(Array.from({ length: jobs }, (_, job) => inProcess(job, jobs)))
      : [await carryOut({ ...plan, programs: plan.only + 1 }, plan.only, 1)]
  const tally = results.reduce((sum, result) => plus(sum, result.tally), NOTHING)
  const differing = results.reduce((sum, result) => sum + result.differing, 0)
  const seconds = (performance.now() - begin) / 1000
  process.stdout.write(
    `lockstep: ${tally.programs} programs, ${tally.operations} operations, ${tally.tries} tries, ${differing} programs differ; seed ${plan.seed}, ${seconds.toFixed(0)} s\n`,
  )
  return differing === 0 ? 0 : 1
}

process.exit(await main())
