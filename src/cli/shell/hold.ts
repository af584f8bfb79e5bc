// Runs a talk (shell/terminal.ts) with a terminal: each question is asked and waited for, one after the other.

import type { KernelError } from '../../kernel/kernel.ts'
import { E, type Either } from '../../prelude.ts'
import type { Talk, Terminal } from '../../shell/terminal.ts'

/** Left: the kernel could not be asked; the talk ends there. */
export const hold = async <A>(terminal: Terminal, talk: Talk<A>): Promise<Either<KernelError, A>> => {
  let step = talk.next()
  while (step.done !== true) {
    const answer = await step.value(terminal)()
    if (E.isLeft(answer)) return answer
    step = talk.next(answer.right)
  }
  return E.right(step.value)
}
