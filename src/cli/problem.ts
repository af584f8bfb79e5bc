// How a command ends. A problem is what went wrong as lines for people, and the exit status that says whose fault it is;
// the only place where errors of the other parts become either.

import { type At, showAt } from '../compose/at.ts'
import { type ComposeError, explainCompose, printable } from '../compose/error.ts'
import type { KernelError, Refusal } from '../kernel/kernel.ts'
import { commandsOf } from '../kernel/print.ts'
import type { LabError } from '../lab/lab.ts'
import { type CnmError, explain } from '../model/error.ts'
import { E, type Either } from '../prelude.ts'
import { EXIT } from './exit.ts'

export type Problem = Readonly<{ exit: number; lines: ReadonlyArray<string> }>
/** What a command line starts. Right: the exit status. */
export type Verb = () => Promise<Either<Problem, number>>

/** A refusal with one sentence that is about no place in a file. */
export const problem = (exit: number, line: string): Either<Problem, never> => E.left({ exit, lines: [`cnm: ${line}`] })

/** More than these are seldom read; the first ones usually cause the others. */
const MOST = 20

const few = (lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.length <= MOST ? lines : [...lines.slice(0, MOST), `... and ${lines.length - MOST} more`]

export const composeProblem = (errors: ReadonlyArray<ComposeError>): Problem => ({
  exit: EXIT.wrong,
  lines: few(errors.map(explainCompose)),
})

const isKernelError = (error: KernelError | ReadonlyArray<Refusal>): error is KernelError => 'tag' in error

const refusalText = ({ op, errno, detail }: Refusal): string => {
  const [command] = commandsOf(op, (ns) => ns)
  return `cnm: the kernel refused "${command?.tool ?? ''} ${command?.text.split('\n')[0] ?? ''}": ${detail ?? errno}`
}

export const kernelProblem = (error: KernelError | ReadonlyArray<Refusal>): Problem => ({
  exit: EXIT.machine,
  lines: isKernelError(error)
    ? [`cnm: ${error.what}${error.hint === null ? '' : `; ${error.hint}`}`]
    : few(error.map(refusalText)),
})

/** What is nobody's fault who asked. */
export const FAULTS_OF_THE_MACHINE: ReadonlySet<CnmError['tag']> = new Set([
  'KernelRefused',
  'PluginRefused',
  'PluginUnreachable',
  'Unavailable',
])

/** What the engine refused is the file's fault, unless the kernel would not. */
export const labProblem = (errors: ReadonlyArray<LabError<At>>): Problem => {
  const lines = errors.flatMap((each) =>
    each.tag === 'Refused'
      ? [printable(`${showAt(each.at)}: ${explain(each.error)}`)]
      : kernelProblem(each.error).lines,
  )
  const machine = errors.some((each) => each.tag === 'NoWorld' || FAULTS_OF_THE_MACHINE.has(each.error.tag))
  return { exit: machine ? EXIT.machine : EXIT.wrong, lines: few([...new Set(lines)]) }
}

const READ_FAILURE: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EISDIR: 'this is a directory',
  EACCES: 'permission denied',
  ENAMETOOLONG: 'the name is too long',
}

/** A file that is read as it comes could not be; `code` is the system's. */
export const readProblem = (file: string, code: string): Problem => ({
  exit: EXIT.wrong,
  lines: [printable(`cnm: ${file}: ${READ_FAILURE[code] ?? `cannot be read (${code})`}`)],
})
