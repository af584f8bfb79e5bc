// Before and after each run of vitest: takes away the namespaces that test processes left which were killed. Those of processes
// that live are theirs, also of a run beside this one.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { NETNS_DIR } from '../../src/kernel-linux/names.ts'
import { leftBehind } from './own-names.ts'

const livingPids = (): ReadonlySet<number> => new Set(readdirSync('/proc').map(Number).filter(Number.isInteger))

/** The names are read first: whoever made one of them, and lives, is seen to live. */
const takeAway = (): void => {
  if (!existsSync(NETNS_DIR)) return
  const names = readdirSync(NETNS_DIR)
  const left = leftBehind(names, livingPids())
  if (left.length === 0) return
  const input = left.map((name) => `netns delete ${name}\n`).join('')
  const { stderr, error } = spawnSync('ip', ['-force', '-batch', '-'], { input, encoding: 'utf8' })
  const there = new Set(readdirSync(NETNS_DIR))
  const stuck = left.filter((name) => there.has(name))
  if (stuck.length > 0)
    console.error(`killed tests left ${stuck.join(', ')}, which cannot be removed: ${error?.message ?? stderr.trim()}`)
}

export const setup = takeAway
export const teardown = takeAway
