// Lines as somebody types them: prompt, history (in the XDG state directory), completion. A line that is not whole (an open quote, an
// operator at its end) goes on in the next.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Interface, ReadLineOptions } from 'node:readline'
import { HOST } from '../../net/name.ts'
import { E, type Either } from '../../prelude.ts'
import { completions } from '../../shell/complete.ts'
import { isOpen } from '../../shell/line/script.ts'
import { type Shell, spaceOf } from '../../shell/shell.ts'
import type { Terminal } from '../../shell/terminal.ts'
import type { Problem } from '../problem.ts'
import { hold } from './hold.ts'
import { runText, type Tell } from './session.ts'

const MOST_LINES = 1000

/** https://specifications.freedesktop.org/basedir-spec */
const historyFile = (): string =>
  join(process.env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'cnm', 'shell_history')

const readHistory = (): string[] => {
  try {
    return readFileSync(historyFile(), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .reverse()
  } catch {
    return []
  }
}

/** A history that cannot be kept is no reason to stop. */
const keepHistory = (newestFirst: ReadonlyArray<string>): void => {
  try {
    mkdirSync(dirname(historyFile()), { recursive: true, mode: 0o700 })
    writeFileSync(historyFile(), `${newestFirst.slice(0, MOST_LINES).reverse().join('\n')}\n`, { mode: 0o600 })
  } catch {
    return
  }
}

const MORE = '> '
/** Host and namespace: `host# `, `host:red# `. */
const promptOf = (host: string, shell: Shell): string => {
  const ns = spaceOf(shell)
  return `${host}${ns === HOST ? '' : `:${ns}`}# `
}

export const interact = async (
  terminal: Terminal,
  initial: Shell,
  tell: Tell,
  complain: (sentence: string) => void,
  open: (options: ReadLineOptions) => Interface,
): Promise<Either<Problem, number>> => {
  let shell = initial
  let history: ReadonlyArray<string> = readHistory()
  const hosts = await terminal.hosts()()
  let host = E.isRight(hosts) ? (hosts.right[0] ?? '') : ''
  const reader = open({
    input: process.stdin,
    output: process.stdout,
    history: [...history],
    historySize: MOST_LINES,
    removeHistoryDuplicates: true,
    completer: (line: string, done: (error: null, result: [string[], string]) => void) => {
      const words = line.split(/\s+/)
      void hold(terminal, completions(shell, words)).then((found) =>
        done(null, [E.isRight(found) ? [...found.right] : [], words.at(-1) ?? '']),
      )
    },
  })
  reader.on('history', (lines: string[]) => {
    history = lines
  })
  reader.on('SIGINT', () => {
    reader.write(null, { ctrl: true, name: 'u' })
  })
  let text = ''
  reader.setPrompt(promptOf(host, shell))
  reader.prompt()
  for await (const line of reader) {
    text += text === '' ? line : `\n${line}`
    if (isOpen(text)) {
      reader.setPrompt(MORE)
      reader.prompt()
      continue
    }
    const ran = await runText(terminal, shell, { name: 'cnm', text }, tell, complain)
    text = ''
    if (E.isLeft(ran)) {
      reader.close()
      return ran
    }
    shell = ran.right.shell
    if (shell.ended !== null) break
    const present = await terminal.hosts()()
    if (E.isRight(present)) host = present.right[0] ?? host
    reader.setPrompt(promptOf(host, shell))
    reader.prompt()
  }
  reader.close()
  keepHistory(history)
  return E.right(shell.ended ?? shell.last)
}
