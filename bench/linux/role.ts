// Processes of a benchmark's own: the same bundle, started to do one thing. They end with the benchmark, however it ends: their
// standard input does.

import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'

/** What a process of a benchmark does. `say` tells the benchmark a line. */
export type Role = (
  args: ReadonlyArray<string>,
  heard: AsyncIterable<string>,
  say: (line: string) => void,
) => Promise<void>

/** The words that start Node in a role; `bundle` exports `roles`. */
export const roleWords = (bundle: string, role: string, ...args: ReadonlyArray<string>): ReadonlyArray<string> => [
  '--input-type=module',
  '--eval',
  'const [bundle, role, ...args] = process.argv.slice(1); (await import(bundle)).play(role, args)',
  bundle,
  role,
  ...args,
]

export const playing =
  (roles: Readonly<Record<string, Role>>) =>
  async (role: string, args: ReadonlyArray<string>): Promise<void> => {
    const heard = createInterface({ input: process.stdin })
    heard.on('close', () => process.exit(0))
    await roles[role]?.(args, heard, (line) => process.stdout.write(`${line}\n`))
  }

export type Player = Readonly<{ child: ChildProcess; tell: (line: string) => void; hear: () => Promise<string> }>

/** A started process in its role. `hear` gives its next line; throws if it has ended. */
export const playerOf = (child: ChildProcess): Player => {
  if (child.stdout === null || child.stdin === null) throw new Error('a player without pipes')
  const { stdin } = child
  stdin.on('error', () => {})
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    child,
    tell: (line) => stdin.write(`${line}\n`),
    hear: async () => {
      const { value, done } = await lines.next()
      if (done === true) throw new Error('a process of the benchmark ended before it was done')
      return value
    },
  }
}
