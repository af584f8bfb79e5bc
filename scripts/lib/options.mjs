// Reads a script's own options; a wrong one is an error with the help beside it, never ignored.

import { parseArgs } from 'node:util'
import { stop } from './say.mjs'

/**
 * @template {import('node:util').ParseArgsConfig} T
 * @param {ReadonlyArray<string>} args
 * @param {T} config
 * @param {string} help
 */
export const readOptions = (args, config, help) => {
  try {
    return parseArgs({ ...config, args: [...args] })
  } catch (error) {
    throw stop(`${error instanceof Error ? error.message : error}\n\n${help}`, 2)
  }
}

/**
 * A whole number of at least `least`; other text stops with the help.
 * @param {string} name
 * @param {string} text
 * @param {number} least
 * @param {string} help
 * @returns {number}
 */
export const wholeNumber = (name, text, least, help) => {
  const n = Number(text)
  if (/^-?[0-9]+$/.test(text) && Number.isSafeInteger(n) && n >= least) return n
  throw stop(`--${name} ${text}: a whole number of at least ${least} is needed\n\n${help}`, 2)
}
