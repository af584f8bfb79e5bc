// Lockstep (test/lockstep/requests) on the kernel that runs, as one program that says what came of it in lines of JSON.

import { runBoth } from '../lockstep/requests/both.ts'
import { report } from '../lockstep/requests/script.ts'
import { PIECE, pieceOf } from '../lockstep/requests/series.ts'

const [, , seedText = '1', fromText = '0', stepText = '1', secondsText = '60', jobsText = '4'] = process.argv
const seed = Number(seedText)
const begin = performance.now()
let next = Number(fromText)
let programs = 0,
  operations = 0,
  requests = 0
const loop = async () => {
  while (performance.now() - begin < Number(secondsText) * 1000) {
    const at = next
    next += Number(stepText)
    const program = pieceOf(seed, Math.floor(at / PIECE))[at % PIECE] ?? []
    const outcome = await runBoth(program, { patienceMs: 15_000, firstPauseMs: 60, eachRefusal: false })
    programs += 1
    operations += outcome.answers.length
    requests += program.length
    process.stdout.write(`@${Math.round(performance.now() - begin)} ${operations}\n`)
    if (outcome.difference !== null)
      process.stdout.write(`#${at}\n${report(program.slice(0, outcome.difference.at + 1), outcome.difference)}\n`)
  }
}
await Promise.all(Array.from({ length: Number(jobsText) }, loop))
process.stdout.write(`${programs} programs ${operations}/${requests} ops ${performance.now() - begin}\n`)
