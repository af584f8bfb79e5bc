// The examples of docs/shell.md: each command, and below it what the simulated kernel says. They are one session, from the first to the last.

import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { simTerminal } from '../../src/cli/shell/sim-terminal.ts'
import { shellRoom } from './rooms.ts'

const PAGE = 'docs/shell.md'
const BLOCK = /```console\n([\s\S]*?)```/g
const PROMPT = '# '

const said = async (page: string): Promise<string> => {
  const room = shellRoom(simTerminal())
  let text = ''
  let from = 0
  for (const block of page.matchAll(BLOCK)) {
    const begin = block.index + '```console\n'.length
    text += page.slice(from, begin)
    from = begin + (block[1] ?? '').length
    for (const line of (block[1] ?? '').split('\n').filter((one) => one.startsWith(PROMPT))) {
      text += `${line}\n`
      for (const command of line.slice(PROMPT.length).split('; ')) {
        const { stdout, stderr } = await room.run(command)
        text += stdout + stderr
      }
    }
  }
  return text + page.slice(from)
}

/** With CNM_UPDATE=1 the page is written anew. */
test('the page says what the simulated kernel says', async () => {
  const page = readFileSync(PAGE, 'utf8')
  const now = await said(page)
  if (process.env['CNM_UPDATE'] === '1') writeFileSync(PAGE, now)
  else expect(page).toBe(now)
  expect(page.match(BLOCK)?.length).toBe(3)
})
