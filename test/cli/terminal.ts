// A verb on a terminal, and what somebody there answers when it asks.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { CNM, type Ended } from './cnm.ts'

/** With `keys` said once it asks; needs the program script(1). */
export const answered = async (args: ReadonlyArray<string>, keys: string): Promise<Ended> => {
  const child = spawn('script', ['-qec', [CNM, ...args].join(' '), '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] })
  const ended = once(child, 'close')
  let out = ''
  child.stdout.on('data', (data) => {
    const wasAsked = out.includes('[y/N]')
    out += data
    if (!wasAsked && out.includes('[y/N]')) child.stdin.write(keys)
  })
  const [code] = await ended
  return { exit: code ?? undefined, out, err: '' }
}
