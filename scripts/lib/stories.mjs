// Stories (test/kernel-sim/fabric/stories) told twice: in this process, and where there is nothing of Node's, as in a browser.

import { createContext, runInContext } from 'node:vm'
import { ROOT } from './say.mjs'

/** @typedef {Readonly<{ trace: string, capture: Uint8Array, steps: ReadonlyArray<unknown> }>} Story */
/** @typedef {(seed: number) => Story} Teller */

const ENTRY = 'test/kernel-sim/fabric/stories/story.ts'

/** The simulated kernel and its stories as one script for browsers. */
const browserScript = async () => {
  const { build } = await import('esbuild')
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [ENTRY],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'stories',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'silent',
  })
  return outputFiles[0]?.text ?? ''
}

/**
 * Tells stories in a realm of its own, which has the language and of a browser's globals two.
 * @returns {Promise<Teller>}
 */
export const tellerElsewhere = async () => {
  const realm = createContext({ TextEncoder, TextDecoder })
  runInContext(await browserScript(), realm)
  return (seed) => runInContext(`stories.storyOf(${seed})`, realm)
}

/**
 * Where two tellings part: a line of the trace, or a byte of the capture. Null: they are the same to the last byte.
 * @param {Story} here
 * @param {Story} there
 * @returns {string | null}
 */
export const differenceOf = (here, there) => {
  if (here.trace !== there.trace) {
    const [mine, theirs] = [here.trace.split('\n'), there.trace.split('\n')]
    const at = mine.findIndex((line, n) => line !== theirs[n])
    return `line ${at + 1} of the trace:\n  ${mine[at]}\n  ${theirs[at]}`
  }
  const [mine, theirs] = [Buffer.from(here.capture), Buffer.from(there.capture)]
  return mine.equals(theirs) ? null : `byte ${mine.findIndex((byte, n) => byte !== theirs[n])} of the capture`
}
