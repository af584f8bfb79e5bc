// Processes that are there to be killed: a program of ours in one file, and what a running one has said so far.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect } from 'vitest'
import { ROOT } from './source.ts'

/** A program's file, there while the tests of this file run. Beside the packages that it imports and that cannot be bundled. */
export const program = (entry: string): string => {
  const file = join(ROOT, `node_modules/.cnm-${entry.replaceAll(/[^a-z]/g, '-')}-${process.pid}.mjs`)
  beforeAll(async () => {
    await build({
      entryPoints: [join(ROOT, entry)],
      outfile: file,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      external: ['lmdb', 'koffi', 'execa'],
      logLevel: 'silent',
    })
  })
  afterAll(() => rmSync(file, { force: true }))
  return file
}

export type Running = Readonly<{
  child: ChildProcess
  /** The whole lines of its output so far. */
  said: () => ReadonlyArray<string>
  complaint: () => string
  /** It has ended, by itself or not. */
  ended: Promise<unknown>
  /** Sends a signal and waits for its end. */
  kill: (signal?: NodeJS.Signals) => Promise<void>
}>

export const started = (command: string, ...args: ReadonlyArray<string>): Running => {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  let [output, complaint] = ['', '']
  child.stdout.on('data', (data) => {
    output += data
  })
  child.stderr.on('data', (data) => {
    complaint += data
  })
  const ended = once(child, 'close')
  return {
    child,
    said: () => output.split('\n').slice(0, -1),
    complaint: () => complaint,
    ended,
    kill: async (signal = 'SIGKILL') => {
      child.kill(signal)
      await ended
    },
  }
}

export const hears = (process: Running, line: RegExp): Promise<void> =>
  expect.poll(() => process.said().some((each) => line.test(each)), { timeout: 20_000, interval: 2 }).toBe(true)

export const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
