// What happened in a simulation, a line for each thing: its time, where, and what. Lines are for people and for comparing two runs of one seed,
// which must be the same to the last byte.

import { createHash } from 'node:crypto'

export type Trace = Readonly<{
  tell: (where: string, what: string) => void
  lines: () => ReadonlyArray<string>
  /** Of all lines. */
  digest: () => string
}>

export const makeTrace = (now: () => number): Trace => {
  const lines: string[] = []
  return {
    tell: (where, what) => {
      lines.push(`${(now() / 1000).toFixed(6)} ${where} ${what}`)
    },
    lines: () => lines,
    digest: () => {
      const hash = createHash('sha256')
      for (const line of lines) hash.update(line).update('\n')
      return hash.digest('hex').slice(0, 16)
    },
  }
}
