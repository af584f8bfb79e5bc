// A Consul for tests, where the system has none: Debian's package, which Debian 12 does not name any more but whose mirrors still hold,
// fetched from the mirror that this machine uses, verified by its SHA256, and unpacked into a folder of ours. It is not installed,
// for then it would be a service. Whatever is in the way is said, and set-up goes on: the tests of the store on Consul say why they
// are skipped.

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { run } from './run.mjs'
import { say } from './say.mjs'
import { CONSUL_CACHE, findBinary, findConsulBinary } from './system.mjs'

const PACKAGE = 'pool/main/c/consul/consul_1.8.7+dfsg1-2+b3_amd64.deb'
const SHA256 = 'e4e888bba104daba1d9161f49bfc52649a7e4efd45b1a7ead5bc54f2cb9c89d9'
const HELPER = '/usr/lib/apt/apt-helper'

/**
 * The mirrors that packages come from here, without those of security updates, which have no pool of their own for it.
 * @returns {ReadonlyArray<string>}
 */
export const mirrorsIn = (/** @type {string} */ targets) => [
  ...new Set(
    targets
      .split('\n')
      .map((line) => line.trim().replace(/\/$/, ''))
      .filter((line) => line !== '' && !line.includes('security')),
  ),
]

const mirrors = () => {
  try {
    return mirrorsIn(
      execFileSync('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages'], {
        encoding: 'utf8',
      }),
    )
  } catch {
    return []
  }
}

/**
 * The way there, as far as it is closed: a phrase that follows "it needs". Null: it is open.
 * @returns {string | null}
 */
const lacking = () => {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'Linux on amd64'
  if (process.getuid?.() !== 0) return 'root'
  for (const program of ['apt-get', HELPER, 'dpkg-deb']) if (findBinary(program) === null) return program
  return null
}

/** @param {string} mirror */
const fetchFrom = async (mirror) => {
  mkdirSync(dirname(CONSUL_CACHE), { recursive: true })
  const work = mkdtempSync(`${CONSUL_CACHE}-`)
  try {
    const file = join(work, 'consul.deb')
    const options = /** @type {const} */ ({ stdout: 'stderr' })
    if (
      (await run(
        HELPER,
        ['-o', 'APT::Sandbox::User=root', 'download-file', `${mirror}/${PACKAGE}`, file, `SHA256:${SHA256}`],
        options,
      )) !== 0
    )
      return false
    const unpacked = join(work, 'unpacked')
    if ((await run('dpkg-deb', ['-x', file, unpacked], options)) !== 0) return false
    rmSync(CONSUL_CACHE, { recursive: true, force: true })
    renameSync(unpacked, CONSUL_CACHE)
    return true
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

export const ensureConsul = async () => {
  if (findConsulBinary() !== null) return
  const parts = 'the tests of the store on Consul'
  const need = lacking()
  if (need !== null) return say(`set-up: for ${parts}, put a consul on the PATH (to fetch Debian's, it needs ${need})`)
  say(`set-up: fetching Debian's consul 1.8.7 (14 MB) into ${CONSUL_CACHE} for ${parts}; it is not installed`)
  for (const mirror of mirrors()) if (await fetchFrom(mirror)) return
  say(`set-up: it cannot be had from this machine's mirrors: going on without ${parts}`)
}
