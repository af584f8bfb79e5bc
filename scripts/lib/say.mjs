// How the scripts talk and how they end. Progress goes to standard error, so that standard output stays a program's own
// (`--json` can be piped); an expected refusal is one sentence with the way out, a defect of ours keeps its stack.

import { fileURLToPath } from 'node:url'

/** The checkout's folder, with no slash at the end. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

/** @param {string} text */
export const say = (text) => {
  process.stderr.write(`${text}\n`)
}

const STOP = Symbol('stop')

/**
 * An expected end: `message` says what was wrong and the way out, `code` is the exit status.
 * @param {string} message
 * @param {number} [code]
 * @returns {Error}
 */
export const stop = (message, code = 1) => Object.assign(new Error(message), { [STOP]: code })

/**
 * The exit status for what was thrown, after saying it: a `stop` as its sentence, anything else with its stack.
 * @param {unknown} error
 * @returns {number}
 */
export const sayEnd = (error) => {
  if (error instanceof Error && STOP in error) {
    say(error.message)
    return Number(error[STOP])
  }
  say(error instanceof Error ? (error.stack ?? error.message) : String(error))
  return 70
}

/**
 * Runs a script's body; what it returns becomes the exit status.
 * @param {(args: ReadonlyArray<string>) => Promise<number>} body
 */
export const main = async (body) => {
  process.exitCode = await body(process.argv.slice(2)).catch(sayEnd)
}
