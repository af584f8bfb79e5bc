// Programs of the machine that go on beside the commands, each a child of this process in a namespace. None outlives the shell.

import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import { inNamespace, searchPath } from '../../../kernel-linux/run.ts'
import type { Done } from '../../../shell/done.ts'
import type { JobFacts } from '../../../shell/job.ts'
import type { Program } from '../../../shell/terminal.ts'
import { LONGEST_MS, NOT_FOUND } from './program.ts'

type Running = Readonly<{ number: number; line: string; child: ChildProcess; ended: Promise<Done> }>

/** So long a program is given to begin with what it is for: to listen, to watch. */
const BEGINNING_MS = 300

export type Jobs = Readonly<{
  /** `real`: the name of a namespace. A text: why it could not begin. */
  start: (real: string, program: Program) => Promise<number | string>
  all: () => ReadonlyArray<JobFacts>
  /** Null: there is no such job. */
  finish: (job: number, how: 'wait' | 'kill') => Promise<Done | null>
}>

const endOf = (child: ChildProcess): Promise<Done> =>
  new Promise((resolve) => {
    let stdout = ''
    let stderr = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    child.on('error', () => {})
    child.on('close', (code, signal) => {
      resolve({ status: code ?? 128 + (signal === null ? 0 : constants.signals[signal]), stdout, stderr })
    })
  })

const later = (ms: number): Promise<null> => new Promise((resolve) => setTimeout(resolve, ms, null))

const begin = (real: string, { name, words, input }: Program, stop: AbortSignal): ChildProcess => {
  const [file = '', ...rest] = inNamespace(real, [name, ...words])
  const child = spawn(file, rest, {
    env: { ...process.env, LC_ALL: 'C', PATH: searchPath() },
    signal: stop,
    killSignal: 'SIGTERM',
  })
  // One that ended before it read all has said why.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  return child
}

export const jobsOf = (stop: AbortSignal): Jobs => {
  const running = new Map<number, Running>()
  let next = 1
  const start = async (real: string, program: Program): Promise<number | string> => {
    const child = begin(real, program, stop)
    const ended = endOf(child)
    const early = await Promise.race([ended, later(BEGINNING_MS)])
    if (early?.status === NOT_FOUND) return `${program.name}: command not found`
    const number = next++
    running.set(number, { number, line: [program.name, ...program.words].join(' '), child, ended })
    return number
  }
  const finish = async (job: number, how: 'wait' | 'kill'): Promise<Done | null> => {
    const one = running.get(job)
    if (one === undefined) return null
    if (how === 'wait') await Promise.race([one.ended, later(LONGEST_MS)])
    one.child.kill(how === 'wait' ? 'SIGINT' : 'SIGTERM')
    const done = await one.ended
    running.delete(job)
    return done
  }
  return { start, all: () => [...running.values()].map(({ number, line }) => ({ number, line })), finish }
}
