// Runs other programs on our own terminal. A Ctrl-C reaches the whole process group, so we wait for the child to tidy up
// and then end as it ended, instead of dying first and leaving it behind.

import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { ROOT } from './say.mjs'

const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])

/**
 * The exit status as a shell gives it: 128 + n after signal n, 127 when the program is not there.
 * @param {string} program
 * @param {ReadonlyArray<string>} args
 * @param {{ env?: NodeJS.ProcessEnv, stdout?: 'inherit' | 'stderr' }} [options] `stderr` sends its output with our progress
 * @returns {Promise<number>}
 */
export const run = (program, args, { env = process.env, stdout = 'inherit' } = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: ROOT,
      env,
      stdio: ['inherit', stdout === 'stderr' ? 2 : 'inherit', 'inherit'],
    })
    // From a terminal the child has the signal already; from a supervisor only we do, and a second one does no harm.
    const pass = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal)
    for (const signal of SIGNALS) process.on(signal, pass)
    const done = () => {
      for (const signal of SIGNALS) process.off(signal, pass)
    }
    child.on('error', (error) => {
      done()
      // EACCES: not there either, as far as this user may look (a folder of PATH that is closed to them).
      if ('code' in error && (error.code === 'ENOENT' || error.code === 'EACCES')) resolve(127)
      else reject(error)
    })
    child.on('close', (code, signal) => {
      done()
      resolve(signal === null ? (code ?? 1) : 128 + constants.signals[signal])
    })
  })

/** @param {ReadonlyArray<string>} args script of ours or of a package, then its arguments */
export const runNode = (
  /** @type {ReadonlyArray<string>} */ args,
  /** @type {Parameters<typeof run>[2]} */ options = {},
) => run(process.execPath, args, options)
