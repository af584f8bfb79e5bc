// Brings a fresh clone to where everything runs: npm packages, system packages, dist. Each step looks first, says what it
// does, and costs nothing when there is nothing to do. Without root it names the one command and goes on: the simulated
// parts need no system package. Uses Node's own modules only, for before the first step there are no others.

import { ensureBuilt } from './build.mjs'
import { run } from './run.mjs'
import { ROOT, say, stop } from './say.mjs'
import { modulesProblem } from './stale.mjs'
import { findBinary, missingPackages } from './system.mjs'

const ensureModules = async () => {
  const problem = modulesProblem(ROOT)
  if (problem === null) return
  say(`set-up: ${problem}: running npm ci`)
  // No package here needs its install script (esbuild's only checks what npm has already placed).
  const code = await run('npm', ['ci', '--include=dev', '--ignore-scripts'], { stdout: 'stderr' })
  if (code === 127)
    throw stop('set-up: npm is not on the PATH. Install Node.js 20.19 or later with npm, then try again.', 69)
  if (code !== 0)
    throw stop(
      'set-up: npm ci failed, see above. It needs the npm registry and a writable node_modules; then try again.',
      69,
    )
}

const ensureSystem = async () => {
  if (process.platform !== 'linux')
    return say(`set-up: the real kernel needs Linux (this is ${process.platform}): simulation only`)
  const packages = missingPackages()
  if (packages.length === 0) return
  const install = ['install', '-y', '--no-install-recommends', ...packages]
  const apt = findBinary('apt-get')
  if (apt === null)
    return say(`set-up: for the parts on the real kernel, install what Debian calls ${packages.join(', ')}`)
  if (process.getuid?.() !== 0)
    return say(`set-up: for the parts on the real kernel, run: sudo apt-get ${install.join(' ')}`)
  say(`set-up: installing ${packages.join(', ')} for the parts on the real kernel`)
  const options = /** @type {const} */ ({
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdout: 'stderr',
  })
  // Package lists of an image may be old or absent; if they cannot be renewed, the install still gets its chance.
  await run(apt, ['update'], options)
  if ((await run(apt, install, options)) !== 0)
    say(`set-up: apt-get failed, see above: going on without ${missingPackages().join(', ')}`)
}

/**
 * After this, tests, benchmarks and `cnm` run. Throws a `stop` where there is no going on.
 * @param {{ build?: boolean }} [options] `build: false` leaves dist alone
 */
export const ensureSetup = async ({ build = true } = {}) => {
  await ensureModules()
  await ensureSystem()
  if (build && (await ensureBuilt())) say('set-up: built dist')
}
