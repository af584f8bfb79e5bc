// Asks before what cannot be taken back, where somebody is there to be asked.

import { createInterface } from 'node:readline/promises'
import { E, type Either } from '../../prelude.ts'
import { exitOf } from '../guard.ts'
import type { Problem } from '../problem.ts'
import { misused } from './read.ts'

/** `verb` and `way` (what to say instead) are for the sentence that tells who is not at a terminal. */
export type Question = Readonly<{ verb: string; way: string; text: string }>

/** Left: nobody is there to be asked, or whoever is has had enough. The end of the input is a no. */
export const confirmed = async ({ verb, way, text }: Question): Promise<Either<Problem, boolean>> => {
  if (process.stdin.isTTY !== true) return misused(`${verb} asks on a terminal only; say ${way}`)
  const asked = createInterface({ input: process.stdin, output: process.stderr })
  const over = new AbortController()
  let isStopped = false
  asked.on('SIGINT', () => {
    isStopped = true
    asked.close()
  })
  asked.on('close', () => over.abort())
  const answer = await asked.question(`${text} Continue? [y/N] `, { signal: over.signal }).catch(() => null)
  asked.close()
  if (answer === null) process.stderr.write('\n')
  return isStopped
    ? E.left({ exit: exitOf('SIGINT'), lines: ['cnm: stopped; nothing was removed'] })
    : E.right(/^y(es)?$/i.test(answer?.trim() ?? ''))
}
