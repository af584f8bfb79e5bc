// Test files as one program for the machine: bundled here, for reading and transforming hundreds of files takes minutes there. Each
// of our files keeps its own import.meta.url.

import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { BUNDLE } from '../lib/build.mjs'
import { ROOT } from '../lib/say.mjs'

/** @type {import('esbuild').Plugin} */
const ownUrls = {
  name: 'own-urls',
  setup: (build) => {
    build.onLoad({ filter: /\.(ts|mjs)$/ }, ({ path }) =>
      path.startsWith(ROOT) && !path.includes('/node_modules/')
        ? {
            contents: readFileSync(path, 'utf8').replaceAll(
              'import.meta.url',
              JSON.stringify(pathToFileURL(path).href),
            ),
            loader: path.endsWith('.ts') ? 'ts' : 'js',
          }
        : null,
    )
  },
}

const fileText = (/** @type {string} */ path) =>
  `{ path: ${JSON.stringify(path)}, load: () => import(${JSON.stringify(resolve(path))}) }`

/** Loaded as they are: what brings machine code, and what is a program of its own. */
const EXTERNAL = ['koffi', 'lmdb', 'esbuild', 'typescript']

/**
 * @param {string} contents of a module that is the program
 * @param {string} folder where it goes; beside the packages that it loads
 * @returns {Promise<string>} the program's path
 */
export const bundle = async (contents, folder) => {
  const { build } = await import('esbuild')
  await build({
    ...BUNDLE,
    external: EXTERNAL,
    plugins: [ownUrls],
    // package.json says of our modules that importing them does nothing; of tests and of programs that is not so.
    ignoreAnnotations: true,
    stdin: { contents, resolveDir: ROOT },
    outdir: folder,
    entryNames: 'program',
    outExtension: { '.js': '.mjs' },
    logLevel: 'error',
  })
  return join(folder, 'program.mjs')
}

/**
 * A program that runs test files, as vitest.config.ts has them run.
 * @param {ReadonlyArray<string>} files paths from the present folder
 * @param {string} folder
 * @param {Readonly<{ pattern: string | null, runs: number, seed: number }>} options
 */
export const testProgram = (files, folder, options) =>
  bundle(
    [
      `import ${JSON.stringify(join(ROOT, 'test/lib/runs.ts'))}`,
      `import { runTests } from ${JSON.stringify(join(ROOT, 'scripts/vm/runner.mjs'))}`,
      `process.exit(await runTests([${files.map(fileText).join(', ')}], ${JSON.stringify({ ...options, root: ROOT })}))`,
    ].join('\n'),
    folder,
  )
