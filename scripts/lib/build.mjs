// Bundles src into dist with esbuild, when src has changed. Two builds at once, or a `cnm` that starts during a build, do
// not break each other: each file is written beside its place and renamed into it, shared chunks (named by their content)
// before the entry points that import them, and the stamp that makes the build count last of all.

import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ROOT, stop } from './say.mjs'
import { fingerprint, readOrNull } from './stale.mjs'

const ENTRIES = { cnm: 'src/cli/main.ts', agent: 'src/kernel-linux/agent.ts' }
const INPUTS = ['src', 'package.json', 'package-lock.json', 'scripts/lib/build.mjs']
/** Chunks of earlier builds stay this long: a running `cnm` may still load one. */
const KEEP_MS = 60 * 60 * 1000

// Bundled CommonJS packages call `require` for Node's own modules; ESM has none.
const REQUIRE = `import { createRequire as $createRequire } from 'node:module'; const require = $createRequire(import.meta.url);`

/** How our code is bundled, for dist as for benchmarks: esbuild's options but for what goes in and where it comes out. */
export const BUNDLE = /** @type {const} */ ({
  absWorkingDir: ROOT,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // The same code as ES modules, of which only what is used is kept.
  alias: { 'fp-ts/lib': 'fp-ts/es6' },
  // They bring machine code, which they look for beside themselves.
  external: /** @type {string[]} */ (['koffi', 'lmdb']),
  banner: { js: REQUIRE },
  logLevel: 'silent',
})

/** @param {string} root */
const stampOf = (root) => join(root, 'dist/.stamp')

/**
 * Whether dist was built from exactly the present inputs.
 * @param {string} [root]
 */
export const isBuilt = (root = ROOT) => readOrNull(stampOf(root)) === fingerprint(root, INPUTS)

const loadEsbuild = () =>
  import('esbuild').catch((error) => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw stop('cnm: the packages it is built with are not installed. Run: npm ci', 69)
  })

/**
 * @param {string} file
 * @param {Uint8Array | string} contents
 */
const place = (file, contents) => {
  const beside = join(dirname(file), `.${basename(file)}.${process.pid}`)
  try {
    writeFileSync(beside, contents)
    renameSync(beside, file)
  } finally {
    rmSync(beside, { force: true })
  }
}

/**
 * @param {string} dist
 * @param {ReadonlySet<string>} current
 */
const removeOld = (dist, current) => {
  const chunks = join(dist, 'chunks')
  for (const name of readdirSync(chunks)) {
    const file = join(chunks, name)
    const age = Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0)
    if (!current.has(file) && age > KEEP_MS) rmSync(file, { force: true })
  }
}

/** @param {string} root */
const bundle = async (root) => {
  const absent = Object.values(ENTRIES).filter((file) => !statSync(join(root, file), { throwIfNoEntry: false }))
  if (absent.length > 0) throw stop(`cnm: cannot build: ${absent.join(' and ')} not found`)
  const { build, formatMessages } = await loadEsbuild()
  const { outputFiles } = await build({
    ...BUNDLE,
    absWorkingDir: root,
    entryPoints: ENTRIES,
    outdir: 'dist',
    chunkNames: 'chunks/[name]-[hash]',
    sourcemap: true,
    sourcesContent: false,
    write: false,
  }).catch(async (error) => {
    if (!Array.isArray(error.errors)) throw error
    const messages = await formatMessages(error.errors, { kind: 'error' })
    throw stop(`cnm: the build failed\n\n${messages.join('').trimEnd()}`)
  })
  return outputFiles
}

/**
 * Builds what is stale; `clean` empties dist first (before packing, so that no old chunk is published).
 * @param {{ root?: string, clean?: boolean }} [options]
 * @returns {Promise<boolean>} whether there was something to do
 */
export const ensureBuilt = async ({ root = ROOT, clean = false } = {}) => {
  if (!clean && isBuilt(root)) return false
  // Taken first: a file that changes during the build leaves a stamp that does not match, so the next start builds again.
  const inputs = fingerprint(root, INPUTS)
  const files = await bundle(root)
  const dist = join(root, 'dist')
  if (clean) rmSync(dist, { recursive: true, force: true })
  try {
    mkdirSync(join(dist, 'chunks'), { recursive: true })
    const chunksFirst = [...files].sort((a, b) => b.path.split('/').length - a.path.split('/').length)
    for (const file of chunksFirst) place(file.path, file.contents)
    place(stampOf(root), inputs)
    removeOld(dist, new Set(files.map((file) => file.path)))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EROFS'))) throw error
    throw stop(
      `cnm: dist is older than src and not yours to write. As the owner of this folder, run: npm run build`,
      69,
    )
  }
  return true
}
