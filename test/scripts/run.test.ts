// A script that runs another program ends as that program ended, and never before it.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { run, runNode } from '../../scripts/lib/run.mjs'
import { ROOT } from '../lib/source.ts'

describe('the exit status', () => {
  test('is the program’s own', async () => {
    expect(await runNode(['-e', ''])).toBe(0)
    expect(await runNode(['-e', 'process.exit(3)'])).toBe(3)
  })

  test('after a signal is 128 and its number, as a shell has it', async () => {
    expect(await runNode(['-e', 'process.kill(process.pid, "SIGKILL")'])).toBe(128 + 9)
  })

  test('is 127 where there is no such program', async () => {
    expect(await run('cnm-no-such-program', [])).toBe(127)
  })
})

const module = (name: string): string => JSON.stringify(pathToFileURL(`${ROOT}scripts/lib/${name}`).href)

const script = (text: string) =>
  spawn(process.execPath, ['--input-type=module', '-e', text], { stdio: ['ignore', 'pipe', 'pipe'] })

test('a signal to the script lets the program tidy up first, and the script ends as it ended', async () => {
  const program = `
    process.on('SIGTERM', () => setTimeout(() => { console.log('tidied up'); process.exit(42) }, 100))
    setInterval(() => {}, 1000)
    console.log('ready')`
  const parent = script(`
    import { runNode } from ${module('run.mjs')}
    process.exitCode = await runNode(['-e', ${JSON.stringify(program)}])`)
  let output = ''
  parent.stdout.on('data', (chunk: Buffer) => {
    output += String(chunk)
    if (String(chunk).includes('ready')) parent.kill('SIGTERM')
  })
  const [code] = await once(parent, 'close')
  expect(output).toBe('ready\ntidied up\n')
  expect(code).toBe(42)
})

describe('a script that cannot go on', () => {
  const end = async (body: string): Promise<readonly [code: unknown, errors: string]> => {
    const parent = script(`import { main, stop } from ${module('say.mjs')}\nawait main(async () => { ${body} })`)
    let errors = ''
    parent.stderr.on('data', (chunk: Buffer) => {
      errors += String(chunk)
    })
    const [code] = await once(parent, 'close')
    return [code, errors]
  }

  test('says so in a sentence, with the status it chose', async () => {
    expect(await end(`throw stop('run: npm ci', 69)`)).toEqual([69, 'run: npm ci\n'])
  })

  test('shows the stack of what nobody foresaw', async () => {
    const [code, errors] = await end(`null.x`)
    expect(code).toBe(70)
    expect(errors).toMatch(/TypeError.*\n\s+at /)
  })
})
