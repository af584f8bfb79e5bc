// cnm shell: a terminal to a kernel, the simulated one or that of this machine in fresh namespaces; a script, or lines as they come.

import { createInterface } from 'node:readline'
import { removeLab } from '../../kernel-linux/lab.ts'
import type { Lab } from '../../kernel-linux/names.ts'
import { linuxReady, transportFor } from '../../kernel-linux/ready.ts'
import { HOST } from '../../net/name.ts'
import { E, type Either } from '../../prelude.ts'
import type { Done } from '../../shell/done.ts'
import type { Command } from '../../shell/line/script.ts'
import { newShell } from '../../shell/shell.ts'
import type { Terminal } from '../../shell/terminal.ts'
import { claim } from '../claim.ts'
import { EXIT } from '../exit.ts'
import { exitOf, guarded } from '../guard.ts'
import type { Io } from '../io.ts'
import { runLab } from '../lab-name.ts'
import { kernelProblem, type Problem, problem, readProblem } from '../problem.ts'
import { readText } from '../shell/file.ts'
import { interact } from '../shell/interact.ts'
import { linuxTerminal } from '../shell/linux-terminal.ts'
import { runText, type Script, type Tell } from '../shell/session.ts'
import { simTerminal } from '../shell/sim-terminal.ts'
import type { KernelName } from '../survey.ts'

/** `commands`: of `-c`. `errexit`: of `-e`. */
export type ShellOptions = Readonly<{
  file: string | null
  commands: string | null
  kernel: KernelName
  errexit: boolean
  json: boolean
}>

const bare = (text: string): string => text.replace(/\n$/, '')

/** What a command has written, as it is; a line behind it is not its own. */
const telling =
  (io: Io, json: boolean): Tell =>
  ({ source }: Command, { status, stdout, stderr }: Done) => {
    if (json) return io.out(JSON.stringify({ command: source, status, stdout, stderr }))
    if (stdout !== '') io.out(bare(stdout))
    if (stderr !== '') io.err(bare(stderr))
  }

const scriptOf = ({ file, commands }: ShellOptions): Either<Problem, Script | null> => {
  if (commands !== null) return E.right({ name: '-c', text: commands })
  if (file === null && process.stdin.isTTY === true) return E.right(null)
  const name = file ?? '-'
  const text = readText(name)
  if (text === null) return E.left(readProblem(name, 'ENOENT'))
  return E.right({ name, text })
}

const work = async (
  io: Io,
  terminal: Terminal,
  script: Script | null,
  options: ShellOptions,
): Promise<Either<Problem, number>> => {
  const tell = telling(io, options.json)
  const shell = newShell(HOST, options.errexit)
  const complain = (sentence: string): void => io.err(`cnm: ${sentence}`)
  if (script === null) return interact(terminal, shell, tell, complain, createInterface)
  const ran = await runText(terminal, shell, script, tell, complain)
  return E.isLeft(ran) ? ran : E.right(ran.right.status)
}

/** A fresh lab with the namespace that the shell begins in. */
const begin = async (lab: Lab, terminal: Terminal): Promise<Either<Problem, void>> => {
  const made = await terminal.ask({ ns: HOST, ask: { on: 'netns', do: 'add' } })()
  if (E.isLeft(made)) return E.left(kernelProblem(made.left))
  return made.right === null
    ? E.right(undefined)
    : problem(EXIT.machine, `lab ${lab}: ${made.right.words ?? made.right.errno}`)
}

const onLinux = async (io: Io, script: Script | null, options: ShellOptions): Promise<Either<Problem, number>> => {
  const way = transportFor(null)
  if (E.isLeft(way)) return E.left(kernelProblem(way.left))
  const lab = runLab('shell')
  const stopped = new AbortController()
  const terminal = linuxTerminal(lab, way.right, stopped.signal)
  const release = await claim(lab)
  let left: Problem | null = null
  const all = async (): Promise<Either<Problem, number>> => {
    const ready = await linuxReady(lab, way.right)
    if (E.isLeft(ready)) return E.left(kernelProblem(ready.left))
    const begun = await begin(lab, terminal)
    return E.isLeft(begun) ? begun : work(io, terminal, script, options)
  }
  let working: Promise<unknown> = Promise.resolve()
  const done = await guarded(
    () => {
      const running = all()
      working = running.catch(() => {})
      return running
    },
    async (end) => {
      stopped.abort()
      // Nobody can be made to type the line that a stopped shell waits for.
      if (end !== 'stopped' || script !== null) await working
      const removed = await removeLab(lab)
      if (E.isLeft(removed)) left = kernelProblem(removed.left)
    },
  )
  release()
  if (left !== null) return E.left(left)
  if (done.tag === 'stopped') {
    // Who waits for a line would keep the process.
    process.stdin.destroy()
    return E.left({ exit: exitOf(done.signal), lines: ['cnm: stopped; nothing is left behind'] })
  }
  return done.value
}

export const shell = async (io: Io, options: ShellOptions): Promise<Either<Problem, number>> => {
  const script = scriptOf(options)
  if (E.isLeft(script)) return script
  return options.kernel === 'linux'
    ? onLinux(io, script.right, options)
    : work(io, simTerminal(), script.right, options)
}
