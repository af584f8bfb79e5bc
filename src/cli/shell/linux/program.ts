// A program of the machine inside a namespace, for as long as the shell waits for it: what goes on without end (ping, tcpdump) is
// interrupted, as by Ctrl-C, after a minute or when the shell is stopped.

import { spawn } from 'node:child_process'
import { inNamespace, searchPath } from '../../../kernel-linux/run.ts'
import type { Done } from '../../../shell/done.ts'
import type { Program } from '../../../shell/terminal.ts'
import { exitOf } from '../../guard.ts'

export const LONGEST_MS = 60_000
/** What nsenter answers when it finds no program of that name. */
export const NOT_FOUND = 127

/** `real`: the name of a namespace. Null: there is no such program. */
export const runProgram = (real: string, { name, words, input }: Program, stop: AbortSignal): Promise<Done | null> =>
  new Promise((resolve) => {
    const [file = '', ...rest] = inNamespace(real, [name, ...words])
    const child = spawn(file, rest, {
      env: { ...process.env, LC_ALL: 'C', PATH: searchPath() },
      signal: stop,
      timeout: LONGEST_MS,
      killSignal: 'SIGINT',
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    // One that ended before it read all has said why.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    child.on('error', () => {})
    child.on('close', (code) => {
      const status = code ?? exitOf('SIGINT')
      resolve(status === NOT_FOUND || child.pid === undefined ? null : { status, stdout, stderr })
    })
  })
