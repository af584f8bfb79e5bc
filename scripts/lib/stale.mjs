// Decides whether something derived (node_modules, dist) still belongs to what it was derived from.
// node_modules is compared by content, because a git checkout changes times without changing the lock; dist by name, size
// and time of every input, because that costs two milliseconds at each start of `cnm` and only ever errs by building again.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** @typedef {Readonly<Record<string, Readonly<{ version?: string, integrity?: string, optional?: boolean }>>>} LockPackages */

/**
 * The first package that is locked but not installed so, or null. Packages for other platforms are optional: not asked for.
 * @param {LockPackages} locked `packages` of package-lock.json
 * @param {LockPackages} installed `packages` of node_modules/.package-lock.json, which npm writes
 * @returns {string | null}
 */
export const firstMissing = (locked, installed) => {
  for (const [path, want] of Object.entries(locked)) {
    if (path === '' || want.optional) continue
    const have = installed[path]
    if (have === undefined || have.version !== want.version || have.integrity !== want.integrity) return path
  }
  return null
}

/**
 * The text of a file, or null if there is none.
 * @param {string} file
 * @returns {string | null}
 */
export const readOrNull = (file) => {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return null
    throw error
  }
}

/**
 * Whether node_modules holds what package-lock.json asks for: null, or what is wrong.
 * @param {string} root
 * @returns {string | null}
 */
export const modulesProblem = (root) => {
  const installed = readOrNull(join(root, 'node_modules/.package-lock.json'))
  if (installed === null) return 'node_modules is missing'
  const locked = readFileSync(join(root, 'package-lock.json'), 'utf8')
  const path = firstMissing(JSON.parse(locked).packages, JSON.parse(installed).packages)
  return path === null ? null : `${path} is not as package-lock.json wants it`
}

/**
 * One line for each file under the paths: name, size, time. Equal texts mean equal inputs; a deleted, an added and an
 * older file all change it.
 * @param {string} root
 * @param {ReadonlyArray<string>} paths files and folders, relative to `root`
 * @returns {string}
 */
export const fingerprint = (root, paths) => {
  /** @type {string[]} */
  const lines = []
  const visit = (/** @type {string} */ path) => {
    const { size, mtimeMs } = statSync(join(root, path))
    lines.push(`${path} ${size} ${mtimeMs}\n`)
  }
  const walk = (/** @type {string} */ folder) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = `${folder}/${entry.name}`
      if (entry.isDirectory()) walk(path)
      else visit(path)
    }
  }
  for (const path of paths) {
    const stat = statSync(join(root, path), { throwIfNoEntry: false })
    if (stat?.isDirectory()) walk(path)
    else if (stat !== undefined) visit(path)
  }
  return lines.sort().join('')
}
