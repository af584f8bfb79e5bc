// One process of `npm run lockstep`: runs the pieces of a series that it is told, one after the other, and tells what came of
// each. What it makes is held open by it alone, so that nothing is left when it ends, or is ended.

import { AT_ONCE, runBoth } from './both.ts'
import { report } from './script.ts'
import { pieceOf } from './series.ts'
import { shrink } from './shrink.ts'
import { NOTHING, plus, type Tally, tallyOf } from './tally.ts'

/** `to`: programs from there on are left out; `only`: but for this one of the piece; `whole`: nothing is shrunk. */
export type Order = Readonly<{ seed: number; piece: number; to: number; only: number | null; whole: boolean }>
/** `at`: which program of the piece. */
export type Finding = Readonly<{ at: number; report: string }>
export type Answer = Readonly<{ piece: number; tally: Tally; findings: ReadonlyArray<Finding> }>

const carryOut = async ({ seed, piece, to, only, whole }: Order): Promise<Answer> => {
  let tally = NOTHING
  const findings: Finding[] = []
  for (const [at, make] of pieceOf(seed, piece).entries()) {
    if (at >= to || (only !== null && at !== only)) continue
    const one = await make()
    const outcome = await runBoth(one)
    tally = plus(tally, tallyOf(one, outcome))
    const { difference } = outcome
    if (difference === null) continue
    const found = { ...one, difference }
    const least = whole ? found : await shrink(found, (smaller) => runBoth(smaller, AT_ONCE))
    findings.push({ at, report: report(least, least.difference) })
  }
  return { piece, tally, findings }
}

export const play = (): void => {
  process.on('disconnect', () => process.exit(1))
  process.on('message', (order: Order) => {
    carryOut(order).then(
      (answer) => process.send?.(answer),
      (error: unknown) =>
        process.send?.({ broken: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    )
  })
}

if (process.argv[2] === 'work') play()
