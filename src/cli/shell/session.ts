// A shell with a terminal: one command after the other, told as it comes, until the script ends or the shell does.

import { E, type Either } from '../../prelude.ts'
import type { Done } from '../../shell/done.ts'
import { type Command, readScript } from '../../shell/line/script.ts'
import { type Shell, step } from '../../shell/shell.ts'
import type { Terminal } from '../../shell/terminal.ts'
import { kernelProblem, type Problem } from '../problem.ts'
import { hold } from './hold.ts'

/** Of one command, once it has ended. */
export type Tell = (command: Command, done: Done) => void

/** POSIX: what a shell ends with that cannot read its script. */
const UNREADABLE = 2

export type Script = Readonly<{ name: string; text: string }>
export type Ran = Readonly<{ shell: Shell; status: number }>

/** Runs a text from a state on. `complain` hears what cannot be read; nothing of the text is run then. */
export const runText = async (
  terminal: Terminal,
  shell: Shell,
  { name, text }: Script,
  tell: Tell,
  complain: (sentence: string) => void,
): Promise<Either<Problem, Ran>> => {
  const script = readScript(text)
  if (E.isLeft(script)) {
    complain(`${name}:${script.left.line}: ${script.left.what}`)
    return E.right({ shell: { ...shell, last: UNREADABLE }, status: UNREADABLE })
  }
  let now = shell
  for (const [at, command] of script.right.entries()) {
    const next = await hold(terminal, step(now, command, script.right[at + 1] ?? null))
    if (E.isLeft(next)) return E.left(kernelProblem(next.left))
    now = next.right.shell
    if (next.right.done !== null) tell(command, next.right.done)
    if (now.ended !== null) break
  }
  return E.right({ shell: now, status: now.ended ?? now.last })
}
