// Labs of the tests: each test file works in namespaces of its own, and takes them down whatever happens; if it is killed, the
// next run does (test/lib/leftovers.ts).

import { mkdirSync, renameSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { removeLab } from '../../src/kernel-linux/lab.ts'
import { type LinuxOptions, linuxKernel } from '../../src/kernel-linux/linux.ts'
import { type Lab, labNames, parseLab } from '../../src/kernel-linux/names.ts'
import { E, type Either } from '../../src/prelude.ts'
import { ownLab } from '../lib/own-names.ts'

export const rightOf = <A>(result: Either<unknown, A>): A => {
  if (E.isLeft(result)) throw new Error(`refused: ${JSON.stringify(result.left)}`)
  return result.right
}

export const leftOf = <X>(result: Either<X, unknown>): X => {
  if (E.isRight(result)) throw new Error('not refused')
  return result.left
}

export const labOf = (text: string): Lab => rightOf(parseLab(text))

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** Bundles one of our files as it is now; several test files may do so at once. */
export const bundle = async (from: string, to: string): Promise<string> => {
  mkdirSync(`${ROOT}dist`, { recursive: true })
  const beside = `${ROOT}dist/.${to}.${process.pid}`
  const banner = `import { createRequire as $r } from 'node:module'; const require = $r(import.meta.url);`
  await build({
    absWorkingDir: ROOT,
    entryPoints: [from],
    outfile: beside,
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: { js: banner },
    logLevel: 'error',
  })
  renameSync(beside, `${ROOT}dist/${to}`)
  return `${ROOT}dist/${to}`
}

/** The agent as the sources have it now: probes from source use dist/agent.js. */
export const bundleAgent = (): Promise<string> => bundle('src/kernel-linux/agent.ts', 'agent.js')

export type TransportName = NonNullable<LinuxOptions['transport']>
export const TRANSPORTS: ReadonlyArray<TransportName> = ['iproute2', 'netlink']

/** A kernel in a lab of its own; `close` removes it. */
export const labKernel = (name: string, transport: TransportName = 'iproute2') => {
  const lab = labOf(ownLab(name))
  const kernel = linuxKernel({ names: labNames(lab), transport })
  const close = async (): Promise<void> => {
    await kernel.close()
    rightOf(await removeLab(lab))
  }
  return { lab, kernel, close }
}
