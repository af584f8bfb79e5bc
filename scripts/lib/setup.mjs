// Brings a fresh clone to where everything runs: npm packages, system packages, dist. Each step looks first, says what it
// does, and costs nothing when there is nothing to do. Without root it names the one command and goes on: the simulated
// parts need no system package. Uses Node's own modules only, for before the first step there are no others.

import { existsSync } from 'node:fs'
import { ensureBuilt } from './build.mjs'
import { ensureConsul } from './consul.mjs'
import { run } from './run.mjs'
import { ROOT, say, stop } from './say.mjs'
import { modulesProblem } from './stale.mjs'
import {
  DOCKER_TOOLS,
  findBinary,
  missingPackages,
  SERVER_TOOLS,
  TEST_TOOLS,
  TOOLS,
  ZOOKEEPER_TOOLS,
} from './system.mjs'

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

/**
 * @param {ReadonlyArray<import('./system.mjs').Tool>} tools
 * @param {string} parts what they are for
 */
export const ensureTools = async (tools, parts) => {
  const missing = () => missingPackages(findBinary, tools)
  const packages = missing()
  if (packages.length === 0) return
  const install = ['install', '-y', '--no-install-recommends', ...packages]
  const apt = findBinary('apt-get')
  if (apt === null) return say(`set-up: for ${parts}, install what Debian calls ${packages.join(', ')}`)
  if (process.getuid?.() !== 0) return say(`set-up: for ${parts}, run: sudo apt-get ${install.join(' ')}`)
  say(`set-up: installing ${packages.join(', ')} for ${parts}`)
  const options = /** @type {const} */ ({
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdout: 'stderr',
  })
  // Package lists of an image may be old or absent; if they cannot be renewed, the install still gets its chance.
  await run(apt, ['update'], options)
  if ((await run(apt, install, options)) !== 0)
    say(`set-up: apt-get failed, see above: going on without ${missing().join(', ')}`)
}

/**
 * Where services are run, Debian's packages would start these for the machine itself: that is for its owner to want.
 * @param {ReadonlyArray<import('./system.mjs').Tool>} tools
 * @param {string} parts what they are for
 */
const ensureServers = async (tools, parts) => {
  const packages = missingPackages(findBinary, tools)
  if (packages.length === 0) return
  if (!existsSync('/run/systemd/system')) return ensureTools(tools, parts)
  say(`set-up: for ${parts}, install ${packages.join(', ')}; its service need not run`)
}

/** @param {boolean} tests */
const ensureSystem = async (tests) => {
  if (process.platform !== 'linux')
    return say(`set-up: the real kernel needs Linux (this is ${process.platform}): simulation only`)
  await ensureTools(TOOLS, 'the parts on the real kernel')
  // By themselves: that one of these cannot be had is no reason to go without the others.
  if (!tests) return
  await ensureTools(TEST_TOOLS, 'the tests')
  await ensureServers(DOCKER_TOOLS, 'the comparison with dockerd')
  await ensureServers(SERVER_TOOLS, 'the tests of stores on servers')
  await ensureTools(ZOOKEEPER_TOOLS, 'the tests of the store on ZooKeeper')
  await ensureConsul()
}

/**
 * After this, tests, benchmarks and `cnm` run. Throws a `stop` where there is no going on.
 * @param {{ build?: boolean, tests?: boolean }} [options] `build: false` leaves dist alone; `tests`: also what only tests call
 */
export const ensureSetup = async ({ build = true, tests = false } = {}) => {
  await ensureModules()
  await ensureSystem(tests)
  if (build && (await ensureBuilt())) say('set-up: built dist')
}
